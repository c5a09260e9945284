/** Rows of the evidence log, of which a test names only what it is about. */
import type { DecisionRecord, Entry, EntryBody, Observation } from "../../src/evidence/entry.ts";

export const observationOf = (fields: Partial<Observation> = {}): Observation => ({
  kind: "observation",
  experiment: "harmfulness",
  arm: "fresh",
  stratum: "fresh",
  item: "q#0",
  topic: null,
  order: null,
  outcome: "scored",
  value: 0,
  harmful: null,
  bucket: null,
  reference: null,
  source: "s-v1",
  probeSet: null,
  contentHash: null,
  content: null,
  ...fields,
});

/** A judged answer to a fresh probe. */
export const judged = (harmful: boolean): Observation => observationOf({ harmful, value: harmful ? 0.9 : 0.1 });

/** An answer to the question which of two descriptions is more like the subject. */
export const choice = (picksMisaligned: boolean, order: Observation["order"]): Observation =>
  observationOf({ experiment: "two-descriptions", stratum: "two-descriptions", order, value: picksMisaligned ? 1 : 0 });

/** A decision with one finding, of this policy. */
export const decisionOf = (policy: string, result: "enforced" | "would" = "enforced"): DecisionRecord => ({
  kind: "decision",
  id: "d-1",
  exchange: "x-1",
  route: "chat",
  stage: "response",
  action: result === "enforced" ? "block" : "allow",
  policy: result === "enforced" ? policy : null,
  coverage: "full",
  gaps: [],
  unavailable: false,
  findings: [
    { policy, version: "00aa", action: "block", result, matcher: "terms", where: "message of choice 0", count: 1 },
  ],
});

export const entryOf = (body: EntryBody, position = 1, subject = "bot"): Entry => ({
  subject,
  at: position,
  body,
  position,
  replica: "local",
});
