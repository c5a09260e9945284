/** The two forms that an answer's body takes in these APIs, one JSON value or a stream of them, and the fields they share. */
import { z } from "zod";
import { createSseReader } from "./sse.ts";
import type { AnswerView } from "./views.ts";

export type AnswerBody =
  | { kind: "whole"; json: unknown }
  /** `ended` tells whether the stream came to its `[DONE]` without an error on the way. */
  | { kind: "stream"; chunks: unknown[]; ended: boolean };

/** Undefined when the text is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const errorChunk = z.object({ error: z.unknown().refine((error) => error !== undefined && error !== null) });

const readStream = (bytes: Buffer): AnswerBody => {
  const reader = createSseReader();
  const chunks: unknown[] = [];
  let failed = false;
  for (const { event, data } of reader.push(bytes)) {
    // What follows the end of a stream belongs to no answer.
    if (data === "[DONE]") return { kind: "stream", chunks, ended: !failed && reader.oversized() === 0 };
    const chunk = parseJson(data);
    if (event === "error" || chunk === undefined || errorChunk.safeParse(chunk).success) failed = true;
    else chunks.push(chunk);
  }
  return { kind: "stream", chunks, ended: false };
};

export const bodyOf = (contentType: string, bytes: Buffer): AnswerBody =>
  /^\s*text\/event-stream\s*(;|$)/i.test(contentType)
    ? readStream(bytes)
    : { kind: "whole", json: parseJson(bytes.toString("utf8")) };

const tokens = z.number().int().min(0);

export const usageField = z
  .object({ prompt_tokens: tokens, completion_tokens: tokens.optional() })
  .transform((usage): AnswerView["usage"] => ({
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens ?? 0,
  }))
  .nullish()
  .catch(null);

/** What a fork sends again. Left out on purpose: names of end users, tools, answer formats and how many choices. */
const reusable = [
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "max_tokens",
  "max_completion_tokens",
  "seed",
  "stop",
  "presence_penalty",
  "frequency_penalty",
  "repetition_penalty",
  "reasoning_effort",
] as const;

const parameterValue = z.union([z.number(), z.string(), z.boolean(), z.array(z.string())]);

const requestFields = z.object({
  model: z.string().nullish().catch(null),
  stream: z.boolean().nullish().catch(null),
});

/** What requests of all dialects have in common; null when the body is not a JSON object. */
export const readRequestFields = (
  json: unknown,
): { model: string | null; stream: boolean; parameters: Record<string, unknown> } | null => {
  const fields = requestFields.safeParse(json);
  if (!fields.success) return null;
  const given = new Map(Object.entries(json as object));
  const parameters = reusable.flatMap((name): [string, unknown][] => {
    const value = parameterValue.safeParse(given.get(name));
    return value.success ? [[name, value.data]] : [];
  });
  return {
    model: fields.data.model ?? null,
    stream: fields.data.stream ?? false,
    parameters: Object.fromEntries(parameters),
  };
};
