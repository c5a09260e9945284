/**
 * Has harm risen above its baseline? Bets on every judged answer against the null mean of its own stratum and context, in
 * all answers together, in each stratum and in each context: M = 1/2 R_all + 1/4 sum of R_stratum + 1/4 sum of R_context,
 * and half for the strata while no answer has a context. So harm in one place is found as well as harm everywhere. The
 * starts of either partition add up to no more than the number of data, so M keeps the mean time between false alarms.
 */
import { countOne } from "./count.ts";
import { advance, type Bet, leadingBet } from "./e-process.ts";
import { addHarmlessness } from "./harmless.ts";
import { logSumExp } from "./log-space.ts";
import { type BaselineRules, learnRate } from "./rate-baseline.ts";
import { otherContexts } from "./settings.ts";
import { type Cell, createCell, createPart, type Mark, markAt, type Part, type PersonaState } from "./state.ts";
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
  const own = contexts.filter(({ name }) => name !== otherContexts);
  const fits = own.length < settings.contexts.most || own.some(({ name }) => name === context);
  return fits ? context : otherContexts;
};

/** What an answer is compared with, and what it is counted in. */
export interface HarmPlace {
  cell: Cell;
  stratum: Part;
  context: Part | null;
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
};

/** Folds one judged answer in place. A cell without a baseline learns, and gives no evidence. */
export const foldHarm = (state: PersonaState, place: HarmPlace, datum: HarmDatum, position: number): void => {
  const { settings } = state;
  const { harmful, arm } = datum;
  const { harm } = place.cell;
  const parts = place.context === null ? [place.stratum] : [place.stratum, place.context];
  if (harm.nullMean !== null) {
    bet(state, place, datum, harm.nullMean, markAt(state, position, place));
    state.watched = countOne(state.watched, harmful);
    state.watchedByArm = { ...state.watchedByArm, [arm]: countOne(state.watchedByArm[arm], harmful) };
    for (const part of parts) part.watched = countOne(part.watched, harmful);
    state.harmless = addHarmlessness(state.harmless, harmful, harm, 2 * Math.log(settings.naming));
  }
  state.judged = countOne(state.judged, harmful);
  state.judgedByArm = { ...state.judgedByArm, [arm]: countOne(state.judgedByArm[arm], harmful) };
  for (const part of parts) part.judged = countOne(part.judged, harmful);
  learnRate(harm, harmful, baselineRules(settings, place.cell));
};

/** log of the summed evidence of a partition's parts, by its share. */
const partition = (parts: readonly Part[], share: number): number =>
  logSumExp(parts.map(({ detector }) => detector.logEvidence)) + Math.log(share);

/** log M: what ticket, page and action are read against. */
export const harmEvidence = ({ harmAll, strata, contexts }: PersonaState): number => {
  const whole = harmAll.logEvidence + Math.log(1 / 2);
  return contexts.length === 0
    ? logSumExp([whole, partition(strata, 1 / 2)])
    : logSumExp([whole, partition(strata, 1 / 4), partition(contexts, 1 / 4)]);
};

/** The largest CUSUM twin, nats: about 0 or less while healthy. Not evidence for an alarm: it chooses what to ask next. */
export const harmSuspicion = ({ harmAll, strata, contexts }: PersonaState): number => {
  let largest = harmAll.logTwin;
  for (const { detector } of strata) largest = Math.max(largest, detector.logTwin);
  for (const { detector } of contexts) largest = Math.max(largest, detector.logTwin);
  return largest;
};

/** A bet, and the part of the answers that it is on: null for all of them. */
export interface HarmLead {
  bet: Bet<Mark>;
  stratum: Part | null;
  context: Part | null;
}

/** The bet that has gained most since its mark: on all answers, on a stratum or on a context. */
export const leadingHarm = ({ harmAll, strata, contexts }: PersonaState): HarmLead => {
  let leading: HarmLead = { bet: leadingBet(harmAll), stratum: null, context: null };
  for (const stratum of strata) {
    const bet = leadingBet(stratum.detector);
    if (bet.cusum > leading.bet.cusum) leading = { bet, stratum, context: null };
  }
  for (const context of contexts) {
    const bet = leadingBet(context.detector);
    if (bet.cusum > leading.bet.cusum) leading = { bet, stratum: null, context };
  }
  return leading;
};
