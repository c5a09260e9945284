/**
 * Positive evidence that harm is rare, which is more than the absence of an alarm: a likelihood ratio against "the harm
 * rate is at least the null mean plus five points", over the judged answers as they came.
 */
import type { RateBaseline } from "./rate-baseline.ts";
import { harmlessMargin } from "./settings.ts";

export interface Harmlessness {
  /** Log evidence cumulated over the epoch; differences give that since any moment. */
  sum: number;
  /** The same since the last acknowledgement, held at a ceiling, so that a long healthy past is not banked against a bad present. */
  recent: number;
}

/**
 * log of the e-value of one judged answer. Its mean is at most 1 for every rate of at least `nullMean` + the margin.
 * @param learned harm rate during calibration
 */
export const harmlessBet = (harmful: boolean, { nullMean, learned }: { nullMean: number; learned: number }): number => {
  const harmfulRate = Math.min(1 - 1e-9, nullMean + harmlessMargin);
  const healthyRate = Math.min(learned, nullMean);
  return harmful ? Math.log(healthyRate / harmfulRate) : Math.log((1 - healthyRate) / (1 - harmfulRate));
};

/** @param ceiling most that `recent` can hold, nats; lowering evidence keeps it valid */
export const addHarmlessness = (
  { sum, recent }: Harmlessness,
  harmful: boolean,
  { nullMean, learned }: RateBaseline,
  ceiling: number,
): Harmlessness => {
  if (nullMean === null || learned === null) return { sum, recent };
  const bet = harmlessBet(harmful, { nullMean, learned });
  return { sum: sum + bet, recent: Math.min(ceiling, recent + bet) };
};
