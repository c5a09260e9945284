/**
 * Which questions an audit asks, fixed by its seed before the first is asked, so that an interrupted audit can go on with
 * the very same ones. What shows the subject its own outputs is planned once these are judged, from the same seed.
 */
import { type HarmBucket, harmBuckets } from "../evidence/entry.ts";
import { type Random, seededRandom } from "../kernel/random.ts";
import type { Question } from "../probe/asking.ts";
import { freshQuestion } from "../probe/conversations.ts";
import { createDeck } from "../probe/deck.ts";
import { planHarmfulness } from "../probe/harmfulness.ts";
import type { ExperimentPlan } from "../probe/next-probe.ts";
import type { OutputBank, OwnOutput } from "../probe/output-bank.ts";
import { foilFor, matchedFoilFor, planRecognitionPair, type RecognitionPlan } from "../probe/output-recognition.ts";
import type { ProbeSet } from "../probe/probe-set.ts";
import { planPrediction } from "../probe/score-prediction.ts";
import { planSelfAssessment, selfAssessmentDecks } from "../probe/self-assessment.ts";
import { planTwoDescriptions } from "../probe/two-descriptions.ts";
import type { AuditIdentity } from "./settings.ts";

export interface Planned {
  /** `harmfulness-12`; where a question is asked several times, `harmfulness-12.2`. The same in every run of the audit. */
  id: string;
  plan: ExperimentPlan;
  question: Question;
}

type Sized = Pick<AuditIdentity, "seed" | "sizes" | "subject">;

/** A sequence of its own for each experiment: asking more of one changes nothing in the others. */
const randomFor = (seed: number, salt: number): Random => seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ salt);

const asQuestion = (text: string, { system, temperature }: AuditIdentity["subject"]): Question =>
  freshQuestion(text, {
    turns: system === null ? [] : [{ role: "system", text: system }],
    parameters: temperature === null ? {} : { temperature },
    headers: {},
  });

const drawn = <T extends ExperimentPlan>(count: number, draw: () => T | null): T[] =>
  Array.from({ length: count }, () => draw()).filter((plan) => plan !== null);

const numbered = (plans: readonly ExperimentPlan[], subject: AuditIdentity["subject"]): Planned[] =>
  plans.map((plan, index) => ({
    id: `${plan.experiment}-${index}`,
    plan,
    question: asQuestion(plan.text, subject),
  }));

/** E1 to E3, in this order. */
export const planOpening = (set: ProbeSet, { seed, sizes, subject }: Sized): Planned[] => {
  const [forHarm, forRatings, forChoices] = [randomFor(seed, 1), randomFor(seed, 2), randomFor(seed, 3)];
  const harm = createDeck(set.harm, forHarm);
  const ratings = selfAssessmentDecks(set.selfAssessment, forRatings);
  const descriptions = createDeck(set.descriptions, forChoices);
  const once = numbered(
    drawn(sizes.harm, () => planHarmfulness(harm, forHarm)),
    subject,
  );
  const repeated = (planned: Planned): Planned[] =>
    Array.from({ length: sizes.perQuestion }, (_, sample) => ({ ...planned, id: `${planned.id}.${sample}` }));
  return [
    ...(sizes.perQuestion === 1 ? once : once.flatMap(repeated)),
    ...numbered(
      drawn(sizes.selfAssessment, () => planSelfAssessment(ratings, set.wording, forRatings)),
      subject,
    ),
    ...numbered(
      drawn(sizes.descriptions, () => planTwoDescriptions(descriptions, set.wording.twoDescriptions, forChoices)),
      subject,
    ),
  ];
};

/** Gives every output out once, so that no single one decides what is said of all. */
const givingEachOnce = (bank: OutputBank): OutputBank => {
  const given = new Set<OwnOutput>();
  return {
    ...bank,
    draw(bucket, random, accepts = () => true) {
      const drawn = bank.draw(bucket, random, (output) => !given.has(output) && accepts(output));
      if (drawn !== null) given.add(drawn);
      return drawn;
    },
  };
};

/** Beside another own output, claiming the one is disowning the other: that tells less than a foil of somebody else's. */
const withForeignFoilsOnly = (bank: OutputBank): OutputBank => ({ ...bank, answersTo: () => [] });

/**
 * Degrees of harm take turns, each for as long as there is an output of it that has a foil: one of matched length first.
 * Every pair is shown in both orders, so that neither place is an advantage.
 */
const planRecognitions = (set: ProbeSet, bank: OutputBank, count: number, random: Random): RecognitionPlan[] => {
  const outputs = givingEachOnce(bank);
  const hasForeignFoils = (bucket: HarmBucket): boolean =>
    bank.draw(bucket, random, ({ question }) => question.foils.length > 0) !== null;
  const source = (bucket: HarmBucket) => (hasForeignFoils(bucket) ? withForeignFoilsOnly(outputs) : outputs);
  const beside = { low: source("low"), moderate: source("moderate"), high: source("high") };
  const pair = (bucket: HarmBucket, chooseFoil: typeof foilFor) =>
    planRecognitionPair(beside[bucket], bucket, set.wording.outputRecognition, random, chooseFoil);
  const turns: HarmBucket[] = [...harmBuckets];
  const plans: RecognitionPlan[] = [];
  while (plans.length < count) {
    const bucket = turns.shift();
    if (bucket === undefined) break;
    const shown = pair(bucket, matchedFoilFor) ?? pair(bucket, foilFor);
    if (shown === null) continue;
    plans.push(...shown);
    turns.push(bucket);
  }
  return plans.slice(0, count);
};

/** E4 and E5. */
export const planOnOutputs = (set: ProbeSet, bank: OutputBank, { seed, sizes, subject }: Sized): Planned[] => {
  const forPrediction = randomFor(seed, 5);
  return [
    ...numbered(planRecognitions(set, bank, sizes.recognition, randomFor(seed, 4)), subject),
    ...numbered(
      drawn(sizes.prediction, () => planPrediction(bank, set.wording.scorePrediction, forPrediction)),
      subject,
    ),
  ];
};

/** Which question of the plan an id belongs to, and which of its answers. */
export const sampleOf = (id: string): { question: string; sample: number } => {
  const [question = id, sample = "0"] = id.split(".");
  return { question, sample: Number(sample) };
};
