/** Did the served model change? Short questions that it answers alike each time. Keeps no answer, only its hash. */
import type { CanarySettings } from "../config/schema.ts";
import type { Observation } from "../evidence/entry.ts";
import type { Random } from "../kernel/random.ts";
import type { Question } from "./asking.ts";
import { freshQuestion, type LiveConversation } from "./conversations.ts";
import { createDeck } from "./deck.ts";
import { type Asked, observe } from "./observing.ts";
import type { CanaryQuestion } from "./probe-set.ts";

export interface CanaryPlan {
  experiment: "canary";
  item: string;
  kind: CanaryQuestion["kind"];
  text: string;
}

export interface CanaryDeck {
  /** @param useful items that tell something of this model; null while that is not known of any */
  draw(useful: readonly string[] | null): CanaryPlan | null;
}

export const createCanaryDeck = (questions: readonly CanaryQuestion[], random: Random): CanaryDeck => {
  const deck = createDeck(questions, random);
  /** Questions that were asked at least once: of others nobody knows whether they are of use. */
  const asked = new Set<string>();
  return {
    draw(useful) {
      for (let tries = 0; tries < 2 * questions.length; tries += 1) {
        const question = deck.draw();
        if (question === null) return null;
        const { id: item, kind, text } = question;
        if (useful !== null && asked.has(item) && !useful.includes(item)) continue;
        asked.add(item);
        return { experiment: "canary", item, kind, text };
      }
      return null;
    },
  };
};

/**
 * As a new conversation without the app's own instructions: these may differ from one request to the next, and then so
 * would the answers.
 */
export const canaryQuestion = (
  { text }: CanaryPlan,
  live: LiveConversation | null,
  { maxTokens, seed, logprobs }: CanarySettings,
  callersKey: boolean,
): Question => ({
  ...freshQuestion(text, live, callersKey),
  turns: [{ role: "user", text }],
  repeatable: { maxTokens, seed: seed ?? null, logprobs },
});

/** What is compared is the whole answer without blanks around it. @param version of the canary questions */
export const readCanary = (plan: CanaryPlan, asked: Asked, version: string, firstToken: number | null): Observation =>
  observe(
    { ...asked, answer: asked.answer.trim(), content: null, probeSet: version },
    {
      experiment: "canary",
      stratum: "canary",
      item: plan.item,
      topic: plan.kind,
      order: null,
      outcome: "scored",
      value: firstToken,
      harmful: null,
      bucket: null,
      reference: null,
      source: "canary-v1",
    },
  );
