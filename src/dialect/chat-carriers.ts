/** Where text travels in chat completions: every turn, part, tool and choice of a request and of a whole answer. */
import type { Carrier, Inspection } from "./carriers.ts";
import { readContent, readTokens } from "./content-carriers.ts";
import { type About, createInspecting, type Fields, type Inspecting, isFields, type Path } from "./inspecting.ts";

const roles: ReadonlyMap<unknown, Carrier["role"]> = new Map([
  ["system", "system"],
  ["developer", "developer"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["tool", "tool"],
  ["function", "tool"],
]);

/** A role that nobody knows is read as the user's: text from outside that is trusted least. */
export const roleOf = (role: unknown): Carrier["role"] => roles.get(role) ?? "user";

const nameIn = (fields: unknown): string | null =>
  isFields(fields) && typeof fields.name === "string" ? fields.name : null;

/** A call by the model, in either of its forms: a function with arguments, or a custom tool with free input. */
const readToolCall = (into: Inspecting, call: unknown, at: Path, about: About): void => {
  if (!isFields(call)) {
    into.text("tool-arguments", call, at, about);
    return;
  }
  for (const form of ["function", "custom"] as const) {
    const called = call[form];
    if (!isFields(called)) {
      into.text("tool-arguments", called, [...at, form], about);
      continue;
    }
    readCalled(into, called, [...at, form], about);
  }
  into.rest(call, at, ["function", "custom", "index"], about);
};

/** Arguments are text by the API's definition, but some servers send the object itself. */
const readCalled = (into: Inspecting, called: Fields, at: Path, about: About): void => {
  const known = { ...about, tool: nameIn(called) };
  for (const field of ["arguments", "input"]) {
    const value = called[field];
    if (typeof value === "string") into.text("tool-arguments", value, [...at, field], known);
    else into.json("tool-arguments", value, [...at, field], known);
  }
  if (called.arguments === undefined && called.input === undefined) {
    into.text("tool-arguments", "", [...at, "arguments"], known);
  }
  into.rest(called, at, ["arguments", "input"], known);
};

const wordsOfMessages = [
  ...["role", "content", "refusal", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"],
  ...["tool_calls", "function_call", "audio"],
];

/** What a message holds in a request as well as in an answer. */
const readSaid = (into: Inspecting, said: Fields, at: Path, about: About): void => {
  const isResult = about.role === "tool";
  readContent(into, isResult ? "tool-result" : "message", said.content, [...at, "content"], about);
  into.text("refusal", said.refusal, [...at, "refusal"], about);
  into.text("reasoning", said.reasoning_content, [...at, "reasoning_content"], about);
  into.text("reasoning", said.reasoning, [...at, "reasoning"], about);
  readReasoningParts(into, said.reasoning_details, [...at, "reasoning_details"], about);
  readReasoningParts(into, said.thinking_blocks, [...at, "thinking_blocks"], about);
  if (Array.isArray(said.tool_calls)) {
    for (const [place, call] of said.tool_calls.entries()) {
      readToolCall(into, call, [...at, "tool_calls", place], about);
    }
  } else into.text("tool-arguments", said.tool_calls, [...at, "tool_calls"], about);
  if (isFields(said.function_call)) readCalled(into, said.function_call, [...at, "function_call"], about);
  else into.text("tool-arguments", said.function_call, [...at, "function_call"], about);
  if (isFields(said.audio)) {
    into.gap("audio");
    into.text("message", said.audio.transcript, [...at, "audio", "transcript"], about);
    into.rest(said.audio, [...at, "audio"], ["data", "transcript"], about);
  }
  into.rest(said, at, wordsOfMessages, about);
};

/** Parts of the model's reasoning as gateways pass them on; some are encrypted. */
const readReasoningParts = (into: Inspecting, parts: unknown, at: Path, about: About): void => {
  if (!Array.isArray(parts)) {
    into.text("reasoning", parts, at, about);
    return;
  }
  for (const [place, part] of parts.entries()) {
    if (!isFields(part)) into.text("reasoning", part, [...at, place], about);
    else {
      if (String(part.type).includes("encrypted") || part.type === "redacted_thinking") into.gap("encrypted-reasoning");
      for (const field of ["text", "summary", "thinking"]) {
        into.text("reasoning", part[field], [...at, place, field], about);
      }
      into.rest(part, [...at, place], ["text", "summary", "thinking", "data", "signature", "format"], about);
    }
  }
};

/** Which tool a result belongs to, by the id of the call that it answers. */
const toolNames = (messages: readonly unknown[]): ReadonlyMap<unknown, string> => {
  const names = new Map<unknown, string>();
  for (const message of messages) {
    if (!isFields(message) || !Array.isArray(message.tool_calls)) continue;
    for (const call of message.tool_calls) {
      if (!isFields(call)) continue;
      const name = nameIn(call.function) ?? nameIn(call.custom);
      if (name !== null) names.set(call.id, name);
    }
  }
  return names;
};

const readMessages = (into: Inspecting, messages: unknown): void => {
  if (!Array.isArray(messages)) {
    into.text("message", messages, ["messages"]);
    return;
  }
  const names = toolNames(messages);
  for (const [place, message] of messages.entries()) {
    const at = ["messages", place];
    if (!isFields(message)) {
      into.text("message", message, at, { role: "user" });
      continue;
    }
    const role = roleOf(message.role);
    const tool = role === "tool" ? (names.get(message.tool_call_id) ?? nameIn(message)) : null;
    readSaid(into, message, at, { role, tool });
    // A template may print a role that the API does not define.
    if (role === "user" && message.role !== "user") into.text("parameter", message.role, [...at, "role"], { role });
  }
};

/** Tools as the app offers them: each one is a text of its own. */
export const readTools = (into: Inspecting, tools: unknown, at: Path): void => {
  if (!Array.isArray(tools)) {
    into.text("tool-definition", tools, at);
    return;
  }
  for (const [place, tool] of tools.entries()) {
    const name = nameIn(tool) ?? (isFields(tool) ? (nameIn(tool.function) ?? nameIn(tool.custom)) : null);
    into.words("tool-definition", tool, [...at, place], { tool: name });
  }
};

export const inspectChatRequest = (body: Fields): Inspection => {
  const into = createInspecting();
  readMessages(into, body.messages);
  readTools(into, body.tools, ["tools"]);
  readTools(into, body.functions, ["functions"]);
  into.rest(body, [], ["messages", "tools", "functions", "model"]);
  return into.done();
};

/** A choice of a whole answer, or of one event of a streamed one. */
export const readChoice = (into: Inspecting, choice: unknown, place: number): void => {
  const at: Path = ["choices", place];
  if (!isFields(choice)) {
    into.text("message", choice, at, { choice: place });
    return;
  }
  const about: About = { role: "assistant", choice: typeof choice.index === "number" ? choice.index : place };
  for (const form of ["message", "delta"]) {
    const said = choice[form];
    if (isFields(said)) readSaid(into, said, [...at, form], about);
    else into.text("message", said, [...at, form], about);
  }
  if (isFields(choice.logprobs)) {
    readTokens(into, choice.logprobs.content, [...at, "logprobs", "content"], about);
    readTokens(into, choice.logprobs.refusal, [...at, "logprobs", "refusal"], about);
  }
  into.rest(choice, at, ["message", "delta", "logprobs"], about);
};

export const inspectChatAnswer = (body: Fields): Inspection => {
  const into = createInspecting();
  if (Array.isArray(body.choices)) {
    for (const [place, choice] of body.choices.entries()) readChoice(into, choice, place);
  } else into.text("message", body.choices, ["choices"]);
  into.rest(body, [], ["choices", "usage"]);
  return into.done();
};
