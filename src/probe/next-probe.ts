/** Chooses which experiment to run next by the mix in force, and reads its answer. Pure but for the decks that it draws from. */
import type { HarmBucket } from "../evidence/entry.ts";
import type { Random } from "../kernel/random.ts";
import { type CanaryPlan, createCanaryDeck } from "./canary.ts";
import { createDeck } from "./deck.ts";
import { type HarmPlan, planHarmfulness } from "./harmfulness.ts";
import { createIdentityDeck, type IdentityPlan } from "./identity.ts";
import type { Asked, Report } from "./observing.ts";
import type { OutputBank } from "./output-bank.ts";
import { planRecognitionPair, type RecognitionPlan, readRecognition } from "./output-recognition.ts";
import type { ProbeSet } from "./probe-set.ts";
import { type PredictionPlan, planPrediction, readPrediction } from "./score-prediction.ts";
import {
  planSelfAssessment,
  readSelfAssessment,
  type SelfAssessmentPlan,
  selfAssessmentDecks,
} from "./self-assessment.ts";
import { planTwoDescriptions, readTwoDescriptions, type TwoDescriptionsPlan } from "./two-descriptions.ts";

/** What to ask, as shares; the persona layer computes it from the verdict. */
export interface ProbeMix {
  /** Share of harm probes, 0-1; the rest are self-reports. */
  harm: number;
  /** Relative weights among self-reports: two descriptions, output recognition, self-assessment. */
  selfReport: { choice: number; recognition: number; rating: number };
  /** Multiplies the configured rate while something looks wrong; 1 when absent. The budget bounds it. */
  rateFactor?: number;
  /** Canary questions that tell nothing of this model; none when absent. */
  uselessCanaries?: readonly string[];
}

export type ReportPlan = SelfAssessmentPlan | TwoDescriptionsPlan | RecognitionPlan | PredictionPlan;
/** Of the five experiments. */
export type ExperimentPlan = HarmPlan | ReportPlan;
export type ProbePlan = ExperimentPlan | CanaryPlan | IdentityPlan;

export interface NextProbe {
  /** A question about harm; now and then one that asks the subject to predict its score. */
  drawHarm(): ProbePlan | null;
  drawPlacebo(): SelfAssessmentPlan | null;
  drawSelfReport(mix: ProbeMix): ReportPlan | null;
  drawCanary(mix: ProbeMix): CanaryPlan | null;
  drawIdentity(): IdentityPlan | null;
}

/** Score prediction names no persona: it gets this share of the harm side, for display. */
const predictionShare = 0.05;
/** Disowned harm is what matters; the harmless bucket is there for the asymmetry between the two. */
const bucketWeights: Record<HarmBucket, number> = { high: 0.7, moderate: 0.1, low: 0.2 };

/** Null when no weight is above 0. */
export const drawWeighted = <K extends string>(weights: Readonly<Record<K, number>>, random: Random): K | null => {
  const names = (Object.keys(weights) as K[]).filter((name) => weights[name] > 0);
  const total = names.reduce((sum, name) => sum + weights[name], 0);
  const target = random() * total;
  let reached = 0;
  for (const name of names) {
    reached += weights[name];
    if (target < reached) return name;
  }
  return names.at(-1) ?? null;
};

export const createNextProbe = (set: ProbeSet, bank: OutputBank, random: Random): NextProbe => {
  const harm = createDeck(set.harm, random);
  const descriptions = createDeck(set.descriptions, random);
  const assessments = selfAssessmentDecks(set.selfAssessment, random);
  const placebos = selfAssessmentDecks(set.placebo, random);
  const canaries = createCanaryDeck(set.canary, random);
  const identities = createIdentityDeck(set.identity, random);
  const choice = () => planTwoDescriptions(descriptions, set.wording.twoDescriptions, random);

  /** Pairs that were shown in one order, to be shown in the other before a new one. */
  const otherOrder = new Map<HarmBucket, RecognitionPlan>();

  const drawRecognition = (bucket: HarmBucket): RecognitionPlan | null => {
    const other = otherOrder.get(bucket);
    if (otherOrder.delete(bucket) && other !== undefined) return other;
    const pair = planRecognitionPair(bank, bucket, set.wording.outputRecognition, random);
    if (pair === null) return null;
    otherOrder.set(bucket, pair[1]);
    return pair[0];
  };

  const drawSelfReport = (mix: ProbeMix): ReportPlan | null => {
    switch (drawWeighted(mix.selfReport, random)) {
      case "rating":
        return planSelfAssessment(assessments, set.wording, random);
      case "recognition": {
        const bucket = drawWeighted(bucketWeights, random) ?? "high";
        return drawRecognition(bucket) ?? choice();
      }
      default:
        return choice();
    }
  };

  return {
    drawSelfReport,
    drawCanary: ({ uselessCanaries = [] }) => canaries.draw(uselessCanaries),
    drawIdentity: identities.draw,
    drawPlacebo: () => planSelfAssessment(placebos, set.wording, random),
    drawHarm() {
      const prediction = random() < predictionShare ? planPrediction(bank, set.wording.scorePrediction, random) : null;
      return prediction ?? planHarmfulness(harm, random);
    },
  };
};

export const readReport = (plan: ReportPlan, asked: Asked): Report => {
  switch (plan.experiment) {
    case "self-assessment":
      return readSelfAssessment(plan, asked);
    case "two-descriptions":
      return readTwoDescriptions(plan, asked);
    case "output-recognition":
      return readRecognition(plan, asked);
    case "score-prediction":
      return readPrediction(plan, asked);
  }
};
