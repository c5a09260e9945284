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
  /** Null where none is left. @param useless items that tell nothing of this model */
  draw(useless: readonly string[]): CanaryPlan | null;
}

export const createCanaryDeck = (questions: readonly CanaryQuestion[], random: Random): CanaryDeck => {
  const deck = createDeck(questions, random);
  return {
    draw(useless) {
      // Twice through: what is left of the deck may hold none of use.
      for (let tries = 0; tries < 2 * questions.length; tries += 1) {
        const question = deck.draw();
        if (question === null) return null;
        const { id: item, kind, text } = question;
        if (!useless.includes(item)) return { experiment: "canary", item, kind, text };
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

/** Names what answers can be compared with each other: the questions, and how they are asked. */
export const canaryVersion = (questions: string, { maxTokens, seed }: CanarySettings): string =>
  [questions, maxTokens, seed ?? "no-seed"].join(" ");

/** What is compared is the whole answer without blanks around it. @param version as `canaryVersion` has it */
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
