/**
 * Everything that the detector remembers of one subject: plain data, no functions, safe to clone structurally. Owned by
 * the fold that steps it.
 */
import { type CanaryWatch, createCanary } from "./canary.ts";
import { type Count, nothing } from "./count.ts";
import { createEDetector, type EDetector } from "./e-process.ts";
import type { Harmlessness } from "./harmless.ts";
import { createIdentity, type IdentityTally } from "./identity.ts";
import { createRateBaseline, type RateBaseline } from "./rate-baseline.ts";
import { noReports, type ReportTally } from "./self-report.ts";
import { method as currentMethod, driftStakes, rateStakes } from "./settings.ts";
import type { Channel, DetectorSettings, EvidenceName, HarmArm, Persona, ReportForm, Severity } from "./verdict.ts";

/** The world before the datum at which a change may have begun: differences to it are "since the change". */
export interface Mark {
  /** Log position of the first datum of the change. */
  readonly position: number;
  readonly reports: ReportTally;
  /** Judged answers of strata that had a baseline. */
  readonly harm: Count;
  /** The same within the stratum and the context of that datum, and in each arm. */
  readonly stratum: Count;
  readonly context: Count;
  /** The same of the replica of that datum, and what it had been told of itself. */
  readonly replica: Count;
  readonly replicaReports: ReportTally;
  readonly arms: ArmCounts;
  /** Harmlessness sum. */
  readonly harmless: number;
}

/** Data that share a baseline: one context within one stratum. */
export interface Cell {
  stratum: string;
  context: string | null;
  /** Where its first datum was seen. */
  channel: Channel;
  harm: RateBaseline;
  refusals: RateBaseline;
  /** The complement of refusals, to see them vanish. */
  compliance: RateBaseline;
}

/** Answers that are also bet on by themselves: a stratum with all its contexts, or a context with all its strata. */
export interface Part {
  name: string;
  judged: Count;
  /** Judged answers of cells that had a baseline. */
  watched: Count;
  detector: EDetector<Mark>;
}

/** What one replica saw and was told. Its answers have no baseline of their own: it is held against that of all. */
export interface ReplicaPart extends Part {
  reports: ReportTally;
  /** Judged answers of the epoch when it was last seen. */
  seenAt: number;
}

type ProbeArm = Exclude<HarmArm, "live">;

export type ArmCounts = Readonly<Record<HarmArm, Count>>;

/** What the frozen answers say of the judge. */
export interface JudgeWatch {
  /** Frozen harmless answers that are called harmful, and frozen harmful ones that are not. */
  falseAlarms: RateBaseline;
  misses: RateBaseline;
  stricter: EDetector<null>;
  laxer: EDetector<null>;
  /** Judged answers of the subject in this epoch. */
  answers: number;
  /** `answers` when harm first alarmed, and when evidence that the judge is stricter last stood at its threshold. */
  alarmedAt: number | null;
  strictAt: number | null;
  /** Latched until acknowledged: the judge moved about when harm alarmed. */
  moved: { position: number; logEvidence: number } | null;
}

/** The evidence processes that can raise an alarm. */
export type AlarmSource = Extract<
  EvidenceName,
  "harm" | "self-report-drift" | "unanswered-up" | "refusals-up" | "refusals-down" | "judge-stricter" | "judge-laxer"
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
  /** Number of the method by which its baselines are learned. */
  method: number;
  /** Log position of the last datum; 0 before the first. */
  position: number;
  cells: Cell[];
  strata: Part[];
  contexts: Part[];
  /** The first replica, and all of them from when there was a second one. */
  firstReplica: string | null;
  replicas: ReplicaPart[];
  /** Where all evidence began: at the last acknowledgement, or at position 0. */
  evidenceFrom: Mark;
  /** Harm in all strata together, and by channel. */
  harmAll: EDetector<Mark>;
  harmByChannel: Record<Channel, EDetector<Mark>>;
  /** The arms that make up the probes. */
  harmByArm: Record<ProbeArm, EDetector<Mark>>;
  /** All judged answers of this epoch, those of calibration included. */
  judged: Count;
  judgedByArm: ArmCounts;
  /** Judged answers of cells that had a baseline. */
  watched: Count;
  watchedByArm: ArmCounts;
  placebo: { readonly n: number; readonly total: number };
  judge: JudgeWatch;
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
  canary: CanaryWatch<Mark>;
  identity: IdentityTally;
}

const noArms: ArmCounts = { fresh: nothing, forked: nothing, resample: nothing, live: nothing };

const origin: Mark = {
  position: 0,
  reports: noReports,
  harm: nothing,
  stratum: nothing,
  context: nothing,
  replica: nothing,
  replicaReports: noReports,
  arms: noArms,
  harmless: 0,
};

type Evidence = Pick<
  PersonaState,
  | "evidenceFrom"
  | "harmAll"
  | "harmByChannel"
  | "harmByArm"
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
  harmByArm: {
    fresh: createEDetector(rateStakes, from),
    forked: createEDetector(rateStakes, from),
    resample: createEDetector(rateStakes, from),
  },
  harmless: { sum: from.harmless, recent: 0 },
  drift: createEDetector(driftStakes, from),
  unansweredUp: createEDetector(rateStakes, from),
  refusalsUp: createEDetector(rateStakes, from),
  refusalsDown: createEDetector(rateStakes, from),
  alarms: [],
  naming: null,
});

/** What an acknowledgement sets back of the judge's watch. */
export const freshJudgeEvidence = (): Omit<JudgeWatch, "falseAlarms" | "misses" | "answers"> => ({
  stricter: createEDetector(rateStakes, null),
  laxer: createEDetector(rateStakes, null),
  alarmedAt: null,
  strictAt: null,
  moved: null,
});

/** A subject of which nothing is known yet; every baseline is to be learned. */
/** @param method by which its epoch began; an epoch keeps it, so that an older log gives what it gave */
export const createState = (settings: DetectorSettings, method: number = currentMethod): PersonaState => ({
  settings,
  method,
  position: 0,
  cells: [],
  strata: [],
  contexts: [],
  firstReplica: null,
  replicas: [],
  judged: nothing,
  judgedByArm: noArms,
  watched: nothing,
  watchedByArm: noArms,
  placebo: { n: 0, total: 0 },
  judge: { falseAlarms: createRateBaseline(), misses: createRateBaseline(), answers: 0, ...freshJudgeEvidence() },
  reports: noReports,
  reportNullMeans: { choice: null, recognition: null, rating: null },
  unanswered: createRateBaseline(),
  changes: { count: 0, inView: false },
  canary: createCanary(),
  identity: createIdentity(),
  ...freshEvidence(origin),
});

export const createCell = (stratum: string, context: string | null, channel: Channel): Cell => ({
  stratum,
  context,
  channel,
  harm: createRateBaseline(),
  refusals: createRateBaseline(),
  compliance: createRateBaseline(),
});

/** @param from the world before its first datum */
export const createPart = (name: string, from: Mark): Part => ({
  name,
  judged: nothing,
  watched: nothing,
  detector: createEDetector(rateStakes, from),
});

/** @param from the world before its first datum */
export const createReplicaPart = (name: string, from: Mark, seenAt: number): ReplicaPart => ({
  ...createPart(name, from),
  reports: noReports,
  seenAt,
});

/** Where a judged answer belongs. */
export interface Place {
  stratum: Part | null;
  context: Part | null;
  replica: ReplicaPart | null;
}

const nowhere: Place = { stratum: null, context: null, replica: null };

/** The world as it is before the next datum. @param place of that datum; nowhere for what is no judged answer */
export const markAt = (state: PersonaState, position: number, place: Place = nowhere): Mark => ({
  position,
  reports: state.reports,
  harm: state.watched,
  stratum: place.stratum?.watched ?? nothing,
  context: place.context?.watched ?? nothing,
  replica: place.replica?.watched ?? nothing,
  replicaReports: place.replica?.reports ?? noReports,
  arms: state.watchedByArm,
  harmless: state.harmless.sum,
});
