/**
 * The shapes of the control API, for the server, its tests and every client. A number that has no finite value (the
 * evidence before the first datum is minus infinity) is null, as JSON has no infinities.
 */
import { z } from "zod";
import {
  arms,
  decisionActions,
  decisionRecord,
  decisionStages,
  experiments,
  findingResults,
  harmBuckets,
  observation,
} from "../evidence/entry.ts";
import { type Divergence, type EvidenceName, type JudgeGuard, personas, type Severity } from "../persona/verdict.ts";
import { dimensions } from "../watch/then-and-now.ts";
import { tracedEvidence } from "../watch/verdict-trace.ts";

const severities = ["none", "ticket", "page", "action"] as const satisfies readonly Severity[];

const evidenceNames = [
  "harm",
  "harm-live",
  "harm-probe",
  "says-aligned",
  "says-misaligned",
  "self-report-drift",
  "harmless",
  "refusals-up",
  "refusals-down",
  "unanswered-up",
  "judge-stricter",
  "judge-laxer",
  "canary",
] as const satisfies readonly EvidenceName[];

const position = z.number().int().min(0).describe("position in the evidence log");
const milliseconds = z.number().describe("wall clock, milliseconds since 1970");
const count = z.number().int().min(0);

const interval = z
  .strictObject({ lower: z.number(), estimate: z.number(), upper: z.number(), n: count })
  .describe("a confidence sequence, valid at every moment it is looked at, over n data");

const evidenceValue = z.strictObject({ logEvidence: z.number().nullable(), logThreshold: z.number().nullable() });

const armView = z
  .strictObject({ rate: interval, sinceChange: interval.nullable(), evidence: evidenceValue.nullable() })
  .describe("share of harmful answers, and the evidence that it has risen; of the placebo a mean alone");

const divergences = [
  "subject",
  "traffic",
  "hidden",
  "probes-only",
  "undecided",
  "judge",
] as const satisfies readonly Divergence[];

const guards = ["unwatched", "steady", "open", "moved"] as const satisfies readonly JudgeGuard[];

const twoWindows = z.strictObject({ sinceCalibration: interval, sinceChange: interval.nullable() });

export const verdictView = z
  .strictObject({
    position,
    at: milliseconds.describe("time of the last entry that the verdict rests on"),
    persona: z.enum(personas),
    severity: z.enum(severities),
    assured: z.boolean(),
    phase: z.enum(["calibrating", "monitoring"]),
    calibration: z.array(z.strictObject({ name: z.string(), have: count, need: count })),
    evidence: z.record(z.enum(evidenceNames), evidenceValue),
    alarms: z.array(z.strictObject({ severity: z.enum(["ticket", "page", "action"]), position })),
    changePoint: position.nullable(),
    harmRate: twoWindows,
    selfReport: twoWindows,
    contentSensitivity: z
      .strictObject({
        misalignedFirst: z.number(),
        alignedFirst: z.number(),
        sensitivity: z.number(),
        sufficient: z.boolean(),
      })
      .nullable(),
    baseline: z.array(
      z.strictObject({ stratum: z.string(), context: z.string().nullable(), nullMean: z.number(), n: count }),
    ),
    where: z
      .strictObject({ stratum: z.string().nullable(), context: z.string().nullable(), replica: z.string().nullable() })
      .nullable()
      .describe("where harm shows most while a change of harm is in view; nulls: in all answers together"),
    arms: z.strictObject({ fresh: armView, forked: armView, resample: armView, live: armView, placebo: armView }),
    contexts: z
      .array(z.strictObject({ name: z.string(), rate: interval, evidence: evidenceValue, watched: z.boolean() }))
      .describe("classes of traffic, in the order in which they came"),
    replicas: z
      .array(z.strictObject({ name: z.string(), rate: interval, evidence: evidenceValue }))
      .describe("replicas that are told apart, in the order in which they came; empty while there is one"),
    divergence: z
      .enum(divergences)
      .nullable()
      .describe("what live traffic and probes say together of the cause; null while neither shows harm by itself"),
    judge: z
      .strictObject({ guard: z.enum(guards), falseAlarms: interval, misses: interval })
      .describe("what frozen answers say of the judge"),
    unansweredRate: z.number().nullable(),
    canary: z
      .strictObject({
        questions: z.array(z.string()),
        useless: z.array(z.string()),
        have: count,
        need: count,
        rounds: count,
        lastP: z.number().nullable(),
        seen: count,
        recent: z.boolean(),
        last: z
          .strictObject({ position, from: position, p: z.number(), rounds: count, logEvidence: z.number() })
          .nullable(),
      })
      .nullable()
      .describe("whether the served model seems to be the same; names no persona; null where no canary is asked"),
    identity: z
      .strictObject({
        rightDeveloper: interval,
        unread: count,
        names: z.array(z.strictObject({ name: z.string(), n: count })),
      })
      .nullable()
      .describe("who it says it is; null where it is not asked"),
    probing: z
      .strictObject({ suspicion: z.number().nullable(), harmNeed: z.number(), selfReportNeed: z.number() })
      .describe("what the choice of the next probe rests on; no alarm is read from it"),
    reasons: z.array(z.string()).min(1),
    missing: z.array(z.string()),
  })
  .describe("what the evidence says, and how sure it is");
export type VerdictView = z.infer<typeof verdictView>;

const mean = z.number().nullable().describe("null without data");
const share = z.strictObject({ n: count, mean });

const experimentSummary = z
  .strictObject({
    arms: z.array(
      z.strictObject({
        experiment: z.enum(experiments),
        arm: z.enum(arms),
        scored: count,
        refused: count,
        unparseable: count,
        error: count,
        harmful: count.describe("answers judged harmful; harmfulness only, 0 elsewhere"),
        mean: mean.describe("mean of the values, 0-1, on the experiment's own scale; null without values"),
      }),
    ),
    experiments: z
      .array(share.extend({ experiment: z.enum(experiments) }))
      .describe("mean value over all arms but the placebo"),
    recognition: z
      .strictObject({ low: share, moderate: share, high: share, asymmetry: mean })
      .describe("how often the own output was claimed, by its harm; asymmetry is P(claim | low) - P(claim | high)"),
    prediction: share.describe("mean of predicted minus judged harm, -1 to 1"),
  })
  .describe("what the experiments have shown since the last epoch");

const spending = z.strictObject({ calls: count, tokens: count });

export const probeStatus = z.strictObject({
  running: z.boolean(),
  inFlight: count,
  spent: spending.describe("in the last hour, running probes included"),
  limits: spending.describe("in any hour"),
  day: z.strictObject({ spent: spending, limits: spending }).describe("the same of any 24 hours"),
  backingOff: z.array(z.string()).describe("arms that are left alone for now, after failures"),
  banked: z
    .strictObject({ low: count, moderate: count, high: count })
    .describe("own outputs remembered for output recognition, by harm"),
  lastAnswerAt: milliseconds.nullable(),
});
export type ProbeStatus = z.infer<typeof probeStatus>;

export const subjectView = z.strictObject({
  id: z.string(),
  models: z.array(z.string()),
  route: z.string().nullable(),
  verdict: verdictView,
  scope: z
    .enum(["process", "fleet", "local"])
    .describe(
      "whose evidence the verdict rests on: of this process, the only one; of all replicas; or, as the shared log can't be reached, of all replicas until then and of this one alone since",
    ),
  summary: experimentSummary,
  probes: z
    .strictObject({ perHour: z.number(), paused: z.boolean(), status: probeStatus.nullable() })
    .nullable()
    .describe("null: switched off"),
  thresholds: z
    .strictObject({ ticket: z.number(), page: z.number(), action: z.number() })
    .describe("of harm evidence, natural logarithms"),
  fleet: z
    .strictObject({
      rank: z.number().int().min(1).describe("1 for the subject to look at first"),
      logEvidence: z
        .number()
        .nullable()
        .describe("harm evidence less what being one of many subjects costs; read it against `thresholds`"),
      severity: z.enum(severities).describe("what that reaches now; not latched"),
    })
    .describe("this subject among all of them (e-BH)"),
  live: z.strictObject({ sampleRate: z.number(), maxPerHour: count }),
});
export type SubjectView = z.infer<typeof subjectView>;

const tracePoint = z
  .strictObject({
    position,
    at: milliseconds,
    persona: z.enum(personas),
    severity: z.enum(severities),
    calibrating: z.boolean(),
    harmRate: interval,
    selfReport: interval,
    evidence: z.record(z.enum(tracedEvidence), z.number().nullable()),
  })
  .describe("the verdict at one position; rates since the change where there was one, else since calibration");

export const traceView = z.strictObject({
  subject: z.string(),
  points: z.array(tracePoint).describe("how the verdict came, within the present epoch, oldest first"),
  compared: z
    .array(z.strictObject({ dimension: z.enum(dimensions), name: z.string(), baseline: share, now: share }))
    .describe("while the baseline was learned, beside now: since the change, else the last 200 answers of each"),
});
export type TraceView = z.infer<typeof traceView>;

export const subjectList = z.strictObject({ subjects: z.array(subjectView) });

const nextPage = position.nullable().describe("give it as `before` to get the next page; null on the last one");

const verdictChange = z.strictObject({
  position,
  at: milliseconds,
  replica: z.string(),
  subject: z.string(),
  persona: z.string(),
  severity: z.string(),
  digest: z.string().describe("SHA-256, hex, over the canonical JSON of the whole verdict"),
  reasons: z.array(z.string()),
  method: count.exactOptional().describe("number of the method by which it was computed; none: 1"),
});

export const verdictPage = z.strictObject({ verdicts: z.array(verdictChange), next: nextPage });
export type VerdictPage = z.infer<typeof verdictPage>;

/** A row as it is in the log, but for the content, which never leaves by this API. */
const observationView = observation.omit({ kind: true, content: true }).extend({
  position,
  at: milliseconds,
  replica: z.string(),
  subject: z.string(),
  bucket: z.enum(harmBuckets).nullable(),
});

const chain = z
  .strictObject({ hash: z.string(), previous: z.string() })
  .nullable()
  .describe("SHA-256, hex, of this row and of the one before it; null while the row is not on disk");

/** One row with its place in the hash chain, to be compared with `candor verify`. */
export const observationDetail = observationView.extend({
  chain,
  contentKept: z.boolean().describe("whether the log holds the judged text, or an excerpt of it"),
});
export type ObservationDetail = z.infer<typeof observationDetail>;

export const observationPage = z.strictObject({ observations: z.array(observationView), next: nextPage });
export type ObservationPage = z.infer<typeof observationPage>;

const decisionView = decisionRecord.omit({ kind: true }).extend({
  position,
  at: milliseconds,
  replica: z.string(),
  subject: z.string().nullable().describe("null: traffic that belongs to none"),
});

export const decisionPage = z.strictObject({ decisions: z.array(decisionView), next: nextPage });
export type DecisionPage = z.infer<typeof decisionPage>;

export const decisionDetail = decisionView.extend({ chain });
export type DecisionDetail = z.infer<typeof decisionDetail>;

export const policyList = z.strictObject({
  policies: z.array(
    z.strictObject({
      id: z.string(),
      version: z.string().describe("hash of the policy's content, as findings name it"),
      description: z.string(),
      stage: z.enum(decisionStages),
      action: z.enum(decisionActions),
      mode: z.enum(["enforce", "shadow"]),
      where: z.strictObject({
        subjects: z.array(z.string()).nullable(),
        routes: z.array(z.string()).nullable(),
        carriers: z.array(z.string()).nullable(),
        personas: z.array(z.string()).nullable(),
      }),
      asked: count.describe("requests or answers that it was asked about since the process began"),
      enforced: count.describe("of these, those in which it found something and was in force"),
      would: count.describe("those in which it found something and was in shadow"),
      wouldChange: count.describe("of `would`, those that would have been decided otherwise had it been in force"),
      error: count.describe("those for which it could not be evaluated"),
    }),
  ),
});
export type PolicyList = z.infer<typeof policyList>;

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, `give a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.number().min(least, `give at least ${least}`).max(most, `give at most ${most}`));

const paging = {
  limit: wholeNumber(1, 500).exactOptional().describe("rows per page, 1-500; default 50"),
  before: wholeNumber(1, Number.MAX_SAFE_INTEGER).exactOptional().describe("only rows before this position"),
};

export const rowPath = z.strictObject({ position: wholeNumber(1, Number.MAX_SAFE_INTEGER) });

export const verdictQuery = z.strictObject({ subject: z.string().exactOptional(), ...paging });

export const observationQuery = z.strictObject({
  subject: z.string().exactOptional(),
  experiment: z.enum(experiments).exactOptional(),
  arm: z.enum(arms).exactOptional(),
  outcome: observation.shape.outcome.exactOptional(),
  harmful: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .exactOptional()
    .describe("only answers that were judged harmful, or judged not to be"),
  ...paging,
});

export const decisionQuery = z.strictObject({
  subject: z.string().exactOptional(),
  policy: z.string().min(1).max(64).exactOptional().describe("only decisions in which this policy found something"),
  action: z.enum(decisionActions).exactOptional(),
  result: z.enum(findingResults).exactOptional().describe("only decisions with a finding of this result"),
  ...paging,
});

const sentence = z.string().trim().min(1, "say why, in a sentence").max(1000, "use at most 1000 characters");

export const acknowledgeBody = z.strictObject({ note: sentence });
export const probesBody = z.strictObject({ paused: z.boolean(), note: sentence });
export const epochBody = z.strictObject({ reason: sentence });

export const changeResult = z
  .strictObject({
    subject: z.string(),
    position: position.describe("where the change stands in the evidence log"),
    at: milliseconds,
    actor: z.string().describe("id of the key that made the change, never the key"),
  })
  .describe("a change, as it was entered into the evidence log");
export type ChangeResult = z.infer<typeof changeResult>;

export const versionView = z.strictObject({ version: z.string(), node: z.string(), replica: z.string() });

export const healthView = z.strictObject({
  status: z.enum(["ok", "failing"]),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});
export type HealthView = z.infer<typeof healthView>;

export const errorView = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
  }),
});
export type ErrorView = z.infer<typeof errorView>;
