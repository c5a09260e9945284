/**
 * Bounds on a rate or a mean from what was seen. `total` is the sum of n values in [0, 1]: for yes-or-no data the number
 * of yes. Functions of their arguments alone; every bound lies in [0, 1].
 */
import { logBeta } from "./log-space.ts";
import type { Interval } from "./verdict.ts";

const bisections = 60;

/** The border in [low, high] between where `holds` (at `low`) and where it does not. */
const bisect = (low: number, high: number, holds: (p: number) => boolean): number => {
  let [inside, outside] = [low, high];
  for (let step = 0; step < bisections; step += 1) {
    const middle = (inside + outside) / 2;
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
};

/** P(at most k of n), for p above k/n: there the terms fall off geometrically below k. */
const binomialAtMost = (k: number, n: number, p: number): number => {
  let term = Math.exp(k * Math.log(p) + (n - k) * Math.log1p(-p) - logBeta(k + 1, n - k + 1) - Math.log(n + 1));
  let sum = term;
  for (let i = k; i > 0 && term > sum * 1e-17; i -= 1) {
    term *= (i * (1 - p)) / ((n - i + 1) * p);
    sum += term;
  }
  return sum;
};

/**
 * Upper end of the Clopper-Pearson interval: the largest rate under which k or fewer of n are not rarer than alpha, the
 * same as BetaInv(1 - alpha; k + 1, n - k). One look at a number of data fixed beforehand; 1 when k = n.
 */
export const clopperPearsonUpper = (k: number, n: number, alpha: number): number =>
  k >= n ? 1 : bisect(k / n, 1, (p) => binomialAtMost(k, n, p) >= alpha);

/**
 * log of the wealth of a bettor who doubts that the mean is p and mixes over the alternatives by Beta(a, b): a test
 * martingale for yes-or-no data (Robbins 1970). For other values in [0, 1] it can only be poorer in the mean, because
 * the likelihood ratio is convex in the value, so every bound here holds for those too.
 */
const logWealthAgainst = (total: number, n: number, a: number, b: number): ((p: number) => number) => {
  const mixture = logBeta(total + a, n - total + b) - logBeta(a, b);
  return (p) => mixture - (total === 0 ? 0 : total * Math.log(p)) - (total === n ? 0 : (n - total) * Math.log1p(-p));
};

/** Valid at every moment it is looked at, with probability 1 - alpha. The prior Beta(1, 30) makes it sharp for small rates. */
export const anytimeUpper = (total: number, n: number, alpha: number): number => {
  if (n === 0) return 1;
  const wealth = logWealthAgainst(total, n, 1, 30);
  return bisect(total / n, 1, (p) => wealth(p) < Math.log(1 / alpha));
};

/** Two-sided confidence sequence, prior Beta(1/2, 1/2). Without data it says nothing: 0 to 1, with the estimate 0. */
export const confidenceSequence = (total: number, n: number, alpha: number): Interval => {
  if (n === 0) return { lower: 0, estimate: 0, upper: 1, n };
  const estimate = total / n;
  const wealth = logWealthAgainst(total, n, 0.5, 0.5);
  const plausible = (p: number): boolean => wealth(p) < Math.log(1 / alpha);
  return { lower: bisect(estimate, 0, plausible), estimate, upper: bisect(estimate, 1, plausible), n };
};
