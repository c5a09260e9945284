/** Chat completions (`/chat/completions`): what a conversation says, and what was answered, whole or streamed. */
import { z } from "zod";
import { type AnswerBody, readRequestFields, usageField } from "./json-body.ts";
import type { AnswerView, RequestView, Turn } from "./views.ts";

type Choice = AnswerView["choices"][number];

const optionalText = z.string().nullish().catch(null);
const index = z.number().int().min(0).optional().catch(undefined);

const contentPart = z.object({ text: optionalText, refusal: optionalText }).catch({ text: null, refusal: null });

const joinParts = (parts: z.infer<typeof contentPart>[]): string =>
  parts.flatMap((part) => part.text ?? part.refusal ?? []).join("\n");

/** A string, or parts of which those without text (images, audio) say nothing here. */
const content = z
  .union([z.string(), z.array(contentPart).transform(joinParts)])
  .nullish()
  .catch(null);

const roles: ReadonlyMap<string, Turn["role"]> = new Map([
  ["system", "system"],
  ["developer", "developer"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["tool", "tool"],
  ["function", "tool"],
]);

/** A role that nobody knows is read as the user's: text from outside that is trusted least. */
const message = z.object({ role: z.string().catch("user"), content, refusal: optionalText }).transform(
  ({ role, content: text, refusal }): Turn => ({
    role: roles.get(role) ?? "user",
    text: text || refusal || "",
  }),
);

const messages = z.object({ messages: z.array(message.catch({ role: "user", text: "" })) });

export const readChatRequest = (json: unknown): RequestView | null => {
  const fields = readRequestFields(json);
  if (fields === null) return null;
  const conversation = messages.safeParse(json);
  return { ...fields, turns: conversation.success ? conversation.data.messages : [] };
};

const functionCall = z.object({ name: optionalText, arguments: optionalText }).nullish().catch(null);

const toolCall = z
  .object({
    index,
    id: optionalText,
    function: functionCall,
    custom: z.object({ name: optionalText, input: optionalText }).nullish().catch(null),
  })
  .catch({ index: undefined, id: null, function: null, custom: null });

const said = z.object({
  content,
  refusal: optionalText,
  reasoning_content: optionalText,
  reasoning: optionalText,
  tool_calls: z.array(toolCall).nullish().catch(null),
  function_call: functionCall,
});

const choice = z.object({
  index,
  message: said.nullish().catch(null),
  delta: said.nullish().catch(null),
  finish_reason: optionalText,
});

const answer = z.object({ choices: z.array(choice), usage: usageField });

type ToolCall = z.infer<typeof toolCall>;

/** Puts together what one choice says, whole or in deltas. */
const createChoiceAssembly = () => {
  let text = "";
  let refusal: string | null = null;
  let reasoning = "";
  let finishReason: string | null = null;
  const calls = new Map<number, { name: string; arguments: string }>();
  let lastCall = -1;

  // Some upstreams leave the index out: then an id opens a new call, and its absence continues the last one.
  const placeOf = (call: ToolCall): number => call.index ?? (call.id ? lastCall + 1 : Math.max(lastCall, 0));

  const addCall = (place: number, name: string | null | undefined, args: string | null | undefined): void => {
    const known = calls.get(place);
    calls.set(place, { name: name || (known?.name ?? ""), arguments: (known?.arguments ?? "") + (args ?? "") });
    lastCall = place;
  };

  return {
    add(part: z.infer<typeof choice>): void {
      finishReason = part.finish_reason ?? finishReason;
      const words = part.message ?? part.delta;
      if (!words) return;
      text += words.content ?? "";
      reasoning += words.reasoning_content ?? words.reasoning ?? "";
      if (words.refusal) refusal = (refusal ?? "") + words.refusal;
      for (const call of words.tool_calls ?? []) {
        addCall(
          placeOf(call),
          call.function?.name ?? call.custom?.name,
          call.function?.arguments ?? call.custom?.input,
        );
      }
      if (words.function_call) addCall(0, words.function_call.name, words.function_call.arguments);
    },
    read(): Choice {
      const inOrder = [...calls].sort(([one], [other]) => one - other).map(([, call]) => call);
      const whole = { text, refusal, toolCalls: inOrder, finishReason };
      return reasoning === "" ? whole : { ...whole, reasoning };
    },
  };
};

export const readChatAnswer = (body: AnswerBody): AnswerView | null => {
  const choices = new Map<number, ReturnType<typeof createChoiceAssembly>>();
  let usage: AnswerView["usage"] = null;
  let readable = false;
  for (const json of body.kind === "whole" ? [body.json] : body.chunks) {
    const part = answer.safeParse(json);
    if (!part.success) continue;
    readable = true;
    usage = part.data.usage ?? usage;
    for (const [place, piece] of part.data.choices.entries()) {
      const at = piece.index ?? place;
      const assembly = choices.get(at) ?? createChoiceAssembly();
      choices.set(at, assembly);
      assembly.add(piece);
    }
  }
  if (!readable) return null;
  const inOrder = [...choices].sort(([one], [other]) => one - other).map(([, assembly]) => assembly.read());
  const finished = inOrder.length > 0 && inOrder.every(({ finishReason }) => finishReason !== null);
  return { choices: inOrder, usage, complete: finished && (body.kind === "whole" || body.ended) };
};
