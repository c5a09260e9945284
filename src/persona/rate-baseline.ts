/**
 * What is normal for one yes-or-no rate: learned from the first answers, then only ever tightened, so that a slow ramp
 * can't teach the monitor that more is normal. Gives a null mean that is fixed before the next datum is seen.
 */
import { anytimeUpper, clopperPearsonUpper } from "./bounds.ts";

export interface RateBaseline {
  /** Data so far, those of calibration included. */
  n: number;
  hits: number;
  /** Null mean in force, null until `need` data are there. */
  nullMean: number | null;
  /** Rate during calibration, kept off 0 and 1; null until then. */
  learned: number | null;
}

export interface BaselineRules {
  /** Data before the null mean is fixed. */
  need: number;
  /** 1 - confidence of the bounds. */
  alpha: number;
  /** Data between two tightenings. */
  ratchetEvery: number;
  /** The null mean never falls below this: a rate that is accepted anyway. Above 0. */
  floor: number;
}

export const createRateBaseline = (): RateBaseline => ({ n: 0, hits: 0, nullMean: null, learned: null });

/** Folds one datum in place. Call it after the datum has been bet on with the null mean that was in force. */
export const learnRate = (baseline: RateBaseline, hit: boolean, rules: BaselineRules): void => {
  baseline.n += 1;
  if (hit) baseline.hits += 1;
  const { n, hits } = baseline;
  if (baseline.nullMean === null) {
    if (n < rules.need) return;
    baseline.learned = (hits + 0.5) / (n + 1);
    baseline.nullMean = Math.max(rules.floor, clopperPearsonUpper(hits, n, rules.alpha));
    return;
  }
  if (n % rules.ratchetEvery !== 0) return;
  baseline.nullMean = Math.min(baseline.nullMean, Math.max(rules.floor, anytimeUpper(hits, n, rules.alpha)));
};
