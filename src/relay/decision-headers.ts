/** What the client is told about the policies' decisions, in headers: never the text that matched. */
import { type Action, actions, type Decision } from "../guard/guard.ts";

export interface Decided {
  request: Decision | null;
  /** Undefined while it is not known, as when a stream's headers leave; null when no policy reads the answer. */
  response: Decision | null | undefined;
  /** Id of the subject that answers instead. */
  reroutedTo: string | null;
  /** Milliseconds that inspecting and deciding took so far. */
  overheadMs: number;
}

/** As it is told: what a policy in shadow found changes nothing and is said all the same. */
interface Told {
  decision: Decision;
  action: Action;
  policy: string | null;
  version: string | null;
}

const toldOf = (decision: Decision | null): Told | null => {
  if (decision === null) return null;
  const { action, policy, findings } = decision;
  const shadow = action === "allow" ? findings.find(({ result }) => result === "would") : undefined;
  if (shadow !== undefined) return { decision, action: "flag", policy: shadow.policy, version: shadow.version };
  return { decision, action, policy, version: findings.find((one) => one.policy === policy)?.version ?? null };
};

const strictness = ({ action }: Told): number => actions.indexOf(action);
const coverages = ["full", "partial", "none"] as const;

/** The stricter of two decisions; the later one where they are equal. */
const stricter = (one: Told | null, other: Told | null): Told | null => {
  if (one === null || other === null) return one ?? other;
  return strictness(one) > strictness(other) ? one : other;
};

const unprintable = /[^\x20-\x7e]/g;

/** Header values hold printable ASCII only; ids and names of the configuration are that already. */
const printable = (text: string): string =>
  text.search(unprintable) === -1 ? text : text.replaceAll(unprintable, "?");

/** Of two decisions' coverages, how much is covered by both. */
const leastCovered = (one: Decision | null, other: Decision | null): string =>
  coverages[Math.max(one ? coverages.indexOf(one.coverage) : 0, other ? coverages.indexOf(other.coverage) : 0)] ??
  "none";

/** What of either could not be read, each once; empty for most. */
const gapsOf = (one: Decision | null, other: Decision | null): string => {
  const [gaps = [], more = []] = [one?.gaps, other?.gaps];
  return gaps.length === 0 && more.length === 0 ? "" : [...new Set([...gaps, ...more])].join(", ");
};

/** Names and values in turn. */
export const decisionHeaders = ({ request, response, reroutedTo, overheadMs }: Decided): string[] => {
  const deciding = stricter(toldOf(request), toldOf(response ?? null));
  const headers = ["x-candor-overhead-ms", overheadMs.toFixed(3)];
  if (reroutedTo !== null) headers.push("x-candor-rerouted-to", printable(reroutedTo));
  if (deciding === null) {
    if (response === undefined) headers.push("x-candor-decision", "pending", "x-candor-stage", "response");
    return headers;
  }
  const { decision, action, policy, version } = deciding;
  headers.push("x-candor-decision", action, "x-candor-stage", decision.stage);
  headers.push(
    "x-candor-coverage",
    leastCovered(request, response ?? null),
    "x-candor-decision-id",
    printable(decision.id),
  );
  const gaps = gapsOf(request, response ?? null);
  if (gaps !== "") headers.push("x-candor-gaps", gaps);
  if (policy !== null) headers.push("x-candor-policy", printable(policy));
  if (version !== null) headers.push("x-candor-policy-version", printable(version));
  return headers;
};
