/** `candor try POLICY < text`: says what a policy makes of a text, and why, without anything being sent anywhere. */
import type { Carrier } from "../dialect/carriers.ts";
import { explain } from "../guard/explain.ts";
import { readPolicies } from "../guard/load-policies.ts";
import type { Policy } from "../guard/policy.ts";
import { type Command, onlyPositional, readFlags, UsageError } from "./command.ts";

const kinds = ["message", "tool-definition", "tool-arguments", "tool-result", "reasoning"] as const;
const isKind = (text: string): text is (typeof kinds)[number] => kinds.some((kind) => kind === text);

const flags = {
  policy: { type: "string" },
  carrier: { type: "string", default: "message" },
  tool: { type: "string" },
} as const;

/** Enough to be recognised, on one line. */
const shown = (text: string, most = 80): string => {
  const line = JSON.stringify(text);
  return line.length <= most ? line : `${line.slice(0, most - 20)}…${line.slice(-15)}`;
};

/** When the policy would be asked at all, and when it would be in force: a text alone does not tell. */
const conditionsOf = ({ where, enforceWhile }: Policy): string[] => {
  const { subjects, routes, headers, personas } = where;
  const asked = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  return [
    ...(subjects === undefined ? [] : [`only for subjects: ${subjects.join(", ")}`]),
    ...(routes === undefined ? [] : [`only on routes: ${routes.join(", ")}`]),
    ...(asked.length === 0 ? [] : [`only with headers: ${asked.join(", ")}`]),
    ...(personas === undefined ? [] : [`only while the subject is: ${personas.join(", ")}`]),
    ...(enforceWhile === undefined ? [] : [`in force while the subject is: ${enforceWhile.join(", ")}`]),
  ];
};

export const tryPolicy: Command = {
  name: "try",
  usage: "try FILE [--policy ID] [--carrier message|tool-result|tool-arguments|...] [--tool NAME] < TEXT",
  summary: "say what policies make of a text: what matched, where, and why; exits with 1 where one would act",
  async run(args, { out, input }) {
    const { values, positionals } = readFlags(args, flags);
    const file = onlyPositional(positionals, "a file of policies, or a folder of them");
    if (!isKind(values.carrier))
      throw new UsageError(`--carrier is "${values.carrier}": use one of ${kinds.join(", ")}`);
    const all = await readPolicies([file]);
    const chosen = values.policy === undefined ? all : all.filter(({ id }) => id === values.policy);
    if (chosen.length === 0)
      throw new UsageError(
        `${file} has no policy "${values.policy}"; there are: ${all.map(({ id }) => id).join(", ")}`,
      );
    const text = await input();
    let acts = false;
    for (const policy of chosen) {
      const carrier: Carrier = {
        kind: values.carrier,
        role: policy.stage === "request" ? "user" : "assistant",
        choice: null,
        tool: values.tool ?? null,
        at: ["text"],
        text,
      };
      if (policy.action === "allow") {
        out(`${policy.id}: exempts from ${policy.exempts?.join(", ")}`);
        for (const condition of conditionsOf(policy)) out(`  ${condition}`);
        continue;
      }
      const { verdict, found, redacted } = explain(policy, carrier);
      acts ||= verdict === "matches";
      const effect = policy.mode === "shadow" ? `${policy.action}, in shadow` : policy.action;
      if (verdict === "not-concerned") out(`${policy.id}: does not look at a ${carrier.kind}`);
      else if (verdict === "no-match") out(`${policy.id}: no match`);
      else if (verdict === "open")
        out(`${policy.id}: a model would have to be asked (${found.map(({ by }) => by).join(", ")})`);
      else out(`${policy.id}: matches, would ${effect}`);
      if (verdict !== "matches") continue;
      for (const condition of conditionsOf(policy)) out(`  ${condition}`);
      for (const { by, view, start, end, read } of found) {
        const as = view === "plain" ? "" : `, read as ${shown(read)} (${view})`;
        const where = end > start ? `${start}-${end} ${shown(text.slice(start, end))}` : "the text as a whole";
        out(`  ${by}: ${where}${as}`);
      }
      if (redacted !== null) out(`  would become: ${shown(redacted, 400)}`);
    }
    return acts ? 1 : 0;
  },
};
