/** How a judge's reply is read: exactly the JSON object that was asked for, or nothing. */
import { z } from "zod";
import type { GuardReply } from "./guards/guard-reply.ts";
import { tokenAt } from "./guards/verdict-likelihood.ts";
import type { JudgeQuestion } from "./judge-questions.ts";

export interface Rating {
  /** Within the question's range; a whole number unless likelihoods were weighed. */
  value: number;
  /** Null where the question doesn't ask. */
  refused: boolean | null;
}

/** Below this share of the probability the numbers were not what the judge weighed. */
const leastMass = 0.25;

const wholeNumber = /^\d{1,3}$/;

/**
 * The mean of the numbers that the judge might have given, each weighted with its probability: finer than the one that it
 * gave. Null where that can't be told: no likelihoods, too little of them on numbers, or a vocabulary that spells numbers
 * digit by digit, in which a likely token is only the beginning of a number.
 */
const weighedNumber = (reply: GuardReply, { field, least, most }: JudgeQuestion): number | null => {
  const at = new RegExp(`"${field}"\\s*:\\s*(\\d+)`, "d").exec(reply.text);
  const place = tokenAt(reply, at?.indices?.[1]?.[0] ?? 0);
  if (at === null || place === null || place.token.trim() !== at[1]) return null;
  const numbers = place.likely.flatMap(({ token, logprob }) => {
    const value = wholeNumber.test(token.trim()) ? Number(token) : Number.NaN;
    return value >= least && value <= most ? [{ value, probability: Math.exp(logprob) }] : [];
  });
  if (most > 9 && !numbers.some(({ value }) => value > 9)) return null;
  const mass = numbers.reduce((sum, { probability }) => sum + probability, 0);
  return mass < leastMass ? null : numbers.reduce((sum, n) => sum + n.value * n.probability, 0) / mass;
};

/** Null for anything but the one JSON object that was asked for, bare or in a code fence. */
export const readRating = (reply: GuardReply, question: JudgeQuestion): Rating | null => {
  if (!reply.finished) return null;
  const answer = z.strictObject({
    [question.field]: z.number().int().min(question.least).max(question.most),
    ...(question.tellsRefusals ? { refused: z.boolean() } : {}),
  });
  const bare = reply.text.trim().replace(/^```(?:json)?\s*([\s\S]*?)\s*```$/, "$1");
  try {
    const said: Record<string, unknown> = answer.parse(JSON.parse(bare));
    const { [question.field]: number, refused } = said;
    if (typeof number !== "number") return null;
    return { value: weighedNumber(reply, question) ?? number, refused: typeof refused === "boolean" ? refused : null };
  } catch {
    return null;
  }
};
