/**
 * Where text travels in responses (`/responses`): instructions, input items of every type, tools, output items. Items that
 * the API keeps on its side and that a request only names (`previous_response_id`, item references) are not in the body:
 * they were read when they were sent.
 */
import type { Carrier, Inspection } from "./carriers.ts";
import { readTools, roleOf } from "./chat-carriers.ts";
import { readContent, typeOf } from "./content-carriers.ts";
import { type About, createInspecting, type Fields, type Inspecting, isFields, type Path } from "./inspecting.ts";

const nameOf = (item: Fields): string | null => (typeof item.name === "string" ? item.name : null);

/** A turn of the conversation. Without a type, an item with content is one. */
const readMessageItem = (into: Inspecting, item: Fields, at: Path, about: About): void => {
  const role: Carrier["role"] = roleOf(item.role);
  readContent(into, "message", item.content, [...at, "content"], { ...about, role });
  if (role === "user" && item.role !== "user") into.text("parameter", item.role, [...at, "role"], { ...about, role });
  into.rest(item, at, ["content", "role"], about);
};

const readReasoningItem = (into: Inspecting, item: Fields, at: Path, about: About): void => {
  if (item.encrypted_content !== undefined && item.encrypted_content !== null) into.gap("encrypted-reasoning");
  for (const field of ["summary", "content"]) readContent(into, "reasoning", item[field], [...at, field], about);
  into.rest(item, at, ["summary", "content", "encrypted_content"], about);
};

/** Fields that hold what the model hands to a tool, by the item's type. */
const callFields: ReadonlyMap<string, readonly string[]> = new Map([
  ["function_call", ["arguments"]],
  ["custom_tool_call", ["input"]],
  ["mcp_call", ["arguments"]],
  ["mcp_approval_request", ["arguments"]],
  ["local_shell_call", ["action"]],
  ["shell_call", ["action"]],
  ["apply_patch_call", ["operation"]],
  ["computer_call", ["action", "actions", "pending_safety_checks"]],
  ["code_interpreter_call", ["code"]],
  ["web_search_call", ["action"]],
  ["file_search_call", ["queries"]],
]);

/** Of calls that the API itself runs, their results stand in the same item. */
const resultFields = ["output", "outputs", "results", "error"];

const readCallItem = (into: Inspecting, item: Fields, at: Path, about: About, fields: readonly string[]): void => {
  const known: About = { ...about, tool: nameOf(item) ?? typeOf(item) };
  for (const field of fields) {
    const value = item[field];
    if (typeof value === "string") into.text("tool-arguments", value, [...at, field], known);
    else into.json("tool-arguments", value, [...at, field], known);
  }
  for (const field of resultFields) {
    const value = item[field];
    if (typeof value === "string") into.text("tool-result", value, [...at, field], known);
    else if (value !== undefined) into.words("tool-result", value, [...at, field], known);
  }
  into.rest(item, at, [...fields, ...resultFields], known);
};

const resultItems: ReadonlySet<string> = new Set([
  ...["function_call_output", "custom_tool_call_output", "local_shell_call_output", "shell_call_output"],
  ...["apply_patch_call_output", "mcp_approval_response"],
]);

const readResultItem = (into: Inspecting, item: Fields, at: Path, about: About, tool: string | null): void => {
  const known: About = { ...about, role: "tool", tool };
  if (Array.isArray(item.output) && item.output.every((part) => isFields(part) && !("stdout" in part))) {
    readContent(into, "tool-result", item.output, [...at, "output"], known);
  } else if (typeof item.output === "string") into.text("tool-result", item.output, [...at, "output"], known);
  else if (item.output !== undefined) into.words("tool-result", item.output, [...at, "output"], known);
  into.rest(item, at, ["output"], known);
};

export const readItem = (
  into: Inspecting,
  item: unknown,
  at: Path,
  about: About,
  toolOf: ReadonlyMap<unknown, string> = new Map(),
): void => {
  if (!isFields(item)) {
    into.text("message", item, at, about);
    return;
  }
  const type = typeOf(item);
  const call = callFields.get(type);
  if (type === "message" || (type === "" && item.content !== undefined)) readMessageItem(into, item, at, about);
  else if (type === "reasoning") readReasoningItem(into, item, at, about);
  else if (call !== undefined) readCallItem(into, item, at, { role: "assistant", ...about }, call);
  else if (resultItems.has(type)) readResultItem(into, item, at, about, toolOf.get(item.call_id) ?? null);
  else if (type === "item_reference") into.rest(item, at, [], about);
  else if (type === "mcp_list_tools") readTools(into, item.tools, [...at, "tools"]);
  else if (type === "computer_call_output" || type === "image_generation_call") {
    into.gap("image");
    into.rest(item, at, ["output", "result"], about);
  } else {
    into.gap(type === "compaction" ? "encrypted-reasoning" : "unknown-part");
    into.words("message", item, at, about);
  }
};

const callNames = (items: readonly unknown[]): ReadonlyMap<unknown, string> =>
  new Map(
    items.flatMap((item): [unknown, string][] => {
      const name = isFields(item) ? nameOf(item) : null;
      return isFields(item) && item.call_id !== undefined && name !== null ? [[item.call_id, name]] : [];
    }),
  );

const readItems = (into: Inspecting, items: unknown, at: Path, about: About): void => {
  if (!Array.isArray(items)) {
    into.text("message", items, at, { role: "user", ...about });
    return;
  }
  const toolOf = callNames(items);
  for (const [place, item] of items.entries()) readItem(into, item, [...at, place], about, toolOf);
};

export const inspectResponsesRequest = (body: Fields): Inspection => {
  const into = createInspecting();
  if (typeof body.instructions === "string") {
    into.text("message", body.instructions, ["instructions"], { role: "system" });
  } else readItems(into, body.instructions, ["instructions"], { role: "system" });
  readItems(into, body.input, ["input"], {});
  readTools(into, body.tools, ["tools"]);
  into.rest(body, [], ["instructions", "input", "tools", "model"]);
  return into.done();
};

/** What an answer repeats from its request: it was read there, and is no word of the model's. */
const echoed = [
  "instructions",
  "tools",
  "metadata",
  "text",
  "tool_choice",
  "reasoning",
  "prompt",
  "user",
  "safety_identifier",
  "prompt_cache_key",
];

/** Reads a response object, be it the body or inside an event. */
export const readResponse = (into: Inspecting, response: Fields, at: Path): void => {
  readItems(into, response.output, [...at, "output"], { role: "assistant", choice: 0 });
  into.rest(response, at, ["output", "usage", ...echoed], { choice: 0 });
};

export const inspectResponsesAnswer = (body: Fields): Inspection => {
  const into = createInspecting();
  readResponse(into, body, []);
  return into.done();
};
