/** Judges texts a few at a time, with a bounded line before it: what does not fit is turned away, never piled up. */
import type { Classifier, JudgedText, Judgement } from "./classifier.ts";

export interface JudgingQueueOptions {
  classifier: Classifier;
  /** Most judgements under way at once. */
  concurrency: number;
  /** Most texts waiting. */
  capacity: number;
}

export interface JudgingQueue {
  judge(text: JudgedText, signal?: AbortSignal): Promise<Judgement> | "dropped";
  /** The same line as a classifier: what is turned away is an error of kind `overloaded`. */
  asClassifier: Classifier;
}

export const createJudgingQueue = ({ classifier, concurrency, capacity }: JudgingQueueOptions): JudgingQueue => {
  const { source } = classifier;
  const waiting: (() => void)[] = [];
  let running = 0;

  const run = async (text: JudgedText, signal?: AbortSignal): Promise<Judgement> => {
    if (running >= concurrency) await new Promise<void>((turn) => waiting.push(turn));
    else running += 1;
    try {
      return await classifier.judge(text, signal);
    } finally {
      // The place is handed on without being given up, so nobody can slip in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };

  const judge: JudgingQueue["judge"] = (text, signal) =>
    running >= concurrency && waiting.length >= capacity ? "dropped" : run(text, signal);

  return {
    judge,
    asClassifier: {
      source,
      async judge(text, signal) {
        const judged = judge(text, signal);
        return judged === "dropped"
          ? { kind: "error", reason: "overloaded", detail: `${capacity} texts are waiting already`, source }
          : judged;
      },
    },
  };
};
