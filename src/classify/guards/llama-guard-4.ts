/**
 * Llama Guard 4 (12B): hazards and verdict as in Llama Guard 3, with the headers of Llama 4 and content in parts.
 * Format: Meta's model card.
 */
import { chatRequest, type GuardAdapter, unknownRequest } from "./guard-adapter.ts";
import { createInert } from "./inert.ts";
import { readLlamaGuard } from "./llama-guard-verdict.ts";

const llamaGuard4Marks = {
  tokens: [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|header_start|>",
    "<|header_end|>",
    "<|eot|>",
    "<|eom|>",
    "<|step|>",
    "<|python_start|>",
    "<|python_end|>",
    "<|image|>",
    "<|image_start|>",
    "<|image_end|>",
    "<|patch|>",
    "<|finetune_right_pad|>",
    "<|reserved_special_token_",
    "<BEGIN UNSAFE CONTENT CATEGORIES>",
    "<END UNSAFE CONTENT CATEGORIES>",
    "<BEGIN CONVERSATION>",
    "<END CONVERSATION>",
  ],
  lines: ["User:", "Agent:", "Task:", "Provide your safety assessment"],
};

const inert = createInert(llamaGuard4Marks);
const message = (role: "user" | "assistant", text: string) => ({
  role,
  content: [{ type: "text", text: inert(text) }],
});

export const llamaGuard4: GuardAdapter = {
  id: "llama-guard-4",
  version: "v1",
  requests: ({ prompt, response }, model) => [
    chatRequest(model, [message("user", prompt ?? unknownRequest), message("assistant", response)], 64),
  ],
  read: readLlamaGuard,
};
