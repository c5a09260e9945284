/** Legacy completions (`/completions`): prompts without roles, and texts that continue them, whole or streamed. */
import { z } from "zod";
import { type AnswerBody, readRequestFields, usageField } from "./json-body.ts";
import type { AnswerView, RequestView } from "./views.ts";

const prompt = z.union([z.string().transform((text) => [text]), z.array(z.string())]);

const request = z.object({
  // Prompts given as token numbers have no text that could be read.
  prompt: prompt.nullish().catch(null),
  n: z.number().int().min(1).nullish().catch(null),
  echo: z.boolean().nullish().catch(null),
});

export const readCompletionsRequest = (json: unknown): RequestView | null => {
  const fields = readRequestFields(json);
  const body = request.safeParse(json);
  if (fields === null || !body.success) return null;
  return {
    ...fields,
    turns: (body.data.prompt ?? []).map((text) => ({ role: "user", text })),
    prompts: { choicesEach: body.data.n ?? 1, echo: body.data.echo ?? false },
  };
};

const choice = z.object({
  index: z.number().int().min(0).optional().catch(undefined),
  text: z.string().nullish().catch(null),
  finish_reason: z.string().nullish().catch(null),
});

const answer = z.object({ choices: z.array(choice), usage: usageField });

export const readCompletionsAnswer = (body: AnswerBody): AnswerView | null => {
  const choices = new Map<number, { text: string; finishReason: string | null }>();
  let usage: AnswerView["usage"] = null;
  let readable = false;
  for (const json of body.kind === "whole" ? [body.json] : body.chunks) {
    const part = answer.safeParse(json);
    if (!part.success) continue;
    readable = true;
    usage = part.data.usage ?? usage;
    for (const [place, piece] of part.data.choices.entries()) {
      const at = piece.index ?? place;
      const known = choices.get(at) ?? { text: "", finishReason: null };
      choices.set(at, {
        text: known.text + (piece.text ?? ""),
        finishReason: piece.finish_reason ?? known.finishReason,
      });
    }
  }
  if (!readable) return null;
  const inOrder = [...choices].sort(([one], [other]) => one - other).map(([, known]) => known);
  const finished = inOrder.length > 0 && inOrder.every(({ finishReason }) => finishReason !== null);
  return {
    choices: inOrder.map((known) => ({ ...known, refusal: null, toolCalls: [] })),
    usage,
    complete: finished && (body.kind === "whole" || body.ended),
  };
};
