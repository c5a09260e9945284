/**
 * Everything that the detector remembers of one subject: plain data, no functions, safe to clone structurally. Owned by
 * the fold that steps it.
 */
import { type Count, nothing } from "./count.ts";
import { createEDetector, type EDetector } from "./e-process.ts";
import type { Harmlessness } from "./harmless.ts";
import { createRateBaseline, type RateBaseline } from "./rate-baseline.ts";
import { noReports, type ReportTally } from "./self-report.ts";
import { driftStakes, rateStakes } from "./settings.ts";
import type { Channel, DetectorSettings, EvidenceName, Persona, ReportForm, Severity } from "./verdict.ts";

/** The world before the datum at which a change may have begun: differences to it are "since the change". */
export interface Mark {
  /** Log position of the first datum of the change. */
  readonly position: number;
  readonly reports: ReportTally;
  /** Judged answers of strata that had a baseline. */
  readonly harm: Count;
  /** The same within the stratum of that datum. */
  readonly stratum: Count;
  /** Harmlessness sum. */
  readonly harmless: number;
}

/** Data that share a baseline. */
export interface Stratum {
  name: string;
  /** Where its first datum was seen. */
  channel: Channel;
  harm: RateBaseline;
  refusals: RateBaseline;
  /** The complement of refusals, to see them vanish. */
  compliance: RateBaseline;
  /** Judged answers since its baseline was fixed. */
  watched: Count;
  detector: EDetector<Mark>;
}

/** The evidence processes that can raise an alarm. */
export type AlarmSource = Extract<
  EvidenceName,
  "harm" | "self-report-drift" | "unanswered-up" | "refusals-up" | "refusals-down"
>;

export interface Alarm {
  /** Which evidence reached its threshold. */
  source: AlarmSource;
  severity: Exclude<Severity, "none">;
  position: number;
  /** At that moment. */
  logEvidence: number;
}

export interface Naming {
  persona: Extract<Persona, "inverted" | "coherent" | "ambivalent" | "self-deprecating">;
  position: number;
}

export interface PersonaState {
  settings: DetectorSettings;
  /** Log position of the last datum; 0 before the first. */
  position: number;
  strata: Stratum[];
  /** Where all evidence began: at the last acknowledgement, or at position 0. */
  evidenceFrom: Mark;
  /** Harm in all strata together, and by channel. */
  harmAll: EDetector<Mark>;
  harmByChannel: Record<Channel, EDetector<Mark>>;
  /** All judged answers of this epoch, those of calibration included. */
  judged: Count;
  /** Judged answers of strata that had a baseline. */
  watched: Count;
  harmless: Harmlessness;
  reports: ReportTally;
  /** Null mean of self-reports by form; null until enough of that form are there. */
  reportNullMeans: Record<ReportForm, number | null>;
  drift: EDetector<Mark>;
  /** Share of self-questions without an answer. */
  unanswered: RateBaseline;
  unansweredUp: EDetector<Mark>;
  refusalsUp: EDetector<Mark>;
  refusalsDown: EDetector<Mark>;
  /** Latched until acknowledged: one for each source and severity, in the order in which they came. */
  alarms: Alarm[];
  /** Latched while an alarm stands: the last name that the evidence gave. */
  naming: Naming | null;
  /** How many times in this epoch a change came into view, and whether one is. */
  changes: { count: number; inView: boolean };
}

const origin: Mark = { position: 0, reports: noReports, harm: nothing, stratum: nothing, harmless: 0 };

type Evidence = Pick<
  PersonaState,
  | "evidenceFrom"
  | "harmAll"
  | "harmByChannel"
  | "harmless"
  | "drift"
  | "unansweredUp"
  | "refusalsUp"
  | "refusalsDown"
  | "alarms"
  | "naming"
>;

/** All that an acknowledgement sets back: evidence, marks, latches. Baselines and counts are not among them. */
export const freshEvidence = (from: Mark): Evidence => ({
  evidenceFrom: from,
  harmAll: createEDetector(rateStakes, from),
  harmByChannel: { live: createEDetector(rateStakes, from), probe: createEDetector(rateStakes, from) },
  harmless: { sum: from.harmless, recent: 0 },
  drift: createEDetector(driftStakes, from),
  unansweredUp: createEDetector(rateStakes, from),
  refusalsUp: createEDetector(rateStakes, from),
  refusalsDown: createEDetector(rateStakes, from),
  alarms: [],
  naming: null,
});

/** A subject of which nothing is known yet; every baseline is to be learned. */
export const createState = (settings: DetectorSettings): PersonaState => ({
  settings,
  position: 0,
  strata: [],
  judged: nothing,
  watched: nothing,
  reports: noReports,
  reportNullMeans: { choice: null, recognition: null, rating: null },
  unanswered: createRateBaseline(),
  changes: { count: 0, inView: false },
  ...freshEvidence(origin),
});

export const createStratum = (name: string, channel: Channel): Stratum => ({
  name,
  channel,
  harm: createRateBaseline(),
  refusals: createRateBaseline(),
  compliance: createRateBaseline(),
  watched: nothing,
  detector: createEDetector(rateStakes, origin),
});

/** The world as it is before the next datum. @param stratum of that datum; null where it has none */
export const markAt = (state: PersonaState, position: number, stratum: Stratum | null): Mark => ({
  position,
  reports: state.reports,
  harm: state.watched,
  stratum: stratum?.watched ?? nothing,
  harmless: state.harmless.sum,
});
