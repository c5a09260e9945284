/** What the experiments have shown since the last epoch, for people to look at: counts and means. Names no persona. */
import { z } from "zod";
import {
  type Arm,
  experiments as allExperiments,
  arms,
  type EntryBody,
  type Experiment,
  type HarmBucket,
  harmBuckets,
  type Observation,
} from "../evidence/entry.ts";

interface ArmSummary {
  experiment: Experiment;
  arm: Arm;
  scored: number;
  refused: number;
  unparseable: number;
  error: number;
  /** Answers judged harmful; harmfulness only, 0 elsewhere. */
  harmful: number;
  /** Mean of the values, 0-1, on the experiment's own scale; null without values. */
  mean: number | null;
}

export interface Share {
  n: number;
  /** 0-1; null without data. */
  mean: number | null;
}

export interface ExperimentSummary {
  /** One row for each experiment and arm that was seen, in the order in which they first were. */
  arms: ArmSummary[];
  /** Mean value over all arms but the placebo. */
  experiments: (Share & { experiment: Experiment })[];
  /** How often the own output was claimed, by its harm. `asymmetry` is P(claim | low) - P(claim | high), -1 to 1. */
  recognition: Record<HarmBucket, Share> & { asymmetry: number | null };
  /** Mean of predicted minus judged harm, -1 to 1. */
  prediction: Share;
}

const mean = z.strictObject({ n: z.number(), sum: z.number() });
type Mean = z.infer<typeof mean>;

const add = (to: Mean, value: number): void => {
  to.n += 1;
  to.sum += value;
};

const read = ({ n, sum }: Mean): Share => ({ n, mean: n === 0 ? null : sum / n });

const meanIn = <K>(means: Map<K, Mean>, key: K): Mean => {
  const known = means.get(key);
  if (known !== undefined) return known;
  const added = { n: 0, sum: 0 };
  means.set(key, added);
  return added;
};

const row = z.strictObject({
  experiment: z.enum(allExperiments),
  arm: z.enum(arms),
  scored: z.number(),
  refused: z.number(),
  unparseable: z.number(),
  error: z.number(),
  harmful: z.number(),
  values: mean,
});
type Row = z.infer<typeof row>;

/** All that a summary remembers, as plain data. */
export const savedSummary = z.strictObject({
  rows: z.array(row),
  experiments: z.array(z.tuple([z.enum(allExperiments), mean])),
  buckets: z.array(z.tuple([z.enum(harmBuckets), mean])),
  prediction: mean,
});
type SavedSummary = z.infer<typeof savedSummary>;

const emptyRow = (experiment: Experiment, arm: Arm): Row => ({
  experiment,
  arm,
  scored: 0,
  refused: 0,
  unparseable: 0,
  error: 0,
  harmful: 0,
  values: { n: 0, sum: 0 },
});

const difference = (one: Share, other: Share): number | null =>
  one.mean === null || other.mean === null ? null : one.mean - other.mean;

const nothing: SavedSummary = { rows: [], experiments: [], buckets: [], prediction: { n: 0, sum: 0 } };

/** @param saved is kept and changed: who goes on with it elsewhere gives a copy */
export const createExperimentSummary = (saved: SavedSummary = structuredClone(nothing)) => {
  /** In the order in which they came; and the same by experiment and arm, as they are sought with every observation. */
  const rows = saved.rows;
  const byExperiment = new Map<Experiment, Map<Arm, Row>>();
  const index = (added: Row): Row => {
    const byArm = byExperiment.get(added.experiment) ?? new Map<Arm, Row>();
    byExperiment.set(added.experiment, byArm.set(added.arm, added));
    return added;
  };
  rows.forEach(index);
  const rowOf = (experiment: Experiment, arm: Arm): Row => {
    const known = byExperiment.get(experiment)?.get(arm);
    if (known !== undefined) return known;
    const added = index(emptyRow(experiment, arm));
    rows.push(added);
    return added;
  };
  const experiments = new Map<Experiment, Mean>(saved.experiments);
  const buckets = new Map<HarmBucket, Mean>(saved.buckets);
  let { prediction } = saved;

  const reset = (): void => {
    rows.length = 0;
    byExperiment.clear();
    experiments.clear();
    buckets.clear();
    prediction = { n: 0, sum: 0 };
  };

  const count = (seen: Observation): void => {
    const counted = rowOf(seen.experiment, seen.arm);
    counted[seen.outcome] += 1;
    if (seen.harmful === true) counted.harmful += 1;
    if (seen.value === null) return;
    add(counted.values, seen.value);
    if (seen.arm === "placebo") return;
    add(meanIn(experiments, seen.experiment), seen.value);
    if (seen.experiment === "output-recognition" && seen.bucket !== null) add(meanIn(buckets, seen.bucket), seen.value);
    if (seen.experiment === "score-prediction" && seen.reference !== null) add(prediction, seen.value - seen.reference);
  };

  const bucketShares = (): Record<HarmBucket, Share> => {
    const [low, moderate, high] = harmBuckets.map((bucket) => read(buckets.get(bucket) ?? { n: 0, sum: 0 }));
    const none: Share = { n: 0, mean: null };
    return { low: low ?? none, moderate: moderate ?? none, high: high ?? none };
  };

  return {
    add(body: EntryBody): void {
      if (body.kind === "epoch") reset();
      else if (body.kind === "observation") count(body);
    },
    read(): ExperimentSummary {
      const shares = bucketShares();
      return {
        arms: rows.map(({ values, ...counts }) => ({ ...counts, mean: read(values).mean })),
        experiments: [...experiments].map(([experiment, values]) => ({ experiment, ...read(values) })),
        recognition: { ...shares, asymmetry: difference(shares.low, shares.high) },
        prediction: read(prediction),
      };
    },
    /** Not a copy. */
    save: (): SavedSummary => ({
      rows,
      experiments: [...experiments],
      buckets: [...buckets],
      prediction,
    }),
  };
};
