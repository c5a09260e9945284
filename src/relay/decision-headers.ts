/** What the client is told about the policies' decisions, in headers: never the text that matched. */
import { actions, type Decision } from "../guard/guard.ts";

export interface Decided {
  request: Decision | null;
  /** Undefined while it is not known, as when a stream's headers leave; null when no policy reads the answer. */
  response: Decision | null | undefined;
  /** Id of the subject that answers instead. */
  reroutedTo: string | null;
  /** Milliseconds that inspecting and deciding took so far. */
  overheadMs: number;
}

const strictness = ({ action }: Decision): number => actions.indexOf(action);
const coverages = ["full", "partial", "none"] as const;

/** The stricter of two decisions; the later one where they are equal. */
const stricter = (one: Decision | null, other: Decision | null): Decision | null => {
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

/** Names and values in turn. */
export const decisionHeaders = ({ request, response, reroutedTo, overheadMs }: Decided): string[] => {
  const deciding = stricter(request, response ?? null);
  const headers = ["x-candor-overhead-ms", overheadMs.toFixed(3)];
  if (reroutedTo !== null) headers.push("x-candor-rerouted-to", printable(reroutedTo));
  if (deciding === null) {
    if (response === undefined) headers.push("x-candor-decision", "pending", "x-candor-stage", "response");
    return headers;
  }
  headers.push("x-candor-decision", deciding.action, "x-candor-stage", deciding.stage);
  headers.push(
    "x-candor-coverage",
    leastCovered(request, response ?? null),
    "x-candor-decision-id",
    printable(deciding.id),
  );
  if (deciding.policy !== null) headers.push("x-candor-policy", printable(deciding.policy));
  return headers;
};
