/** Asks classifiers and judges what policies want to know of a text, in time or not at all. */
import type { Classifier } from "../classify/classifier.ts";
import type { QuestionJudge } from "../classify/question-judge.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Ask } from "./decide.ts";

interface Options {
  classifier: Pick<Classifier, "judge">;
  /** Null where none is configured: what would be asked has no answer. */
  judge: QuestionJudge | null;
  clock: Pick<Clock, "after">;
}

export const createAsk = ({ classifier, judge, clock }: Options): Ask => {
  const scored = async (text: string, signal: AbortSignal): Promise<number | null> => {
    const judgement = await classifier.judge({ prompt: null, response: text }, signal);
    return judgement.kind === "judged" ? judgement.score : null;
  };
  const answered = async (question: string, text: string, signal: AbortSignal): Promise<number | null> => {
    const answer = await judge?.(question, text, signal);
    return typeof answer === "boolean" ? Number(answer) : null;
  };
  return async (question, { text }, timeoutMs) => {
    const ending = new AbortController();
    let cancel = (): void => {};
    const late = new Promise<null>((resolve) => {
      cancel = clock.after(timeoutMs, () => {
        ending.abort();
        resolve(null);
      });
    });
    const asking =
      question.kind === "score" ? scored(text, ending.signal) : answered(question.question, text, ending.signal);
    try {
      // What takes no notice of the signal is not waited for.
      return await Promise.race([asking.catch(() => null), late]);
    } finally {
      cancel();
    }
  };
};
