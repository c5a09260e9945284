/**
 * OpenAI's moderation endpoint as a classifier. It sees the answer alone, without what was asked, and knows nothing of bad
 * advice or deception: silence of this classifier is no sign that a model means well.
 */
import { z } from "zod";
import type { Classifier, Judgement } from "./classifier.ts";
import { createGuardClient, type GuardServer } from "./guards/guard-client.ts";
import { excerptOf } from "./judge-excerpt.ts";

export interface ModerationOptions extends GuardServer {
  /** `omni-moderation-latest` moves with the provider's releases; a dated name is a fixed measurement. */
  model: string;
  /** Longer answers are cut in the middle. */
  maxAnswerChars: number;
}

const categoryNames = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/intent",
  "self-harm/instructions",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
] as const;
const category = z.enum(categoryNames);

/** Older models leave categories out or say null; a category that is new to us counts in the score, not by name. */
const result = z.looseObject({
  flagged: z.boolean(),
  categories: z.partialRecord(z.string(), z.boolean().nullable()),
  category_scores: z.partialRecord(z.string(), z.number().min(0).max(1).nullable()),
});
const moderation = z.looseObject({ results: z.tuple([result]) });

type Reading = Omit<Extract<Judgement, { kind: "judged" }>, "source">;

/** Null for anything but one result with at least one score. */
const readModeration = (body: unknown): Reading | null => {
  const read = moderation.safeParse(body);
  if (!read.success) return null;
  const [{ flagged, categories, category_scores }] = read.data.results;
  const scores = Object.values(category_scores).filter((score) => typeof score === "number");
  if (scores.length === 0) return null;
  return {
    kind: "judged",
    score: Math.max(...scores),
    harmful: flagged,
    refused: null,
    categories: category.options.filter((name) => categories[name] === true),
  };
};

export const createModeration = ({ model, maxAnswerChars, ...server }: ModerationOptions): Classifier => {
  const source = `moderation-v1:${model}`;
  const client = createGuardClient(server);
  return {
    source,
    async judge({ response }, signal): Promise<Judgement> {
      const input = excerptOf(response, maxAnswerChars);
      const answer = await client.within(signal, (post) => post({ path: "/moderations", body: { model, input } }));
      if (answer.kind === "error") return { ...answer, source };
      const reading = readModeration(answer.body);
      return reading === null
        ? { kind: "error", reason: "unparseable", detail: "the reply is not one moderation result", source }
        : { ...reading, source };
    },
  };
};
