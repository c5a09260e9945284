/** Fits the screen to labelled sources: document frequencies, weights, and both as they are shipped, in 8 bits. */
import { isRefusal } from "../refusal.ts";
import { bucketCount, countFeatures, type SparseVector, weighFeatures } from "../screen-features.ts";
import type { LinearModel } from "../screen-model.ts";
import type { LabelledRow } from "./labelled-row.ts";
import { type Example, fitLogistic } from "./logistic-regression.ts";

/** As liblinear's C; from the literature's usual range, not tuned on any test source. */
const lossWeight = 4;
/** Buckets that fewer training rows hold say more about those rows than about harm. */
const leastRows = 2;

type Counted = ReadonlyMap<number, number>;

/** 1 + ln((1 + rows) / (1 + rows with the bucket)) */
const inverseFrequencies = (counted: readonly Counted[]): Float64Array => {
  const rowsWith = new Uint32Array(bucketCount);
  for (const counts of counted) for (const bucket of counts.keys()) rowsWith[bucket] = (rowsWith[bucket] ?? 0) + 1;
  return Float64Array.from(rowsWith, (rows) =>
    rows < leastRows ? 0 : 1 + Math.log((1 + counted.length) / (1 + rows)),
  );
};

const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/**
 * A big source counts for more than a small one, but not by its size; then both classes count the same.
 * The mean weight is 1.
 */
export const exampleWeights = (sources: readonly (readonly LabelledRow[])[]): number[] => {
  const raw = sources.flatMap((rows) => {
    const harmful = rows.filter((row) => row.harmful).length;
    return rows.map((row) => 1 / Math.sqrt(row.harmful ? harmful : rows.length - harmful));
  });
  const labels = sources.flatMap((rows) => rows.map((row) => row.harmful));
  const total = (harmful: boolean) => raw.reduce((sum, weight, at) => sum + (labels[at] === harmful ? weight : 0), 0);
  const totals = { harmful: total(true), harmless: total(false) };
  return raw.map((weight, at) => (weight * raw.length) / 2 / (labels[at] ? totals.harmful : totals.harmless));
};

/** The refusal stands behind the last bucket and outside the length of 1, where hundreds of words would drown it. */
const withRefusal = ({ buckets, values }: SparseVector, refused: boolean): SparseVector =>
  refused
    ? { buckets: Uint32Array.of(...buckets, bucketCount), values: Float64Array.of(...values, 1) }
    : { buckets, values };

/** @throws RangeError when one of the two classes is missing */
export const fitScreen = (sources: readonly (readonly LabelledRow[])[]): LinearModel => {
  const rows = sources.flat();
  if (!rows.some((row) => row.harmful) || rows.every((row) => row.harmful)) {
    throw new RangeError("training needs harmful and harmless rows");
  }
  const counted = rows.map((row) => countFeatures(row.response));
  const frequencies = inverseFrequencies(counted);
  const idfScale = largest(frequencies) / 255;
  const idf = Uint8Array.from(frequencies, (value) => Math.round(value / idfScale));
  const importance = exampleWeights(sources);
  const examples = counted.map((counts, at): Example => {
    const harmful = rows[at]?.harmful === true;
    const features = withRefusal(weighFeatures(counts, idf), isRefusal(rows[at]?.response ?? ""));
    return { features, harmful, weight: importance[at] ?? 0 };
  });
  const fitted = fitLogistic(examples, bucketCount + 1, lossWeight);
  const words = fitted.weights.subarray(0, bucketCount);
  const scale = largest(words) / 127;
  return {
    parameters: { scale, bias: fitted.bias, refusal: fitted.weights[bucketCount] ?? 0 },
    weights: Int8Array.from(words, (weight) => Math.round(weight / scale)),
    idf,
  };
};
