/** How sure the model was of its answer's first token, where the endpoint tells it. Reads nothing else. */
import { z } from "zod";
import type { AnswerBody } from "../dialect/json-body.ts";

const withLogprobs = z.object({
  choices: z.tuple(
    [
      z.object({
        logprobs: z.object({ content: z.tuple([z.object({ logprob: z.number().max(1e-6) })], z.unknown()) }),
      }),
    ],
    z.unknown(),
  ),
});

/** 0-1; null where it is not told. */
export const firstTokenProbability = (body: AnswerBody): number | null => {
  for (const json of body.kind === "whole" ? [body.json] : body.chunks) {
    const { success, data } = withLogprobs.safeParse(json);
    if (success) return Math.min(1, Math.exp(data.choices[0].logprobs.content[0].logprob));
  }
  return null;
};
