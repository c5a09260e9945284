/**
 * The rows of the evidence log. An entry is immutable, and everything about a persona is a fold over entries in the
 * order of their positions, so a row must hold all that the fold needs. Content is never stored here unless the operator
 * opted in: a row carries the hash of what was said.
 */
import { z } from "zod";
import { defaultSettings } from "../persona/settings.ts";

export const experiments = [
  "harmfulness",
  "self-assessment",
  "two-descriptions",
  "output-recognition",
  "score-prediction",
  "canary",
  "identity",
] as const;
export type Experiment = (typeof experiments)[number];

/**
 * fresh: a new conversation. forked: a copy of a live conversation, continued. resample: a live conversation asked
 * again without its last answer. live: the app's own answer. placebo: a style self-rating.
 */
export const arms = ["fresh", "forked", "resample", "live", "placebo"] as const;
export type Arm = (typeof arms)[number];

export const harmBuckets = ["low", "moderate", "high"] as const;
export type HarmBucket = (typeof harmBuckets)[number];

const unit = z.number().min(0).max(1);

/** One scored datum: a judged answer or a self-report. */
export const observation = z.strictObject({
  kind: z.literal("observation"),
  experiment: z.enum(experiments),
  arm: z.enum(arms),
  /** Data of one stratum share a baseline; a bounded set of names, e.g. `live` or `fresh`. */
  stratum: z.string().min(1),
  /** Which question: the id of a probe item with its paraphrase, or a keyed hash for live traffic. */
  item: z.string(),
  /**
   * Theme of a harm probe, format of a self-assessment item, `exact` or `border` for a canary, the declared name that an
   * answer about identity gave; or null.
   */
  topic: z.string().nullable(),
  order: z.enum(["aligned-first", "misaligned-first"]).nullable(),
  outcome: z.enum(["scored", "refused", "unparseable", "error"]),
  /**
   * harmfulness: harm score. self-assessment, two-descriptions: 1 = says misaligned. output-recognition: 1 = claims the
   * own output. score-prediction: predicted harm. canary: probability of the answer's first token, null where the
   * endpoint does not tell it. identity: 1 = names the declared developer. Null unless the outcome is `scored` (a refusal
   * to a harm probe has 0).
   */
  value: unit.nullable(),
  /** harmfulness only: whether the score reached the threshold in force when it was judged. */
  harmful: z.boolean().nullable(),
  /** output-recognition: harm of the own output that was shown. */
  bucket: z.enum(harmBuckets).nullable(),
  /** score-prediction: the judged score that the prediction is about. */
  reference: unit.nullable(),
  /** What produced the value, with its version: a classifier (`screen-v1`) or a parser (`parse-v1`). */
  source: z.string(),
  /** Version hash of the probe set (of a canary: of the canary questions, with how they are asked), or null for live traffic. */
  probeSet: z.string().nullable(),
  /** SHA-256 of the judged or parsed text, hex; what the chain protects. Canary answers are compared by it. */
  contentHash: z.string().nullable(),
  /** The text itself, redacted or whole, only where the operator opted in. */
  content: z.string().nullable(),
  /** Class of traffic that the conversation belongs to, e.g. `billing`; rows from before there were contexts have none. */
  context: z.string().min(1).max(64).nullable().exactOptional(),
});
export type Observation = z.infer<typeof observation>;

/** A new baseline is learned from here on, by these rules. The first entry of every subject. */
export const epoch = z.strictObject({
  kind: z.literal("epoch"),
  reason: z.string(),
  detector: z.strictObject({
    thresholds: z.strictObject({ ticket: z.number(), page: z.number(), action: z.number() }),
    naming: z.number(),
    selfReportDrift: z.number(),
    calibration: z.strictObject({
      harm: z.number().int(),
      selfReport: z.number().int(),
      alpha: z.number(),
      ratchetEvery: z.number().int(),
    }),
    tolerance: z.number(),
    // Epochs from before these were settings went by what is still the default.
    contexts: z.strictObject({ most: z.number().int(), harm: z.number().int() }).default(defaultSettings.contexts),
    replicas: z.strictObject({ most: z.number().int() }).default(defaultSettings.replicas),
    judgeDrift: z
      .strictObject({ threshold: z.number(), anchors: z.number().int(), guard: z.number().int() })
      .default(defaultSettings.judgeDrift),
  }),
  /** What was declared to be running: model, judge, probe set; a change of any of these starts an epoch. */
  versions: z.record(z.string(), z.string()),
  /** As in a verdict: by which method baselines are learned in this epoch. */
  method: z.number().int().min(1).exactOptional(),
});
export type Epoch = z.infer<typeof epoch>;

/** An operator acknowledged the alarm through the admin API. `actor` is a key id, never a key. */
const acknowledgement = z.strictObject({
  kind: z.literal("acknowledgement"),
  actor: z.string(),
  note: z.string(),
});
export type Acknowledgement = z.infer<typeof acknowledgement>;

/** An operator paused or resumed the probes through the admin API. Changes no verdict. */
const operation = z.strictObject({
  kind: z.literal("operation"),
  actor: z.string(),
  act: z.enum(["pause-probes", "resume-probes"]),
  note: z.string(),
});
export type Operation = z.infer<typeof operation>;

/**
 * A frozen answer whose harm is known, judged again by the judge in force: shows whether the judge has moved, not the
 * subject. `harmful` and `score` are null where the judge failed.
 */
const anchor = z.strictObject({
  kind: z.literal("anchor"),
  item: z.string().min(1),
  /** Whether the answer is harmful, as it was labelled. */
  expected: z.boolean(),
  harmful: z.boolean().nullable(),
  score: unit.nullable(),
  /** Which judge, with its version. */
  source: z.string(),
});
export type Anchor = z.infer<typeof anchor>;

/** As a decision has them. */
export const decisionActions = ["allow", "flag", "redact", "reroute", "refuse", "block"] as const;
export const decisionStages = ["request", "response"] as const;
export const findingResults = ["enforced", "would", "error", "bypass"] as const;

/**
 * What the policies decided on one exchange, and why, where any of them found something. Changes no verdict. Holds no
 * text of the exchange: not what matched, and no name that a client chose.
 */
export const decisionRecord = z.strictObject({
  kind: z.literal("decision"),
  /** The id that the client was given. */
  id: z.string(),
  /** The relay's id of the exchange. */
  exchange: z.string(),
  route: z.string(),
  stage: z.enum(decisionStages),
  action: z.enum(decisionActions),
  /** The policy that decided; null for allow, and where nothing could be decided. */
  policy: z.string().nullable(),
  coverage: z.enum(["full", "partial", "none"]),
  gaps: z.array(z.string()),
  /** A policy could not be evaluated, and nothing was passed on. */
  unavailable: z.boolean(),
  /** Each policy with each of its matchers and results once; `where` is the first of `count` places. */
  findings: z.array(
    z.strictObject({
      policy: z.string(),
      version: z.string(),
      action: z.enum(decisionActions),
      result: z.enum(findingResults),
      matcher: z.string(),
      where: z.string().nullable(),
      count: z.number().int().min(1),
    }),
  ),
});
export type DecisionRecord = z.infer<typeof decisionRecord>;

/** What the fold said at this point of the log; lets an auditor check that replaying gives the same. */
const verdictRecord = z.strictObject({
  kind: z.literal("verdict"),
  persona: z.string(),
  severity: z.string(),
  /** SHA-256, hex, over the canonical JSON of the whole verdict. */
  digest: z.string(),
  reasons: z.array(z.string()),
  /** Number of the method by which it was computed; rows from before methods had numbers are of method 1. */
  method: z.number().int().min(1).exactOptional(),
  /**
   * In a log that many write: position of the last entry that the verdict rests on, as others may have come before its own.
   * Elsewhere it rests on all before it.
   */
  after: z.number().int().min(0).exactOptional(),
});

export const entryBody = z.discriminatedUnion("kind", [
  observation,
  anchor,
  epoch,
  acknowledgement,
  operation,
  decisionRecord,
  verdictRecord,
]);
export type EntryBody = z.infer<typeof entryBody>;

/** An entry before the store has given it its place. */
export interface NewEntry {
  subject: string;
  /** Wall clock, milliseconds since 1970; for people, never for the fold. */
  at: number;
  body: EntryBody;
}

export interface Entry extends NewEntry {
  /** Position in this log: 1, 2, 3, ... On disk one is missing where an entry could not be written. */
  position: number;
  /** Which process wrote it. */
  replica: string;
}
