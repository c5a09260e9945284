/** How the Llama Guard models say their verdict: `safe`, or `unsafe` with a line of hazard codes below it. */

import { type GuardReading, whole } from "./guard-adapter.ts";
import type { GuardReply } from "./guard-reply.ts";
import { harmLikelihood } from "./verdict-likelihood.ts";

/** The MLCommons hazards and Meta's own S14, by the number in their code. */
const hazards: readonly string[] = [
  "violent-crimes",
  "non-violent-crimes",
  "sex-related-crimes",
  "child-sexual-exploitation",
  "defamation",
  "specialized-advice",
  "privacy",
  "intellectual-property",
  "indiscriminate-weapons",
  "hate",
  "suicide-and-self-harm",
  "sexual-content",
  "elections",
  "code-interpreter-abuse",
];

const categoriesOf = (codes: string | undefined): string[] | null => {
  if (codes === undefined) return [];
  const names = codes.split(",").map((code) => hazards[Number(/^S(\d{1,2})$/i.exec(code.trim())?.[1] ?? 0) - 1]);
  return names.every((name) => name !== undefined) ? names : null;
};

export const readLlamaGuard = (replies: readonly GuardReply[]): GuardReading | "unparseable" => {
  const reply = whole(replies);
  const verdict = /^\s*(?:(safe)|(unsafe)(?:\s*\n\s*(\S[^\n]*?))?)\s*$/i.exec(reply?.text ?? "");
  if (reply === null || verdict === null) return "unparseable";
  const [said, safe, , codes] = verdict;
  const categories = categoriesOf(codes);
  if (categories === null) return "unparseable";
  const harmful = safe === undefined;
  const likelihood = harmLikelihood(reply, said.search(/\S/), { harmful: ["unsafe"], harmless: ["safe"] });
  return { kind: "judged", score: likelihood ?? Number(harmful), harmful, refused: null, categories };
};
