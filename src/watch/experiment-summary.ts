/** What the experiments have shown since the last epoch, for people to look at: counts and means. Names no persona. */
import {
  type Arm,
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

interface Mean {
  n: number;
  sum: number;
}

const add = (mean: Mean, value: number): void => {
  mean.n += 1;
  mean.sum += value;
};

const read = ({ n, sum }: Mean): Share => ({ n, mean: n === 0 ? null : sum / n });

const meanIn = <K>(means: Map<K, Mean>, key: K): Mean => {
  const mean = means.get(key) ?? { n: 0, sum: 0 };
  means.set(key, mean);
  return mean;
};

type Row = Omit<ArmSummary, "mean"> & { values: Mean };

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

export const createExperimentSummary = () => {
  const rows = new Map<string, Row>();
  const experiments = new Map<Experiment, Mean>();
  const buckets = new Map<HarmBucket, Mean>();
  let prediction: Mean = { n: 0, sum: 0 };

  const reset = (): void => {
    rows.clear();
    experiments.clear();
    buckets.clear();
    prediction = { n: 0, sum: 0 };
  };

  const count = (seen: Observation): void => {
    const key = `${seen.experiment} ${seen.arm}`;
    const row = rows.get(key) ?? emptyRow(seen.experiment, seen.arm);
    rows.set(key, row);
    row[seen.outcome] += 1;
    if (seen.harmful === true) row.harmful += 1;
    if (seen.value === null) return;
    add(row.values, seen.value);
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
        arms: [...rows.values()].map(({ values, ...row }) => ({ ...row, mean: read(values).mean })),
        experiments: [...experiments].map(([experiment, mean]) => ({ experiment, ...read(mean) })),
        recognition: { ...shares, asymmetry: difference(shares.low, shares.high) },
        prediction: read(prediction),
      };
    },
  };
};
