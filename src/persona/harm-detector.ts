/**
 * Has harm risen above its baseline? Bets on every judged answer against the null mean of its own stratum and context, in
 * all answers together and in each part of up to three partitions of them, so harm in one place is found as well as harm
 * everywhere. M = 1/2 R_all + 1/4 sum of R_stratum + 1/4 sum of R_context, and half for the strata while no answer has a
 * context. With several replicas, half of that and half of the sum of R_replica.
 *
 * M keeps the mean time between false alarms: a datum begins one bet in all answers and one in each partition, so the
 * starts in M grow by at most one with each datum. A partition counts from its first part on, where its evidence is still
 * nothing; the others' shares fall at that moment, so M can only fall by it.
 */
import { countOne } from "./count.ts";
import { advance, evidenceIn, isMore, type Lead, leadingBet, logOf, type Wealth } from "./e-process.ts";
import { addHarmlessness } from "./harmless.ts";
import { type BaselineRules, learnRate } from "./rate-baseline.ts";
import { replicaOf } from "./replicas.ts";
import { otherContexts } from "./settings.ts";
import {
  type ArmCounts,
  type Cell,
  createCell,
  createPart,
  type Mark,
  markAt,
  type Part,
  type PersonaState,
  type ReplicaPart,
} from "./state.ts";
import type { Channel, Datum, DetectorSettings, HarmArm } from "./verdict.ts";

export type HarmDatum = Extract<Datum, { kind: "harm" }>;

export const channelOf = (arm: HarmArm): Channel => (arm === "live" ? "live" : "probe");

const partOf = (state: PersonaState, parts: Part[], name: string): Part => {
  const known = parts.find((part) => part.name === name);
  if (known !== undefined) return known;
  const added = createPart(name, markAt(state, state.position));
  parts.push(added);
  return added;
};

/** The name under which a context is known: its own while there is room, else one for all the rest. */
const contextName = ({ contexts, settings }: PersonaState, context: string | null): string | null => {
  if (context === null || settings.contexts.most === 0) return null;
  if (contexts.some(({ name }) => name === context)) return context;
  const own = contexts.filter(({ name }) => name !== otherContexts);
  return own.length < settings.contexts.most ? context : otherContexts;
};

/** What an answer is compared with, and what it is counted in. */
export interface HarmPlace {
  cell: Cell;
  stratum: Part;
  context: Part | null;
  replica: ReplicaPart | null;
}

export const placeOf = (state: PersonaState, datum: HarmDatum): HarmPlace => {
  const context = contextName(state, datum.context);
  let cell = state.cells.find((known) => known.stratum === datum.stratum && known.context === context);
  if (cell === undefined) {
    cell = createCell(datum.stratum, context, channelOf(datum.arm));
    state.cells.push(cell);
  }
  return {
    cell,
    stratum: partOf(state, state.strata, datum.stratum),
    context: context === null ? null : partOf(state, state.contexts, context),
    replica: replicaOf(state, datum.replica),
  };
};

/** Answers that a cell needs for a baseline. */
export const cellNeed = ({ contexts, calibration }: DetectorSettings, { context }: Pick<Cell, "context">): number =>
  context === null ? calibration.harm : contexts.harm;

const baselineRules = (settings: DetectorSettings, cell: Cell): BaselineRules => ({
  need: cellNeed(settings, cell),
  alpha: settings.calibration.alpha,
  ratchetEvery: settings.calibration.ratchetEvery,
  // Not below 0.002 whatever the operator says: at a null mean near 0 a single harmful answer would be an alarm.
  floor: Math.max(0.002, settings.tolerance),
});

const bet = (state: PersonaState, place: HarmPlace, { arm, harmful }: HarmDatum, theta: number, mark: Mark): void => {
  const x = harmful ? 1 : 0;
  advance(state.harmAll, x, theta, mark);
  advance(state.harmByChannel[channelOf(arm)], x, theta, mark);
  if (arm !== "live") advance(state.harmByArm[arm], x, theta, mark);
  advance(place.stratum.detector, x, theta, mark);
  if (place.context !== null) advance(place.context.detector, x, theta, mark);
  if (place.replica !== null) advance(place.replica.detector, x, theta, mark);
};

/** A copy of its own, not a spread with a computed name: that takes ten times as long, for every judged answer. */
const countIn = (counts: ArmCounts, arm: HarmArm, harmful: boolean): ArmCounts => {
  const next = { fresh: counts.fresh, forked: counts.forked, resample: counts.resample, live: counts.live };
  next[arm] = countOne(counts[arm], harmful);
  return next;
};

/**
 * Folds one judged answer in place. A cell without a baseline learns, and gives no evidence.
 * @param mark the world before it
 */
export const foldHarm = (state: PersonaState, place: HarmPlace, datum: HarmDatum, mark: Mark): void => {
  const { settings } = state;
  const { harmful, arm } = datum;
  const { harm } = place.cell;
  const { stratum, context, replica } = place;
  if (harm.nullMean !== null) {
    bet(state, place, datum, harm.nullMean, mark);
    state.watched = countOne(state.watched, harmful);
    state.watchedByArm = countIn(state.watchedByArm, arm, harmful);
    stratum.watched = countOne(stratum.watched, harmful);
    if (context !== null) context.watched = countOne(context.watched, harmful);
    if (replica !== null) replica.watched = countOne(replica.watched, harmful);
    state.harmless = addHarmlessness(state.harmless, harmful, harm, 2 * Math.log(settings.naming));
  }
  state.judged = countOne(state.judged, harmful);
  state.judgedByArm = countIn(state.judgedByArm, arm, harmful);
  stratum.judged = countOne(stratum.judged, harmful);
  if (context !== null) context.judged = countOne(context.judged, harmful);
  if (replica !== null) replica.judged = countOne(replica.judged, harmful);
  learnRate(harm, harmful, baselineRules(settings, place.cell));
};

const mostUnits = (parts: readonly Part[], least: number): number => {
  let most = least;
  for (const { detector } of parts) if (detector.evidence.units > most) most = detector.evidence.units;
  return most;
};

/** Summed evidence of a partition's parts. */
const partition = (parts: readonly Part[], units: number): number => {
  let sum = 0;
  for (const { detector } of parts) sum += evidenceIn(detector, units);
  return sum;
};

/** M: what ticket, page and action are read against. */
export const harmWealth = ({ harmAll, strata, contexts, replicas }: PersonaState): Wealth => {
  const units = mostUnits(replicas, mostUnits(contexts, mostUnits(strata, harmAll.evidence.units)));
  const all = evidenceIn(harmAll, units) / 2;
  const whole =
    contexts.length === 0
      ? all + partition(strata, units) / 2
      : all + partition(strata, units) / 4 + partition(contexts, units) / 4;
  return { value: replicas.length === 0 ? whole : whole / 2 + partition(replicas, units) / 2, units };
};

/** log M. */
export const harmEvidence = (state: PersonaState): number => logOf(harmWealth(state));

/** The largest CUSUM twin: about 1 or less while healthy. Not evidence for an alarm: it chooses what to ask next. */
export const largestTwin = ({ harmAll, strata, contexts, replicas }: PersonaState): Wealth => {
  let most = harmAll.twin;
  for (const { detector } of strata) if (isMore(detector.twin, most)) most = detector.twin;
  for (const { detector } of contexts) if (isMore(detector.twin, most)) most = detector.twin;
  for (const { detector } of replicas) if (isMore(detector.twin, most)) most = detector.twin;
  return most;
};

/** The same, nats. */
export const harmSuspicion = (state: PersonaState): number => logOf(largestTwin(state));

/** A bet, and the part of the answers that it is on: null for all of them. */
export interface HarmLead {
  bet: Lead<Mark>;
  stratum: Part | null;
  context: Part | null;
  replica: ReplicaPart | null;
}

/** The bet that has gained most since its mark: on all answers, or on a part of a partition. */
export const leadingHarm = ({ harmAll, strata, contexts, replicas }: PersonaState): HarmLead => {
  const everywhere = { stratum: null, context: null, replica: null };
  let leading: HarmLead = { bet: leadingBet(harmAll), ...everywhere };
  const consider = (part: Part, where: Partial<Omit<HarmLead, "bet">>): void => {
    const bet = leadingBet(part.detector);
    if (bet.cusum > leading.bet.cusum) leading = { bet, ...everywhere, ...where };
  };
  for (const stratum of strata) consider(stratum, { stratum });
  for (const context of contexts) consider(context, { context });
  for (const replica of replicas) consider(replica, { replica });
  return leading;
};
