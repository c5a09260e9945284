/** Finds every carrier of a request's or an answer's body. What cannot be read is said, never passed over. */
import type { Gap, Inspection } from "./carriers.ts";
import { inspectChatAnswer, inspectChatRequest } from "./chat-carriers.ts";
import {
  inspectCompletionsAnswer,
  inspectCompletionsRequest,
  inspectEmbeddingsAnswer,
  inspectEmbeddingsRequest,
} from "./completions-carriers.ts";
import { type Fields, isFields } from "./inspecting.ts";
import { parseJson } from "./json-body.ts";
import { hasDuplicateKeys } from "./json-text.ts";
import { inspectMessagesAnswer, inspectMessagesRequest } from "./messages-carriers.ts";
import { inspectResponsesAnswer, inspectResponsesRequest } from "./responses-carriers.ts";

interface Carrying {
  request(body: Fields): Inspection;
  answer(body: Fields): Inspection;
}

const carrying: ReadonlyMap<string, Carrying> = new Map([
  ["/chat/completions", { request: inspectChatRequest, answer: inspectChatAnswer }],
  ["/completions", { request: inspectCompletionsRequest, answer: inspectCompletionsAnswer }],
  ["/responses", { request: inspectResponsesRequest, answer: inspectResponsesAnswer }],
  ["/messages", { request: inspectMessagesRequest, answer: inspectMessagesAnswer }],
  ["/embeddings", { request: inspectEmbeddingsRequest, answer: inspectEmbeddingsAnswer }],
]);

/** For what was not read at all. */
export const uninspected = (gap: Gap): Inspection => ({ carriers: [], coverage: "none", gaps: [gap] });

/** Null where the bytes are not valid UTF-8: a lenient server would read other text in them than this program. */
const textOf = (bytes: Buffer): string | null => {
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") && !Buffer.from(text, "utf8").equals(bytes) ? null : text;
};

const inspect = (bytes: Buffer, read: (body: Fields) => Inspection): Inspection => {
  const text = textOf(bytes);
  const body = text === null ? undefined : parseJson(text);
  if (text === null || !isFields(body)) return uninspected("unreadable-body");
  const found = read(body);
  if (!hasDuplicateKeys(text, body)) return found;
  // Which of two equal names counts differs between parsers: what the other side reads is not known.
  return { ...found, coverage: "partial", gaps: [...found.gaps, "unreadable-body"] };
};

/** `path` is the one below the base URL, as the dialects know it. */
const carryingAt = (path: string): Carrying | undefined => carrying.get(path.split("?", 1)[0] ?? "");

/** Whether anything on this path can be read. */
export const isInspectable = (path: string): boolean => carryingAt(path) !== undefined;

export const inspectRequest = (path: string, body: Buffer): Inspection => {
  const dialect = carryingAt(path);
  return dialect === undefined ? uninspected("unknown-path") : inspect(body, dialect.request);
};

/** Of a whole answer that is no event stream; `bytes` are without content encoding. */
export const inspectAnswer = (path: string, bytes: Buffer): Inspection => {
  const dialect = carryingAt(path);
  return dialect === undefined ? uninspected("unknown-path") : inspect(bytes, dialect.answer);
};
