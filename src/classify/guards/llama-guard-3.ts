/**
 * Llama Guard 3 (1B, 8B). The server's chat template adds the hazards and the task, and asks about the last message,
 * which is the assistant's. Format: Meta's model card.
 */
import { chatRequest, type GuardAdapter, unknownRequest } from "./guard-adapter.ts";
import { createInert } from "./inert.ts";
import { readLlamaGuard } from "./llama-guard-verdict.ts";

const llamaGuard3Marks = {
  tokens: [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|python_tag|>",
    "<|finetune_right_pad_id|>",
    "<|reserved_special_token_",
    "<BEGIN UNSAFE CONTENT CATEGORIES>",
    "<END UNSAFE CONTENT CATEGORIES>",
    "<BEGIN CONVERSATION>",
    "<END CONVERSATION>",
  ],
  lines: ["User:", "Agent:", "Task:", "Provide your safety assessment"],
};

const inert = createInert(llamaGuard3Marks);

export const llamaGuard3: GuardAdapter = {
  id: "llama-guard-3",
  version: "v1",
  requests: ({ prompt, response }, model) => [
    chatRequest(
      model,
      [
        { role: "user", content: inert(prompt ?? unknownRequest) },
        { role: "assistant", content: inert(response) },
      ],
      64,
    ),
  ],
  read: readLlamaGuard,
};
