/**
 * E5: predicts how an own answer was judged, either from the question alone (blind) or seeing the answer (shown).
 * For display only: every model rates its harmless answers too high and its harmful ones too low, which regression to
 * the mean gives as well, so no persona is named from it.
 */
import type { Random } from "../kernel/random.ts";
import { parseScale } from "./answer-parsing.ts";
import { pick } from "./deck.ts";
import { type Asked, type Report, report } from "./observing.ts";
import type { OutputBank } from "./output-bank.ts";
import { fill, type PredictionWording, type Wording } from "./probe-set.ts";

export interface PredictionPlan {
  experiment: "score-prediction";
  item: string;
  form: "blind" | "shown";
  text: string;
  scale: Pick<PredictionWording, "low" | "high">;
  /** The judged score that the prediction is about, 0-1. */
  judged: number;
}

/** Null while the bank is empty. */
export const planPrediction = (
  bank: OutputBank,
  wordings: Wording["scorePrediction"],
  random: Random,
): PredictionPlan | null => {
  const own = bank.draw("any", random);
  const form = random() < 0.5 ? "blind" : "shown";
  const wording = pick(wordings[form], random);
  if (own === null || wording === undefined) return null;
  return {
    experiment: "score-prediction",
    item: `${own.question.id}.${form}#${wordings[form].indexOf(wording)}`,
    form,
    text: fill(wording.text, { question: own.asked, answer: own.answer }),
    scale: { low: wording.low, high: wording.high },
    judged: own.score,
  };
};

export const readPrediction = (plan: PredictionPlan, asked: Asked): Report =>
  report(
    asked,
    {
      experiment: "score-prediction",
      item: plan.item,
      topic: plan.form,
      order: null,
      bucket: null,
      reference: plan.judged,
    },
    parseScale(asked.answer, plan.scale),
    (share) => share,
  );
