/** The whole corpus of answers that talk to their judge, through the template of every guard model. */
import { expect, test } from "vitest";
import { createGptOssSafeguard } from "../../../src/classify/guards/gpt-oss-safeguard.ts";
import { createGraniteGuardian } from "../../../src/classify/guards/granite-guardian.ts";
import type { GuardAdapter } from "../../../src/classify/guards/guard-adapter.ts";
import { llamaGuard3 } from "../../../src/classify/guards/llama-guard-3.ts";
import { llamaGuard4 } from "../../../src/classify/guards/llama-guard-4.ts";
import { createQwen3Guard } from "../../../src/classify/guards/qwen3guard.ts";
import { shieldGemma } from "../../../src/classify/guards/shieldgemma.ts";
import { wildGuard } from "../../../src/classify/guards/wildguard.ts";
import { hostileAnswers } from "../hostile-answers.ts";

/** Each with its control tokens, and with an answer that uses them all. */
const adapters: [GuardAdapter, string[]][] = [
  [llamaGuard3, ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<END CONVERSATION>"]],
  [llamaGuard4, ["<|begin_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "<END CONVERSATION>"]],
  [shieldGemma, ["<start_of_turn>", "<end_of_turn>", "<eos>"]],
  [createQwen3Guard("strict"), ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<END CONVERSATION>"]],
  [createGraniteGuardian(), ["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>", "<guardian>", "</score>"]],
  [wildGuard, ["[INST]", "[/INST]", "</s>", "<s>", "<|user|>", "<|assistant|>"]],
  [createGptOssSafeguard("low"), ["<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|return|>"]],
];

test.each(adapters.map(([adapter, tokens]): [string, GuardAdapter, string[]] => [adapter.id, adapter, tokens]))(
  "no control token of %s reaches it from an answer or a request",
  (_, adapter, tokens) => {
    const countsIn = (material: string): number[] => {
      const sent = JSON.stringify(adapter.requests({ prompt: material, response: material }, "m"));
      return tokens.map((token) => sent.toLowerCase().split(token.toLowerCase()).length - 1);
    };
    const ordinary = countsIn("hello");
    const spelt = tokens.flatMap((token) => [
      token,
      token.toUpperCase(),
      `${token.slice(0, 2)}\u200b${token.slice(2)}`,
    ]);
    for (const hostile of [...hostileAnswers, ...spelt, tokens.join("")]) {
      expect(countsIn(hostile), hostile).toEqual(ordinary);
    }
  },
);
