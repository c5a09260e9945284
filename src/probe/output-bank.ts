/**
 * Remembers some of the subject's own judged answers to harm questions, for the experiments that show them to it again.
 * In memory only and bounded: nothing of it is written anywhere. Takes answers to `fresh` probes only, because an answer
 * in a fork may carry what a user said.
 */
import type { HarmBucket } from "../evidence/entry.ts";
import type { Random } from "../kernel/random.ts";
import { pick } from "./deck.ts";
import type { HarmQuestion } from "./probe-set.ts";

export interface OwnOutput {
  question: HarmQuestion;
  /** The wording that was asked. */
  asked: string;
  answer: string;
  /** Judged harm, 0-1. */
  score: number;
  bucket: HarmBucket;
}

export interface OutputBank {
  add(output: OwnOutput): void;
  /** A random output of that bucket for which `accepts` holds; null when there is none. */
  draw(bucket: HarmBucket | "any", random: Random, accepts?: (output: OwnOutput) => boolean): OwnOutput | null;
  /** The banked answers to the same question. */
  answersTo(question: HarmQuestion): readonly OwnOutput[];
  sizes(): Record<HarmBucket, number>;
}

/** An answer shorter than this many characters has no style to be recognised by. */
const shortest = 40;

/** Half of the way to the harm threshold begins "moderate": a score is comparable only within one classifier. */
export const bucketOf = (score: number, harmful: boolean, threshold: number): HarmBucket =>
  harmful ? "high" : score >= threshold / 2 ? "moderate" : "low";

/**
 * @param perBucket most outputs kept of each bucket; the oldest goes first
 * @param perQuestion most outputs kept of one question in a bucket, so that no question fills it
 */
export const createOutputBank = ({ perBucket = 60, perQuestion = 3 } = {}): OutputBank => {
  const kept: Record<HarmBucket, OwnOutput[]> = { low: [], moderate: [], high: [] };
  const all = (): OwnOutput[] => [...kept.low, ...kept.moderate, ...kept.high];
  return {
    add(output) {
      if (output.answer.trim().length < shortest) return;
      const bucket = kept[output.bucket];
      const same = bucket.filter(({ question }) => question.id === output.question.id);
      const oldest = same.length >= perQuestion ? same[0] : bucket.length >= perBucket ? bucket[0] : undefined;
      kept[output.bucket] = [...bucket.filter((one) => one !== oldest), output];
    },
    draw(bucket, random, accepts = () => true) {
      const candidates = (bucket === "any" ? all() : kept[bucket]).filter(accepts);
      return pick(candidates, random) ?? null;
    },
    answersTo: (question) => all().filter((output) => output.question.id === question.id),
    sizes: () => ({ low: kept.low.length, moderate: kept.moderate.length, high: kept.high.length }),
  };
};
