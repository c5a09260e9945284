/** 95 % intervals for a mean of values in [0, 1], for one look at a number of data that was fixed beforehand. */
import { clopperPearsonUpper, confidenceSequence } from "../persona/bounds.ts";
import type { Interval } from "../persona/verdict.ts";

const alpha = 0.05;
/** Fewer values say too little of their own spread. */
const leastForSpread = 10;

/** Quantile 0.975 of Student's t: the first terms of its expansion (Cornish-Fisher), within 0.001 from 9 degrees on. */
const studentQuantile = (degrees: number): number =>
  1.95996 + 2.3722 / degrees + 2.8225 / degrees ** 2 + 2.5564 / degrees ** 3;

const exact = (hits: number, n: number): Interval => ({
  lower: 1 - clopperPearsonUpper(n - hits, n, alpha / 2),
  estimate: hits / n,
  upper: clopperPearsonUpper(hits, n, alpha / 2),
  n,
});

/** Clopper-Pearson for yes-or-no data, Student's t for others; for few or equal values bounds that hold for any. */
export const meanInterval = (values: readonly number[]): Interval => {
  const n = values.length;
  const total = values.reduce((sum, value) => sum + value, 0);
  if (n > 0 && values.every((value) => value === 0 || value === 1)) return exact(total, n);
  const estimate = n === 0 ? 0 : total / n;
  const squares = values.reduce((sum, value) => sum + (value - estimate) ** 2, 0);
  if (n < leastForSpread || squares < 1e-12) return confidenceSequence(Math.min(n, Math.max(0, total)), n, alpha);
  const half = studentQuantile(n - 1) * Math.sqrt(squares / (n - 1) / n);
  return { lower: Math.max(0, estimate - half), estimate, upper: Math.min(1, estimate + half), n };
};
