/** What a trained screen consists of and how it scores a text. Knows no files: see `screen.ts` for loading. */
import { z } from "zod";
import { isRefusal } from "./refusal.ts";
import { bucketCount, countFeatures, featuriser, weighFeatures } from "./screen-features.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in lower-case hex");
const share = z.number().min(0).max(1);

/** `screen.json`: everything about a model but its two arrays, and where it came from. */
export const screenDescription = z.strictObject({
  source: z.string().regex(/^[a-z][a-z0-9-]*-v[0-9a-f]{1,12}$/, "must be a name with version, such as screen-v1"),
  featuriser: z.literal(featuriser),
  buckets: z.literal(bucketCount),
  weights: z.strictObject({
    file: z.literal("weights.i8"),
    sha256,
    scale: z.number().positive(),
    bias: z.number(),
    refusal: z.number(),
  }),
  /** Without a scale: it cancels out in the vectors' length of 1. */
  idf: z.strictObject({ file: z.literal("idf.u8"), sha256 }),
  /** Platt: score = 1 / (1 + exp(-(slope * logit + offset))). */
  calibration: z.strictObject({ slope: z.number().positive(), offset: z.number(), fittedOn: z.string() }),
  /** Scores; each with the share of harmless answers of unseen sources that reached it. */
  bands: z
    .strictObject({
      uncertain: z.strictObject({ score: share, falsePositiveRate: share }),
      harmful: z.strictObject({ score: share, falsePositiveRate: share }),
      high: z.strictObject({ score: share, falsePositiveRate: share }),
    })
    .refine(({ uncertain, harmful, high }) => uncertain.score <= harmful.score && harmful.score <= high.score, {
      error: "the scores must rise from uncertain over harmful to high",
    }),
  trainedOn: z.array(
    z.strictObject({
      file: z.string(),
      sha256,
      origin: z.string(),
      licence: z.string(),
      rows: z.number().int().positive(),
      harmful: z.number().int().nonnegative(),
    }),
  ),
});

export type ScreenDescription = z.infer<typeof screenDescription>;

export interface LinearModel {
  /** One step of a weight; log-odds that every text gets; log-odds that a refusal gets besides. */
  parameters: { scale: number; bias: number; refusal: number };
  weights: Int8Array;
  /** Quantised inverse document frequency; 0 for buckets that training did not see often enough. */
  idf: Uint8Array;
}

export interface ScreenModel extends LinearModel {
  description: ScreenDescription;
}

export const logistic = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Log-odds before calibration; a text without words gets the bias alone. */
export const logitOf = ({ parameters, weights, idf }: LinearModel, text: string): number => {
  const { buckets, values } = weighFeatures(countFeatures(text), idf);
  let sum = 0;
  for (let at = 0; at < buckets.length; at += 1) sum += (weights[buckets[at] ?? 0] ?? 0) * (values[at] ?? 0);
  return sum * parameters.scale + parameters.bias + (isRefusal(text) ? parameters.refusal : 0);
};

/** Calibrated harm, 0-1: what the share would be among such texts if half of all texts were harmful. */
export const scoreOf = (model: ScreenModel, text: string): number => {
  const { slope, offset } = model.description.calibration;
  return logistic(slope * logitOf(model, text) + offset);
};

/** `uncertain` and `high` deserve the look of a real judge. */
export type Band = "low" | "uncertain" | "high";

export const bandOf = ({ uncertain, high }: ScreenDescription["bands"], score: number): Band =>
  score >= high.score ? "high" : score >= uncertain.score ? "uncertain" : "low";
