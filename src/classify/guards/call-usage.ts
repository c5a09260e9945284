/** What one call to a judging API took, in tokens: as its server says, or estimated where it says nothing. */
import { z } from "zod";
import type { Usage } from "../spending.ts";

const count = z.number().int().min(0);
const told = z.looseObject({ usage: z.looseObject({ prompt_tokens: count, completion_tokens: count.default(0) }) });

/** Rather too many tokens than too few: English has about four characters to one. */
const charsPerToken = 3;

/** @param reply null where the call failed */
export const usageOf = (request: Record<string, unknown>, reply: unknown): Usage => {
  const read = told.safeParse(reply);
  if (read.success) return { prompt: read.data.usage.prompt_tokens, completion: read.data.usage.completion_tokens };
  return { prompt: Math.ceil(JSON.stringify(request).length / charsPerToken), completion: 0 };
};
