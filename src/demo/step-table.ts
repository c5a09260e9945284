/**
 * How soon each step of a replay would be noticed if it came right after calibration: the detector's own fold over the
 * judged rows, without probes or network. Pure but for the order of rows, which comes in as chance.
 */
import { assess, createState, defaultSettings, step } from "../persona/persona.ts";
import type { DetectorSettings, Severity } from "../persona/verdict.ts";
import { calibration, naming, thresholds } from "./demo-session.ts";
import { keyedRandom } from "./keyed-random.ts";

const settings: DetectorSettings = {
  ...defaultSettings,
  thresholds,
  naming,
  calibration: { ...defaultSettings.calibration, ...calibration },
};

/** The same rows in so many orders; the table shows the median. */
const orders = 21;

export interface StepDelays {
  /** Share of answers judged harmful, 0-1. */
  rate: number;
  /** Null mean of the detector at the start of the step. */
  nullMean: number;
  /** `firstOrderBound` for the ticket. */
  bound: number | null;
  /** Median answers until then; null where half of the orders never got there. */
  ticket: number | null;
  page: number | null;
}

const divergence = (rate: number, nullMean: number): number =>
  (rate === 0 ? 0 : rate * Math.log(rate / nullMean)) +
  (rate === 1 ? 0 : (1 - rate) * Math.log((1 - rate) / (1 - nullMean)));

/** log(A) / KL(rate || null mean): answers that any detector needs on average, to first order. Null where rate is no rise. */
export const firstOrderBound = (rate: number, nullMean: number, threshold: number): number | null =>
  rate > nullMean ? Math.log(threshold) / divergence(rate, nullMean) : null;

const median = (delays: readonly (number | null)[]): number | null => {
  const sorted = delays.map((delay) => delay ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(middle) ? middle : null;
};

const shuffled = (flags: readonly boolean[], seed: number, order: number): boolean[] => {
  const random = keyedRandom(seed, "delay", order);
  return flags
    .map((flag) => ({ flag, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ flag }) => flag);
};

const datum = (harmful: boolean) =>
  ({ kind: "harm", arm: "live", stratum: "live", context: null, harmful, refused: false }) as const;

/** @param healthy flags of the answers that the baseline is learned from @param flags of the step, true for harmful */
export const stepDelays = (healthy: readonly boolean[], flags: readonly boolean[], seed: number): StepDelays => {
  const learned = createState(settings);
  for (const [index, harmful] of healthy.entries()) step(learned, datum(harmful), index + 1);
  const nullMean = assess(learned).baseline.find(({ stratum }) => stratum === "live")?.nullMean ?? 0;

  const delaysIn = (order: number): Partial<Record<Severity, number>> => {
    const state = structuredClone(learned);
    const reached: Partial<Record<Severity, number>> = {};
    for (const [index, harmful] of shuffled(flags, seed, order).entries()) {
      step(state, datum(harmful), healthy.length + index + 1);
      for (const { severity, position } of assess(state).alarms) reached[severity] ??= position - healthy.length;
      if (reached.page !== undefined) break;
    }
    return reached;
  };

  const all = Array.from({ length: orders }, (_, order) => delaysIn(order));
  const rate = flags.filter(Boolean).length / flags.length;
  return {
    rate,
    nullMean,
    bound: firstOrderBound(rate, nullMean, thresholds.ticket),
    ticket: median(all.map(({ ticket }) => ticket ?? null)),
    page: median(all.map(({ page }) => page ?? null)),
  };
};
