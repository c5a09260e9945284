/** The three experiments: false alarms without a change, delays after one, and what a datum costs. */
import { seededRandom } from "../../src/kernel/random.ts";
import { assess, createState, defaultSettings, step } from "../../src/persona/persona.ts";
import type { Datum } from "../../src/persona/verdict.ts";
import { divergence, flagRate, forget, knowing, learning, type Watcher, watchAnswer } from "./harm-stream.ts";
import type { Operating } from "./reference.ts";

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export interface FalseAlarms {
  /** In 10,000 answers: mean over runs, mean over the worst 5 % of runs, 95 % quantile of runs. */
  mean: number;
  worst: number;
  p95: number;
}

/** Each run learns its own baseline, then watches `answers` healthy ones; an alarm is acknowledged and counted. */
export const countFalseAlarms = (
  fpr: number,
  threshold: number,
  { runs, answers, seed }: { runs: number; answers: number; seed: number },
): FalseAlarms => {
  const q0 = flagRate({ fpr, tpr: 80 });
  const rates: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(seed + run);
    const watcher = learning(q0, random);
    let alarms = 0;
    for (let at = 0; at < answers; at += 1) {
      if (watchAnswer(watcher, random() < q0) < Math.log(threshold)) continue;
      alarms += 1;
      forget(watcher);
    }
    rates.push((alarms / answers) * 1e4);
  }
  const sorted = ascending(rates);
  return {
    mean: mean(sorted),
    worst: mean(sorted.slice(-Math.max(1, Math.round(0.05 * runs)))),
    p95: quantile(sorted, 0.95),
  };
};

/** Answers from the change to the first alarm at each threshold; `longest` where none came. */
const delaysOf = (
  watcher: Watcher,
  thresholds: readonly number[],
  { q0, q1, random, longest }: { q0: number; q1: number; random: () => number; longest: number },
): number[] => {
  // False alarms before the change are acknowledged at the lowest threshold, as an operator would.
  for (let at = 0; at < 3000; at += 1) {
    if (watchAnswer(watcher, random() < q0) >= Math.log(Math.min(...thresholds))) forget(watcher);
  }
  const delays = thresholds.map(() => longest);
  for (let at = 1; at <= longest; at += 1) {
    const evidence = watchAnswer(watcher, random() < q1);
    thresholds.forEach((threshold, which) => {
      if (delays[which] === longest && evidence >= Math.log(threshold)) delays[which] = at;
    });
    if (delays.every((delay) => delay < longest)) break;
  }
  return delays;
};

export interface Delays {
  median: number;
  p95: number;
  mean: number;
}

const summary = (delays: readonly number[]): Delays => {
  const sorted = ascending(delays);
  return { median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), mean: mean(sorted) };
};

export interface CellDelays {
  known: Delays;
  ratchetTicket: Delays;
  ratchetPage: Delays;
  /** log(10,000) / KL: the first-order limit of any detector with this mean time between false alarms. */
  bound: number;
}

export const longestDelay = 12_000;

export const measureDelays = (
  operating: Operating & { harm: number },
  { runs, seed }: { runs: number; seed: number },
): CellDelays => {
  const [q0, q1] = [flagRate(operating), flagRate(operating, operating.harm)];
  const known: number[] = [];
  const ticket: number[] = [];
  const page: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(seed + run);
    const world = { q0, q1, random, longest: longestDelay };
    known.push(...delaysOf(knowing(q0), [1e4], world));
    const [first = longestDelay, second = longestDelay] = delaysOf(learning(q0, random), [1e4, 1e5], world);
    ticket.push(first);
    page.push(second);
  }
  return {
    known: summary(known),
    ratchetTicket: summary(ticket),
    ratchetPage: summary(page),
    bound: Math.log(1e4) / divergence(q1, q0),
  };
};

const forms = ["choice", "recognition", "rating"] as const;

/** 70 % judged answers in three strata, 30 % self-reports, of a healthy subject; two of the strata in three contexts. */
export const healthyData = (count: number, seed: number): Datum[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (): Datum => {
    if (random() < 0.7) {
      const arm = (["live", "fresh", "forked"] as const)[Math.floor(random() * 3)] ?? "live";
      const context = arm === "fresh" ? null : (["billing", "travel", "health"][Math.floor(random() * 3)] ?? null);
      return { kind: "harm", arm, stratum: arm, context, harmful: random() < 0.01, refused: random() < 0.02 };
    }
    const form = forms[Math.floor(random() * 3)] ?? "rating";
    const order = random() < 0.5 ? "aligned-first" : "misaligned-first";
    if (random() < 0.02) return { kind: "unanswered", form, refused: true };
    return { kind: "self-report", form, saysMisaligned: random() < 0.03 ? 1 : 0, order };
  });
};

export interface Cost {
  /** Microseconds, median of the repetitions. */
  step: number;
  assess: number;
}

export const measureCost = (repetitions: number): Cost => {
  const data = healthyData(100_000, 1);
  const steps: number[] = [];
  const readings: number[] = [];
  for (let round = 0; round < repetitions; round += 1) {
    const state = createState(defaultSettings);
    const begun = performance.now();
    data.forEach((datum, at) => {
      step(state, datum, at + 1);
    });
    const folded = performance.now();
    for (let reading = 0; reading < 2000; reading += 1) assess(state);
    steps.push(((folded - begun) / data.length) * 1000);
    readings.push(((performance.now() - folded) / 2000) * 1000);
  }
  return { step: quantile(ascending(steps), 0.5), assess: quantile(ascending(readings), 0.5) };
};

/** The largest difference, nats, between the evidence of `step` and that of the bare stream on the same answers. */
export const compareWithStep = (answers: number, seed: number): number => {
  const random = seededRandom(seed);
  const q0 = flagRate({ fpr: 1, tpr: 80 });
  const calibrating = seededRandom(seed);
  const watcher = learning(q0, calibrating);
  const state = createState(defaultSettings);
  let largest = 0;
  for (let at = 1; at <= answers; at += 1) {
    const harmful = random() < q0;
    step(state, { kind: "harm", arm: "fresh", stratum: "s", context: null, harmful, refused: false }, at);
    if (at <= defaultSettings.calibration.harm) continue;
    const bare = watchAnswer(watcher, harmful);
    largest = Math.max(largest, Math.abs(bare - assess(state).evidence.harm.logEvidence));
  }
  return largest;
};
