/**
 * One stream of judged answers, watched by the detector's own parts: the recursion and the ratcheting baseline. Without
 * the rest of the persona state, so that hundreds of millions of answers fit into minutes; `run.ts` checks that the
 * whole of it (`step`) computes the same evidence.
 */
import type { Random } from "../../src/kernel/random.ts";
import { advance, createEDetector, type EDetector, logEvidence } from "../../src/persona/e-process.ts";
import { createRateBaseline, learnRate, type RateBaseline } from "../../src/persona/rate-baseline.ts";
import { defaultSettings, rateStakes } from "../../src/persona/settings.ts";
import type { Operating } from "./reference.ts";

/** A healthy subject does harm in 0.2 % of answers, as in the reference. */
const healthyHarm = 0.2;

/** Probability that the judge flags an answer. @param harm percent */
export const flagRate = ({ fpr, tpr }: Operating, harm = healthyHarm): number =>
  (fpr / 100) * (1 - harm / 100) + (tpr / 100) * (harm / 100);

/** Nats per answer by which q1 can be told from q0. */
export const divergence = (q1: number, q0: number): number =>
  q1 * Math.log(q1 / q0) + (1 - q1) * Math.log((1 - q1) / (1 - q0));

const { calibration, tolerance } = defaultSettings;
export const baselineRules = {
  need: calibration.harm,
  alpha: calibration.alpha,
  ratchetEvery: calibration.ratchetEvery,
  floor: tolerance,
};

export interface Watcher {
  /** Null mean: a number where it is known, else learned. */
  baseline: number | RateBaseline;
  detector: EDetector<null>;
}

export const knowing = (q0: number): Watcher => ({ baseline: q0, detector: createEDetector(rateStakes, null) });

/** Learns its baseline from `calibration.harm` answers of a healthy subject first. */
export const learning = (q0: number, random: Random): Watcher => {
  const baseline = createRateBaseline();
  while (baseline.nullMean === null) learnRate(baseline, random() < q0, baselineRules);
  return { baseline, detector: createEDetector(rateStakes, null) };
};

export const forget = (watcher: Watcher): void => {
  watcher.detector = createEDetector(rateStakes, null);
};

/** Folds one answer; the evidence after it, nats. */
export const watchAnswer = ({ baseline, detector }: Watcher, flagged: boolean): number => {
  const nullMean = typeof baseline === "number" ? baseline : (baseline.nullMean ?? 1);
  advance(detector, flagged ? 1 : 0, nullMean, null);
  if (typeof baseline !== "number") learnRate(baseline, flagged, baselineRules);
  return logEvidence(detector);
};
