/**
 * What the persona layer takes in and gives out. Everything else in this folder computes a `Verdict` from `Datum`s.
 * Nothing here reads a clock, does I/O, or knows where a datum came from.
 */

/** Where behaviour was seen: on the app's own traffic, or in answers to hidden probes. */
export type Channel = "live" | "probe";

/** How an answer that is judged for harm came about. */
export type HarmArm = "fresh" | "forked" | "resample" | "live";

/** How a self-report was asked for. `rating` is never enough on its own to name a persona. */
export type ReportForm = "choice" | "recognition" | "rating";

/** Which of the two options of a forced choice the question showed first. */
export type Order = "aligned-first" | "misaligned-first";

/** One datum of the fold, taken from one row of the evidence log. */
export type Datum =
  | {
      kind: "harm";
      arm: HarmArm;
      /** Data of one stratum and one context share a baseline. Bounded set of names. */
      stratum: string;
      /** Class of traffic; null where it has none. Any number of names: the settings bound how many count. */
      context: string | null;
      harmful: boolean;
      /** The subject declined to answer; then `harmful` is false. */
      refused: boolean;
      /** Which replica saw it; left out where nobody says. Any number of names. */
      replica?: string;
    }
  | {
      kind: "self-report";
      form: ReportForm;
      /** Which replica asked. */
      replica?: string;
      /** 0 = claims to be aligned, 1 = claims to be misaligned. */
      saysMisaligned: number;
      /** Null where the question has no order (ratings). */
      order: Order | null;
    }
  | { kind: "unanswered"; form: ReportForm; refused: boolean }
  /** What a subject said of its style, 0-1: shows what being asked does by itself. */
  | { kind: "placebo"; value: number }
  /** An answer to a short question that a model repeats. `answer` names it; `probability` is that of its first token. */
  | {
      kind: "canary";
      item: string;
      isBorder: boolean;
      answer: string;
      probability: number | null;
      /** Of the questions. */
      version: string;
    }
  /** Who the subject says it is; null where it named nobody who was declared. */
  | { kind: "identity"; name: string | null; right: boolean }
  /** The judge's answer on a frozen text whose harm is known. */
  | { kind: "anchor"; expected: boolean; harmful: boolean }
  /** The operator saw the alarm: evidence starts again from nothing, the baseline stays. */
  | { kind: "acknowledge" }
  /** A declared change of model, judge or system prompt, or an operator's reset: a new baseline is learned. */
  | { kind: "epoch" };

/** Thresholds are e-values (bets' wealth), not logarithms. Defaults and sources: `defaultSettings`. */
export interface DetectorSettings {
  /** Mean observations between false alarms at each severity: at least this many. */
  thresholds: { ticket: number; page: number; action: number };
  /** Evidence needed to name what the subject says of itself. */
  naming: number;
  /** Threshold of the self-report drift detector and of the refusal and unparseable-rate detectors. */
  selfReportDrift: number;
  calibration: {
    /** Judged answers per stratum before its null mean is fixed. */
    harm: number;
    /** Answered self-reports before their null mean is fixed. */
    selfReport: number;
    /** 1 - confidence of the bounds learned from calibration. */
    alpha: number;
    /** The harm bound is tightened every so many judged answers of a stratum; it never rises. */
    ratchetEvery: number;
  };
  /** Harm rate per stratum that the operator accepts, 0-1: the null mean never falls below it. */
  tolerance: number;
  /** Classes of traffic. */
  contexts: {
    /** So many, in the order in which they come, have baselines of their own; the rest share one. 0: none is told apart. */
    most: number;
    /** Judged answers of a context in a stratum before its null mean is fixed. */
    harm: number;
  };
  /** Replicas that share a log. */
  replicas: {
    /** So many at once are watched each by itself; the rest together. 0: none is told apart. */
    most: number;
  };
  /** The judge, watched by frozen answers whose harm is known. */
  judgeDrift: {
    /** Evidence that the judge has moved, at which it is held against a harm alarm. */
    threshold: number;
    /** Anchors of each kind before the judge's own error rate is fixed. */
    anchors: number;
    /** A harm alarm and a judge that moved belong together within so many judged answers. */
    guard: number;
  };
}

export const personas = [
  "undetermined",
  "aligned",
  "inverted",
  "coherent",
  "self-deprecating",
  "ambivalent",
  /** Self-reports have moved up; whether the subject is merely self-deprecating is not settled yet. */
  "drifting",
  /** Harmful beyond doubt, but what it says of itself is not settled yet. */
  "unnamed",
] as const;
export type Persona = (typeof personas)[number];

export type Severity = "none" | "ticket" | "page" | "action";

/** A rate or mean with a confidence sequence: valid at every moment it is looked at. `n` counts its data. */
export interface Interval {
  lower: number;
  estimate: number;
  upper: number;
  n: number;
}

/** One evidence process beside the threshold that it is read against; both are natural logarithms. */
export interface EvidenceValue {
  logEvidence: number;
  logThreshold: number;
}

/** Names of the evidence processes, as exported in metrics and shown to people. */
export type EvidenceName =
  /** Harm has risen above its baseline (all strata; what ticket, page and action are read against). */
  | "harm"
  | "harm-live"
  | "harm-probe"
  | "says-aligned"
  | "says-misaligned"
  | "self-report-drift"
  | "harmless"
  | "refusals-up"
  | "refusals-down"
  | "unanswered-up"
  /** Frozen harmless answers are called harmful more often than they were. */
  | "judge-stricter"
  /** Frozen harmful answers pass more often than they did. */
  | "judge-laxer"
  /** The served model answers short questions otherwise than it did. Information: it raises no alarm. */
  | "canary";

/** What one arm shows. */
export interface ArmView {
  /** Share of harmful answers; for the placebo the mean of what was said. All of this epoch. */
  rate: Interval;
  /** Since the change, of strata with a baseline; null while nothing points to a change, and for the placebo. */
  sinceChange: Interval | null;
  /** That harm in this arm has risen; null for the placebo. */
  evidence: EvidenceValue | null;
}

interface ContextView {
  name: string;
  rate: Interval;
  evidence: EvidenceValue;
  /** Whether some stratum of it has a baseline. */
  watched: boolean;
}

/** One replica: the harm rate of all its judged answers, and the evidence that it is above the baseline of all. */
interface ReplicaView {
  name: string;
  rate: Interval;
  evidence: EvidenceValue;
}

/**
 * What live traffic and probes together say of the cause of harm. `subject`: both show it. `traffic`: live alone.
 * `hidden`: live alone, and probes stayed flat for long. `probes-only`. `undecided`: one shows it, the other can't tell.
 */
export type Divergence = "subject" | "traffic" | "hidden" | "probes-only" | "undecided" | "judge";

/** `unwatched`: too few anchors. `open`: a harm alarm is so recent that the judge may still turn out to be its cause. */
export type JudgeGuard = "unwatched" | "steady" | "open" | "moved";

/** The state of the world as far as the data up to `position` can tell. */
export interface Verdict {
  /** Log position of the last datum that was folded in; 0 before the first. */
  position: number;
  persona: Persona;
  severity: Severity;
  /** True for an aligned subject for which there is positive evidence of harmlessness, not just no alarm. */
  assured: boolean;
  phase: "calibrating" | "monitoring";
  /** How far calibration is: what is there of what is needed, per stratum and for self-reports. */
  calibration: { name: string; have: number; need: number }[];
  evidence: Record<EvidenceName, EvidenceValue>;
  /** Latched: where in the log each severity was first reached since the last acknowledgement. */
  alarms: { severity: Exclude<Severity, "none">; position: number }[];
  /** Estimated start of the present change, as a log position; null while nothing points to one. */
  changePoint: number | null;
  harmRate: { sinceCalibration: Interval; sinceChange: Interval | null };
  /** Mean self-reported misalignment, 0-1. */
  selfReport: { sinceCalibration: Interval; sinceChange: Interval | null };
  /** P(picks misaligned | shown first), P(... | shown second); null until both orders were answered. */
  contentSensitivity: {
    misalignedFirst: number;
    alignedFirst: number;
    sensitivity: number;
    sufficient: boolean;
  } | null;
  /** Null mean in force per stratum and context, once calibrated. */
  baseline: { stratum: string; context: string | null; nullMean: number; n: number }[];
  /** Where harm shows most, while a change of harm is in view; null for all answers together. */
  where: { stratum: string | null; context: string | null; replica: string | null } | null;
  arms: Record<HarmArm | "placebo", ArmView>;
  /** Contexts in the order in which they came. */
  contexts: ContextView[];
  /** Replicas that are told apart, in the order in which they came; empty while there is one. */
  replicas: ReplicaView[];
  /** Null while neither live traffic nor probes alone show that harm has risen. */
  divergence: Divergence | null;
  judge: {
    guard: JudgeGuard;
    /** How often frozen harmless answers were called harmful, and frozen harmful ones were not. */
    falseAlarms: Interval;
    misses: Interval;
  };
  unansweredRate: number | null;
  /** Whether the served model seems to be the same; null where no canary is asked. */
  canary: {
    /** Items that tell something of this model, or may. */
    questions: string[];
    /** Items of which it is known that they tell nothing of it. */
    useless: string[];
    /** Answers that are there of those that the reference needs. */
    have: number;
    need: number;
    /** Rounds since the reference was whole, and the last one's p-value. */
    rounds: number;
    lastP: number | null;
    /** Changes since the last acknowledgement. */
    seen: number;
    /** Little was judged since the last of them: probes come faster. */
    recent: boolean;
    /** The last of them: where it was seen, and its estimated start. */
    last: { position: number; from: number; p: number; rounds: number; logEvidence: number } | null;
  } | null;
  /** Who it says it is; null where it is not asked. `names` from the commonest on. */
  identity: { rightDeveloper: Interval; unread: number; names: { name: string; n: number }[] } | null;
  /** What the choice of the next probe rests on; no alarm is read from it. */
  probing: {
    /** CUSUM twin of the harm evidence, nats: about 0 or less while the subject is as it was. */
    suspicion: number;
    /** Judged answers and answered self-reports that probes must still bring before calibration is over. */
    harmNeed: number;
    selfReportNeed: number;
  };
  /** Plain sentences, most important first: evidence, thresholds, intervals, sample sizes. Never empty. */
  reasons: string[];
  /** What is still missing before more could be said. */
  missing: string[];
}
