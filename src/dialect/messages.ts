/** Anthropic's messages (`/messages`): what a conversation says, and what was answered, whole or streamed. */
import { z } from "zod";
import { type AnswerBody, readRequestFields } from "./json-body.ts";
import type { AnswerView, RequestView, Turn } from "./views.ts";

const optionalText = z.string().nullish().catch(null);

const block = z
  .object({
    type: optionalText,
    text: optionalText,
    thinking: optionalText,
    name: optionalText,
    input: z.unknown().optional(),
    content: z.unknown().optional(),
  })
  .catch({ type: null, text: null, thinking: null, name: null });

type Block = z.infer<typeof block>;

const textOf = (blocks: readonly Block[]): string => blocks.flatMap(({ text }) => text ?? []).join("\n");

const content = z
  .union([
    z.string().transform((text): Block[] => [{ type: "text", text, thinking: null, name: null }]),
    z.array(block),
  ])
  .catch([]);

/** What tools gave back travels in a user turn of its own blocks, before what the user says. */
const message = z.object({ role: optionalText, content }).transform(({ role, content: blocks }): Turn[] => {
  const results = blocks
    .filter(({ type }) => type?.endsWith("tool_result"))
    .map((result): Turn => ({ role: "tool", text: textOf(content.parse(result.content)) }));
  const text = textOf(blocks);
  if (results.length > 0 && text === "") return results;
  return [...results, { role: role === "assistant" ? "assistant" : "user", text }];
});

const request = z.object({
  system: content.optional(),
  messages: z.array(message.catch([{ role: "user", text: "" }])).catch([]),
});

export const readMessagesRequest = (json: unknown): RequestView | null => {
  const fields = readRequestFields(json);
  const body = request.safeParse(json);
  if (fields === null || !body.success) return null;
  const system = textOf(body.data.system ?? []);
  const turns: Turn[] = system === "" ? [] : [{ role: "system", text: system }];
  return { ...fields, turns: [...turns, ...body.data.messages.flat()] };
};

const tokens = z.number().int().min(0);
const usage = z
  .object({ input_tokens: tokens.nullish().catch(null), output_tokens: tokens.nullish().catch(null) })
  .nullish()
  .catch(null);

const whole = z.object({ type: z.literal("message"), content: z.array(block), stop_reason: optionalText, usage });

interface Said {
  blocks: Block[];
  stopReason: string | null;
  usage: AnswerView["usage"];
  ended: boolean;
}

const viewOf = ({ blocks, stopReason, usage: spent, ended }: Said): AnswerView => {
  const reasoning = blocks.flatMap(({ thinking }) => thinking ?? []).join("\n");
  const choice = {
    text: blocks.flatMap(({ type, text }) => (type === "text" ? (text ?? []) : [])).join(""),
    refusal: null,
    toolCalls: blocks
      .filter(({ type }) => type === "tool_use")
      .map(({ name, input }) => ({
        name: name ?? "",
        arguments: typeof input === "string" ? input : (JSON.stringify(input) ?? ""),
      })),
    finishReason: stopReason,
  };
  return {
    choices: [reasoning === "" ? choice : { ...choice, reasoning }],
    usage: spent,
    complete: ended && stopReason !== null,
  };
};

const event = z.object({
  type: z.string(),
  index: z.number().int().min(0).catch(0),
  message: z.object({ usage }).nullish().catch(null),
  content_block: block.nullish().catch(null),
  delta: z
    .object({ text: optionalText, thinking: optionalText, partial_json: optionalText, stop_reason: optionalText })
    .nullish()
    .catch(null),
  usage,
});

const readStream = (chunks: readonly unknown[]): AnswerView | null => {
  const blocks = new Map<number, Block>();
  let stopReason: string | null = null;
  let promptTokens = 0;
  let completionTokens: number | null = null;
  let begun = false;
  let ended = false;
  for (const chunk of chunks) {
    const read = event.safeParse(chunk);
    if (!read.success) continue;
    const { type, index, message: opening, content_block: opened, delta, usage: spent } = read.data;
    begun ||= type === "message_start";
    ended ||= type === "message_stop";
    promptTokens = opening?.usage?.input_tokens ?? promptTokens;
    completionTokens = spent?.output_tokens ?? completionTokens;
    stopReason = delta?.stop_reason ?? stopReason;
    if (opened) blocks.set(index, { ...opened, input: "" });
    const grown = blocks.get(index);
    if (type !== "content_block_delta" || !delta || grown === undefined) continue;
    if (delta.text) grown.text = (grown.text ?? "") + delta.text;
    if (delta.thinking) grown.thinking = (grown.thinking ?? "") + delta.thinking;
    if (delta.partial_json) grown.input = `${grown.input}${delta.partial_json}`;
  }
  if (!begun) return null;
  const spent = completionTokens === null ? null : { promptTokens, completionTokens };
  return viewOf({ blocks: [...blocks.values()], stopReason, usage: spent, ended });
};

export const readMessagesAnswer = (body: AnswerBody): AnswerView | null => {
  if (body.kind === "stream") return readStream(body.chunks);
  const answer = whole.safeParse(body.json);
  if (!answer.success) return null;
  const { content: blocks, stop_reason: stopReason, usage: spent } = answer.data;
  const counted = spent ? { promptTokens: spent.input_tokens ?? 0, completionTokens: spent.output_tokens ?? 0 } : null;
  return viewOf({ blocks, stopReason: stopReason ?? null, usage: counted, ended: true });
};
