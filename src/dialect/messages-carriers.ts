/** Where text travels in Anthropic's messages (`/messages`): system, turns and their blocks, tools, answers. */
import type { CarrierKind, Inspection } from "./carriers.ts";
import { readTools, roleOf } from "./chat-carriers.ts";
import { readPart, typeOf } from "./content-carriers.ts";
import { type About, createInspecting, type Fields, type Inspecting, isFields, type Path } from "./inspecting.ts";

const calls: ReadonlySet<string> = new Set(["tool_use", "server_tool_use", "mcp_tool_use"]);
/** `tool_result`, and one for each tool that the API runs itself: `web_search_tool_result`, `mcp_tool_result`... */
const isResult = (type: string): boolean => type.endsWith("tool_result");

/** A document's own text; other sources of documents are files. */
const readDocument = (
  into: Inspecting,
  block: Fields,
  at: Path,
  kind: CarrierKind,
  about: About,
  names: Names,
): void => {
  const { source } = block;
  if (isFields(source) && source.type === "text") {
    into.text(kind, source.data, [...at, "source", "data"], about);
  } else if (isFields(source) && source.type === "content") {
    readBlocks(into, kind, source.content, [...at, "source", "content"], about, names);
  } else into.gap("file");
  into.rest(block, at, ["source", "cache_control"], about);
};

type Names = ReadonlyMap<unknown, string>;

const readBlock = (into: Inspecting, kind: CarrierKind, block: unknown, at: Path, about: About, names: Names): void => {
  const type = isFields(block) ? typeOf(block) : "";
  if (!isFields(block)) readPart(into, kind, block, at, about);
  else if (calls.has(type)) {
    const known = { ...about, tool: typeof block.name === "string" ? block.name : null };
    into.json("tool-arguments", block.input, [...at, "input"], known);
    into.rest(block, at, ["input", "cache_control"], known);
  } else if (isResult(type)) {
    const known = { ...about, tool: names.get(block.tool_use_id) ?? null };
    readBlocks(into, "tool-result", block.content, [...at, "content"], known, names);
    into.rest(block, at, ["content", "cache_control"], known);
  } else if (type === "document") readDocument(into, block, at, kind, about, names);
  else if (type === "search_result") {
    readBlocks(into, kind, block.content, [...at, "content"], about, names);
    into.rest(block, at, ["content", "cache_control"], about);
  } else if (type === "web_search_result") {
    into.gap("encrypted-reasoning");
    into.rest(block, at, ["encrypted_content"], about);
  } else readPart(into, kind, block, at, about);
};

function readBlocks(into: Inspecting, kind: CarrierKind, content: unknown, at: Path, about: About, names: Names): void {
  if (Array.isArray(content)) {
    for (const [place, block] of content.entries()) readBlock(into, kind, block, [...at, place], about, names);
  } else if (isFields(content)) readBlock(into, kind, content, at, about, names);
  else into.text(kind, content, at, about);
}

const toolNames = (messages: readonly unknown[]): Names => {
  const names = new Map<unknown, string>();
  for (const message of messages) {
    if (!isFields(message) || !Array.isArray(message.content)) continue;
    for (const block of message.content) {
      if (isFields(block) && calls.has(typeOf(block)) && typeof block.name === "string")
        names.set(block.id, block.name);
    }
  }
  return names;
};

export const inspectMessagesRequest = (body: Fields): Inspection => {
  const into = createInspecting();
  readBlocks(into, "message", body.system, ["system"], { role: "system" }, new Map());
  const messages = Array.isArray(body.messages) ? body.messages : [];
  if (!Array.isArray(body.messages)) into.text("message", body.messages, ["messages"]);
  const names = toolNames(messages);
  for (const [place, message] of messages.entries()) {
    const at: Path = ["messages", place];
    if (!isFields(message)) {
      into.text("message", message, at, { role: "user" });
      continue;
    }
    const role = roleOf(message.role);
    readBlocks(into, "message", message.content, [...at, "content"], { role }, names);
    if (role === "user" && message.role !== "user") into.text("parameter", message.role, [...at, "role"], { role });
    into.rest(message, at, ["content", "role"], { role });
  }
  readTools(into, body.tools, ["tools"]);
  into.rest(body, [], ["system", "messages", "tools", "model"]);
  return into.done();
};

/** One block of an answer, be it in the body or at the start of a streamed one. */
export const readAnswerBlock = (into: Inspecting, block: unknown, at: Path): void =>
  readBlock(into, "message", block, at, { role: "assistant", choice: 0 }, new Map());

export const inspectMessagesAnswer = (body: Fields): Inspection => {
  const into = createInspecting();
  if (Array.isArray(body.content)) {
    for (const [place, block] of body.content.entries()) readAnswerBlock(into, block, ["content", place]);
  } else into.text("message", body.content, ["content"], { role: "assistant", choice: 0 });
  into.rest(body, [], ["content", "usage"], { choice: 0 });
  return into.done();
};
