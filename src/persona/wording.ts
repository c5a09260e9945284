/** Numbers as people read them. Written by hand, not by locale: the same verdict must read the same on every machine. */
import type { Interval } from "./verdict.ts";

export const evidenceText = (log: number): string => (Number.isFinite(log) ? `e^${log.toFixed(1)}` : "none yet");

export const countText = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

const percentage = (share: number): string => {
  const percent = 100 * share;
  return percent === 0 || percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1);
};

/** A rate 0-1 as `1.9 %`. */
export const percentText = (share: number): string => `${percentage(share)} %`;

/** A rate with its interval: `38 %, 95 % interval 21 to 57 %`. */
export const rateText = ({ estimate, lower, upper }: Interval): string =>
  `${percentText(estimate)}, 95 % interval ${percentage(lower)} to ${percentText(upper)}`;

/** A mean 0-1 with its interval: `0.08, 95 % interval 0.02 to 0.21`. */
export const meanText = ({ estimate, lower, upper }: Interval): string =>
  `${estimate.toFixed(2)}, 95 % interval ${lower.toFixed(2)} to ${upper.toFixed(2)}`;

export const plural = (n: number, one: string, many = `${one}s`): string => `${countText(n)} ${n === 1 ? one : many}`;

/** A stratum, or one context of it. */
export const cellName = ({ stratum, context }: { stratum: string; context: string | null }): string =>
  context === null ? stratum : `${stratum}, context ${context}`;
