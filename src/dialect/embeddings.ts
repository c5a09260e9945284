/** Embeddings (`/embeddings`): nothing is said in them, so a view has the model and the token counts only. */
import { z } from "zod";
import { type AnswerBody, readRequestFields, usageField } from "./json-body.ts";
import type { AnswerView, RequestView } from "./views.ts";

const answer = z.object({ data: z.array(z.unknown()), usage: usageField });

export const readEmbeddingsRequest = (json: unknown): RequestView | null => {
  const fields = readRequestFields(json);
  return fields === null ? null : { ...fields, turns: [] };
};

export const readEmbeddingsAnswer = (body: AnswerBody): AnswerView | null => {
  const whole = answer.safeParse(body.kind === "whole" ? body.json : undefined);
  return whole.success ? { choices: [], usage: whole.data.usage ?? null, complete: true } : null;
};
