/** Responses (`/responses`): what a conversation says, and what was answered, whole or in a stream's last event. */
import { z } from "zod";
import { type AnswerBody, readRequestFields } from "./json-body.ts";
import type { AnswerView, RequestView, Turn } from "./views.ts";

const optionalText = z.string().nullish().catch(null);
const part = z
  .object({ type: optionalText, text: optionalText, refusal: optionalText })
  .catch({ type: null, text: null, refusal: null });
const parts = z.array(part).catch([]);

type Part = z.infer<typeof part>;
const join = (list: readonly Part[], pick: (part: Part) => string | null | undefined, between = "\n"): string =>
  list.flatMap((one) => pick(one) ?? []).join(between);

const roles: ReadonlyMap<string, Turn["role"]> = new Map([
  ["system", "system"],
  ["developer", "developer"],
  ["assistant", "assistant"],
]);

const content = z.union([z.string(), parts.transform((list) => join(list, ({ text, refusal }) => text ?? refusal))]);

/** Items that are no turn (calls, reasoning) say nothing in a conversation; what a tool gave back is a turn of the tool's. */
const item = z
  .object({
    type: optionalText,
    role: optionalText,
    content: content.nullish().catch(null),
    output: content.nullish().catch(null),
  })
  .transform(({ type, role, content: said, output }): Turn[] => {
    if (type?.endsWith("_output")) return [{ role: "tool", text: output ?? "" }];
    if (type && type !== "message") return [];
    return [{ role: roles.get(role ?? "") ?? "user", text: said ?? "" }];
  })
  .catch([]);

const request = z.object({
  instructions: optionalText,
  input: z
    .union([
      z.string().transform((text): Turn[] => [{ role: "user", text }]),
      z.array(item).transform((turns) => turns.flat()),
    ])
    .nullish()
    .catch(null),
  max_output_tokens: z.number().nullish().catch(null),
});

export const readResponsesRequest = (json: unknown): RequestView | null => {
  const fields = readRequestFields(json);
  const body = request.safeParse(json);
  if (fields === null || !body.success) return null;
  const { instructions, input, max_output_tokens: most } = body.data;
  const system: Turn[] = instructions ? [{ role: "system", text: instructions }] : [];
  // A fork asks over chat completions, where the limit has this name.
  const parameters = most ? { ...fields.parameters, max_tokens: most } : fields.parameters;
  return { ...fields, parameters, turns: [...system, ...(input ?? [])] };
};

const output = z
  .object({
    type: optionalText,
    content: parts,
    summary: parts,
    name: optionalText,
    arguments: optionalText,
    input: optionalText,
  })
  .catch({ type: null, content: [], summary: [], name: null, arguments: null, input: null });

const tokens = z.number().int().min(0);
const response = z.object({
  status: optionalText,
  incomplete_details: z.object({ reason: optionalText }).nullish().catch(null),
  output: z.array(output),
  usage: z.object({ input_tokens: tokens, output_tokens: tokens }).nullish().catch(null),
});

const readWhole = (json: unknown): AnswerView | null => {
  const whole = response.safeParse(json);
  if (!whole.success) return null;
  const { status, incomplete_details: cut, output: items, usage } = whole.data;
  const said = items.filter(({ type }) => type === "message").flatMap((one) => one.content);
  const refusal = join(said, (one) => one.refusal, "");
  const reasoning = join(
    items.filter(({ type }) => type === "reasoning").flatMap((one) => [...one.summary, ...one.content]),
    ({ text }) => text,
  );
  const finishReason = status === "completed" ? "stop" : (cut?.reason ?? null);
  const choice = {
    text: join(said, ({ text }) => text, ""),
    refusal: refusal === "" ? null : refusal,
    toolCalls: items
      .filter(({ type }) => type === "function_call" || type === "custom_tool_call")
      .map((call) => ({ name: call.name ?? "", arguments: call.arguments ?? call.input ?? "" })),
    finishReason,
  };
  return {
    choices: [reasoning === "" ? choice : { ...choice, reasoning }],
    usage: usage ? { promptTokens: usage.input_tokens, completionTokens: usage.output_tokens } : null,
    complete: finishReason !== null,
  };
};

const lastEvent = z.object({
  type: z.enum(["response.completed", "response.incomplete"]),
  response: z.unknown(),
});

/** A stream's last event repeats the whole answer, so nothing needs to be put together. */
export const readResponsesAnswer = (body: AnswerBody): AnswerView | null => {
  if (body.kind === "whole") return readWhole(body.json);
  for (const chunk of body.chunks.toReversed()) {
    const last = lastEvent.safeParse(chunk);
    if (last.success) return readWhole(last.data.response);
  }
  return null;
};
