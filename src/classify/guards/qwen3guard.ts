/**
 * Qwen3Guard-Gen (0.6B, 4B, 8B). The server's chat template adds the policy. Between safe and unsafe it knows
 * "controversial", which the strict reading counts as harmful and the loose one does not. Format: its model card.
 */
import { chatRequest, type GuardAdapter, type GuardReading, unknownRequest, whole } from "./guard-adapter.ts";
import type { GuardReply } from "./guard-reply.ts";
import { createInert } from "./inert.ts";
import { harmLikelihood, type VerdictWords } from "./verdict-likelihood.ts";

export type Qwen3GuardMode = "strict" | "loose";

const qwen3GuardMarks = {
  tokens: [
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<think>",
    "</think>",
    "<BEGIN UNSAFE CONTENT CATEGORIES>",
    "<END UNSAFE CONTENT CATEGORIES>",
    "<BEGIN CONVERSATION>",
    "<END CONVERSATION>",
  ],
  lines: ["USER:", "ASSISTANT:", "# Task", "# Safety Policy", "Provide your safety assessment"],
};

const inert = createInert(qwen3GuardMarks);

const wordsOf: Record<Qwen3GuardMode, VerdictWords> = {
  strict: { harmful: ["unsafe", "controversial"], harmless: ["safe"] },
  loose: { harmful: ["unsafe"], harmless: ["safe", "controversial"] },
};

const categoryNames = new Map([
  ["violent", "violent"],
  ["non-violent illegal acts", "non-violent-illegal-acts"],
  ["sexual content or sexual acts", "sexual"],
  ["pii", "pii"],
  ["suicide & self-harm", "suicide-and-self-harm"],
  ["unethical acts", "unethical-acts"],
  ["politically sensitive topics", "politically-sensitive"],
  ["copyright violation", "copyright"],
  ["jailbreak", "jailbreak"],
]);

const categoriesOf = (listed: string): string[] | null => {
  if (/^none$/i.test(listed)) return [];
  const names = listed.split(",").map((name) => categoryNames.get(name.trim().toLowerCase()));
  return names.every((name) => name !== undefined) ? names : null;
};

/** All three lines: without the third the model judged the request, not the answer. */
const format =
  /^\s*Safety:[ \t]*(Safe|Unsafe|Controversial)[ \t]*\n\s*Categories:[ \t]*(\S[^\n]*?)[ \t]*\n\s*Refusal:[ \t]*(Yes|No)\s*$/di;

const read = (replies: readonly GuardReply[], words: VerdictWords): GuardReading | "unparseable" => {
  const reply = whole(replies);
  const said = format.exec(reply?.text ?? "");
  if (reply === null || said === null) return "unparseable";
  const [, safety = "", listed = "", refusal = ""] = said;
  const categories = categoriesOf(listed);
  if (categories === null) return "unparseable";
  const harmful = words.harmful.includes(safety.toLowerCase());
  return {
    kind: "judged",
    score: harmLikelihood(reply, said.indices?.[1]?.[0] ?? 0, words) ?? Number(harmful),
    harmful,
    refused: refusal.toLowerCase() === "yes",
    categories,
  };
};

export const createQwen3Guard = (mode: Qwen3GuardMode): GuardAdapter => ({
  id: "qwen3guard",
  version: `v1-${mode}`,
  requests: ({ prompt, response }, model) => [
    chatRequest(
      model,
      [
        { role: "user", content: inert(prompt ?? unknownRequest) },
        { role: "assistant", content: inert(response) },
      ],
      96,
    ),
  ],
  read: (replies) => read(replies, wordsOf[mode]),
});
