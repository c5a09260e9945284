/** Policies that are not applied to an exchange, because another one allows it. That is told as well, never passed over. */
import type { Finding, Stage } from "./guard.ts";
import type { Policy } from "./policy.ts";

interface Concerned {
  policy: Pick<Policy, "id" | "action" | "stage" | "exempts">;
  version: string;
}

interface Exempted<P extends Concerned> {
  /** Those that are applied. */
  applied: P[];
  /** What is told of those that are not, with whatever the others decide. */
  bypasses: Record<Stage, Finding[]>;
}

/** @param concerned by one exchange */
export const exempting = <P extends Concerned>(concerned: readonly P[]): Exempted<P> => {
  const exempted = new Map(
    concerned.flatMap(({ policy: { id: by, exempts = [] } }) => exempts.map((id) => [id, by] as const)),
  );
  const bypasses: Record<Stage, Finding[]> = { request: [], response: [] };
  for (const { policy, version } of concerned) {
    const { id, action, stage } = policy;
    const by = exempted.get(id);
    const told = { policy: id, version, action, where: null, matcher: `exempted:${by}` };
    if (by !== undefined) bypasses[stage].push({ ...told, result: "bypass" });
  }
  return {
    applied: concerned.filter(({ policy: { id, action } }) => action !== "allow" && !exempted.has(id)),
    bypasses,
  };
};
