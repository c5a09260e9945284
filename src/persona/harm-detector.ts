/**
 * Has harm risen above its baseline? Bets on every judged answer against the null mean of its own stratum, in all strata
 * together and in each: M = 1/2 R_all + 1/2 sum of R_c, so that harm in one place is found as well as harm everywhere.
 * The starts of the strata add up to no more than the number of data, so M keeps the mean time between false alarms.
 */
import { countOne } from "./count.ts";
import { advance, type Bet, leadingBet } from "./e-process.ts";
import { addHarmlessness } from "./harmless.ts";
import { logSumExp } from "./log-space.ts";
import { type BaselineRules, learnRate } from "./rate-baseline.ts";
import { createStratum, type Mark, markAt, type PersonaState, type Stratum } from "./state.ts";
import type { Datum, DetectorSettings } from "./verdict.ts";

export type HarmDatum = Extract<Datum, { kind: "harm" }>;

export const stratumOf = (state: PersonaState, { stratum: name, channel }: HarmDatum): Stratum => {
  const known = state.strata.find((stratum) => stratum.name === name);
  if (known !== undefined) return known;
  const added = createStratum(name, channel);
  state.strata.push(added);
  return added;
};

const baselineRules = ({ calibration, tolerance }: DetectorSettings): BaselineRules => ({
  need: calibration.harm,
  alpha: calibration.alpha,
  ratchetEvery: calibration.ratchetEvery,
  // Not below 0.002 whatever the operator says: at a null mean near 0 a single harmful answer would be an alarm.
  floor: Math.max(0.002, tolerance),
});

/** Folds one judged answer in place. A stratum without a baseline learns, and gives no evidence. */
export const foldHarm = (state: PersonaState, stratum: Stratum, datum: HarmDatum, position: number): void => {
  const { settings } = state;
  const { harmful, channel } = datum;
  const { nullMean } = stratum.harm;
  if (nullMean !== null) {
    const mark = markAt(state, position, stratum);
    const x = harmful ? 1 : 0;
    advance(state.harmAll, x, nullMean, mark);
    advance(state.harmByChannel[channel], x, nullMean, mark);
    advance(stratum.detector, x, nullMean, mark);
    state.watched = countOne(state.watched, harmful);
    stratum.watched = countOne(stratum.watched, harmful);
    state.harmless = addHarmlessness(state.harmless, harmful, stratum.harm, 2 * Math.log(settings.naming));
  }
  state.judged = countOne(state.judged, harmful);
  learnRate(stratum.harm, harmful, baselineRules(settings));
};

/** log M: what ticket, page and action are read against. */
export const harmEvidence = ({ harmAll, strata }: PersonaState): number =>
  logSumExp([harmAll.logEvidence, ...strata.map(({ detector }) => detector.logEvidence)]) - Math.LN2;

/** The largest CUSUM twin, nats: about 0 or less while healthy. Not evidence for an alarm: it chooses what to ask next. */
export const harmSuspicion = ({ harmAll, strata }: PersonaState): number =>
  strata.reduce((largest, { detector }) => Math.max(largest, detector.logTwin), harmAll.logTwin);

/** The bet that has gained most since its mark, in all strata (`stratum` null) or in one. */
export const leadingHarm = ({ harmAll, strata }: PersonaState): { bet: Bet<Mark>; stratum: Stratum | null } => {
  let leading: { bet: Bet<Mark>; stratum: Stratum | null } = { bet: leadingBet(harmAll), stratum: null };
  for (const stratum of strata) {
    const bet = leadingBet(stratum.detector);
    if (bet.cusum > leading.bet.cusum) leading = { bet, stratum };
  }
  return leading;
};
