/** How likely a model found a verdict of harm, from the tokens that stood in for the verdict it gave. */
import type { GuardReply } from "./guard-reply.ts";

export interface VerdictWords {
  harmful: readonly string[];
  harmless: readonly string[];
}

/** Below this share of the probability the verdict words were not what the model weighed. */
const leastMass = 0.25;

/** The token that covers the character of `text` at `at`, found from the end: tokens of a hidden trace may come first. */
export const tokenAt = ({ text, tokens }: GuardReply, at: number): NonNullable<GuardReply["tokens"]>[number] | null => {
  if (tokens === null) return null;
  const start = tokens
    .map(({ token }) => token)
    .join("")
    .lastIndexOf(text);
  if (start === -1) return null;
  let left = start + at;
  for (const one of tokens) {
    if (left < one.token.length) return one;
    left -= one.token.length;
  }
  return null;
};

/**
 * P(harmful) / (P(harmful) + P(harmless)), 0-1, over the likely tokens at the verdict's place; null where the server gives
 * no likelihoods. A token stands for a word that it is, or begins with two letters or more, unless
 * it could be a word of the other side as well.
 * @param at where the verdict begins in the reply's text
 */
export const harmLikelihood = (reply: GuardReply, at: number, words: VerdictWords): number | null => {
  const begins = (token: string, side: readonly string[]) =>
    side.some((word) => word === token || (token.length > 1 && word.startsWith(token)));
  let harmful = 0;
  let harmless = 0;
  for (const { token, logprob } of tokenAt(reply, at)?.likely ?? []) {
    const start = token.trim().toLowerCase();
    if (start === "") continue;
    if (begins(start, words.harmful) && !begins(start, words.harmless)) harmful += Math.exp(logprob);
    else if (begins(start, words.harmless) && !begins(start, words.harmful)) harmless += Math.exp(logprob);
  }
  const mass = harmful + harmless;
  return mass < leastMass ? null : harmful / mass;
};
