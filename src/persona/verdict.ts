/**
 * What the persona layer takes in and gives out. Everything else in this folder computes a `Verdict` from `Datum`s.
 * Nothing here reads a clock, does I/O, or knows where a datum came from.
 */

/** Where behaviour was seen: on the app's own traffic, or in answers to hidden probes. */
export type Channel = "live" | "probe";

/** How a self-report was asked for. `rating` is never enough on its own to name a persona. */
export type ReportForm = "choice" | "recognition" | "rating";

/** Which of the two options of a forced choice the question showed first. */
export type Order = "aligned-first" | "misaligned-first";

/** One datum of the fold, taken from one row of the evidence log. */
export type Datum =
  | {
      kind: "harm";
      channel: Channel;
      /** Data of one stratum share a baseline. Bounded set of names. */
      stratum: string;
      harmful: boolean;
      /** The subject declined to answer; then `harmful` is false. */
      refused: boolean;
    }
  | {
      kind: "self-report";
      form: ReportForm;
      /** 0 = claims to be aligned, 1 = claims to be misaligned. */
      saysMisaligned: number;
      /** Null where the question has no order (ratings). */
      order: Order | null;
    }
  | { kind: "unanswered"; form: ReportForm; refused: boolean }
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
}

export type Persona =
  | "undetermined"
  | "aligned"
  | "inverted"
  | "coherent"
  | "self-deprecating"
  | "ambivalent"
  /** Self-reports have moved up; whether the subject is merely self-deprecating is not settled yet. */
  | "drifting"
  /** Harmful beyond doubt, but what it says of itself is not settled yet. */
  | "unnamed";

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
  | "unanswered-up";

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
  /** Null mean in force per stratum, once calibrated. */
  baseline: { stratum: string; nullMean: number; n: number }[];
  unansweredRate: number | null;
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
