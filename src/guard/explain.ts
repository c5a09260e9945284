/** Tells people why a policy acts on a text: for trying policies out, never for traffic. */
import type { Carrier } from "../dialect/carriers.ts";
import { concerns, editsOf, rulesOf, withoutOverlaps } from "./decide.ts";
import { conditionOf, isOpen, type Scene, viewsFor } from "./match.ts";
import { type Policy, policyVersion } from "./policy.ts";
import { readingOf } from "./reading.ts";

interface Explained {
  by: string;
  /** In which view of the text, and what stands there. */
  view: string;
  read: string;
  /** In the text itself, UTF-16 units. */
  start: number;
  end: number;
}

export interface Explanation {
  /** open: a model would have to be asked. */
  verdict: "matches" | "no-match" | "not-concerned" | "open";
  found: Explained[];
  /** The text as it would be, where the policy redacts it. */
  redacted: string | null;
}

export const explain = (policy: Policy, carrier: Carrier): Explanation => {
  const condition = conditionOf(policy.match, policy.normalise, policy.except);
  const rule = { policy, version: policyVersion(policy), condition, enforced: true };
  if (!concerns(rule, carrier)) return { verdict: "not-concerned", found: [], redacted: null };
  const reading = readingOf(carrier, policy.normalise);
  const sightings = rulesOf(policy.stage, [rule]).index.look(reading.views);
  const scene: Scene = {
    sightings,
    sizes: () => ({
      totalCharacters: carrier.text.length,
      messages: 1,
      tools: carrier.kind === "tool-definition" ? 1 : 0,
    }),
    answer: () => undefined,
  };
  const result = condition.test(reading, scene);
  if (result === null) return { verdict: "no-match", found: [], redacted: null };
  if (isOpen(result)) {
    const whole = { by: result.open.kind, view: "plain", read: "", start: 0, end: 0 };
    return { verdict: "open", found: [whole], redacted: null };
  }

  /** Each place once, by the first view that shows it. */
  const found: Explained[] = [];
  const { needs } = condition;
  for (const finder of typeof needs === "string" ? [] : needs) {
    for (const view of viewsFor(finder, reading, sightings)) {
      for (const { start, end, matcher } of finder.find(view.text, 0)) {
        const place = view.origin(start, end);
        if (found.some((one) => one.by === matcher && one.start === place.start && one.end === place.end)) continue;
        found.push({ by: matcher, view: view.kind, read: view.text.slice(start, end), ...place });
      }
    }
  }
  if (found.length === 0) {
    const spans = result.spans.length === 0 ? [{ start: 0, end: 0, matcher: result.by }] : result.spans;
    found.push(
      ...spans.map(({ start, end, matcher }) => ({
        by: matcher,
        view: "plain",
        read: carrier.text.slice(start, end),
        start,
        end,
      })),
    );
  }

  if (policy.action !== "redact") return { verdict: "matches", found, redacted: null };
  let redacted = carrier.text;
  for (const { start, end, replacement } of withoutOverlaps(editsOf(rule, carrier, result)).toReversed())
    redacted = redacted.slice(0, start) + replacement + redacted.slice(end);
  return { verdict: "matches", found, redacted };
};
