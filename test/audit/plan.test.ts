import { beforeAll, describe, expect, test } from "vitest";
import { planOnOutputs, planOpening } from "../../src/audit/plan.ts";
import type { AuditIdentity } from "../../src/audit/settings.ts";
import { type HarmBucket, harmBuckets } from "../../src/evidence/entry.ts";
import { loadProbeSet } from "../../src/probe/load-probe-set.ts";
import { createOutputBank, type OutputBank } from "../../src/probe/output-bank.ts";
import type { HarmQuestion, ProbeSet } from "../../src/probe/probe-set.ts";

let set: ProbeSet;
beforeAll(async () => {
  set = await loadProbeSet("builtin");
});

const sized = (sizes: Partial<AuditIdentity["sizes"]> = {}, seed = 1) => ({
  seed,
  subject: { baseUrl: "http://127.0.0.1/v1", model: "m", system: "Be brief.", temperature: 0.5, maxAnswerTokens: 100 },
  sizes: { harm: 20, perQuestion: 1, selfAssessment: 8, descriptions: 6, recognition: 12, prediction: 4, ...sizes },
});

/** Own outputs to questions that have foils, so many of each degree of harm. */
const bankOf = (counts: Record<(typeof harmBuckets)[number], number>): OutputBank => {
  const bank = createOutputBank();
  const questions = set.harm.filter(({ foils }) => foils.length > 0);
  for (const bucket of harmBuckets) {
    for (const [index, question] of questions.slice(0, counts[bucket]).entries()) {
      const answer = `An own answer of ${bucket} harm to question ${index}, long enough to have a style.`;
      bank.add({ question, asked: question.asks[0] ?? "", answer, score: 0.5, bucket });
    }
  }
  return bank;
};

const recognitions = (bank: OutputBank, count: number) =>
  planOnOutputs(set, bank, sized({ recognition: count, prediction: 0 })).map(({ plan }) => plan);

describe("the plan of an audit", () => {
  test("is the same for the same seed, and another for another", () => {
    const texts = (seed: number) => planOpening(set, sized({}, seed)).map(({ plan }) => plan.text);
    expect(texts(1)).toEqual(texts(1));
    expect(texts(1)).not.toEqual(texts(2));
  });

  test("of one experiment does not change with the size of another", () => {
    const descriptions = (harm: number) =>
      planOpening(set, sized({ harm })).filter(({ plan }) => plan.experiment === "two-descriptions");
    expect(descriptions(20)).toEqual(descriptions(50));
  });

  test("asks under the app's system prompt and sampling, and repeats questions word by word", () => {
    const planned = planOpening(set, sized({ harm: 3, perQuestion: 2, selfAssessment: 0, descriptions: 0 }));
    expect(planned.map(({ id }) => id)).toEqual([0, 1, 2].flatMap((n) => [`harmfulness-${n}.0`, `harmfulness-${n}.1`]));
    expect(planned[0]?.plan).toEqual(planned[1]?.plan);
    expect(planned[0]?.question.turns[0]).toEqual({ role: "system", text: "Be brief." });
    expect(planned[0]?.question.parameters).toEqual({ temperature: 0.5 });
  });

  test("shows degrees of harm in turns", () => {
    const buckets = recognitions(bankOf({ low: 9, moderate: 9, high: 9 }), 12).map((plan) =>
      plan.experiment === "output-recognition" ? plan.bucket : null,
    );
    expect(buckets).toEqual([...harmBuckets, ...harmBuckets].flatMap((bucket) => [bucket, bucket]));
  });

  test("shows every pair in both orders", () => {
    const plans = recognitions(bankOf({ low: 3, moderate: 3, high: 3 }), 18);
    for (let at = 0; at < plans.length; at += 2) {
      const [one, other] = [plans[at], plans[at + 1]];
      if (one?.experiment !== "output-recognition" || other?.experiment !== "output-recognition") throw new Error();
      expect(one.options.map(({ text }) => text)).toEqual(other.options.map(({ text }) => text).reverse());
      expect(one.ownFirst).toBe(!other.ownFirst);
    }
  });

  test("lets no single output decide: each is shown at most twice, and others take its turns", () => {
    const plans = recognitions(bankOf({ low: 9, moderate: 0, high: 1 }), 90);
    const high = plans.filter((plan) => plan.experiment === "output-recognition" && plan.bucket === "high");
    expect(high).toHaveLength(2);
    expect(plans).toHaveLength(2 * 9 + 2);
  });

  test("shows an own output beside another only where the probe set has no foil for that degree of harm", () => {
    const bank = createOutputBank({ perBucket: 100 });
    const add = (question: HarmQuestion, bucket: HarmBucket) =>
      bank.add({
        question,
        asked: question.asks[0] ?? "",
        answer: `An own answer of ${bucket} harm to ${question.id}, long enough to have a style.`,
        score: 0.5,
        bucket,
      });
    for (const question of set.harm) for (const bucket of ["low", "high"] as const) add(question, bucket);
    const alone = set.harm.find(({ foils }) => foils.length === 0);
    if (alone !== undefined) add(alone, "moderate");
    const shown = recognitions(bank, 500).filter((plan) => plan.experiment === "output-recognition");
    const besideOwn = shown.filter(({ options }) => options.every(({ text }) => text.startsWith("An own answer")));
    const withFoils = set.harm.filter(({ foils }) => foils.length > 0).length;
    expect(shown).toHaveLength(2 * (2 * withFoils + 1));
    expect(besideOwn.map(({ bucket }) => bucket)).toEqual(["moderate", "moderate"]);
  });

  test("shows nothing where there is nothing to show", () => {
    expect(planOnOutputs(set, createOutputBank(), sized())).toEqual([]);
  });
});
