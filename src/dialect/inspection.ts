/** Finds every carrier of a request's or an answer's body. What cannot be read is said, never passed over. */
import { inTurns, type Steps } from "../kernel/steps.ts";
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

/** Reads a body that was taken apart. */
type Read = (body: Fields) => Inspection;

/** What a body says; null where that can't be told. */
const bodyIn = (bytes: Buffer): { text: string; body: Fields } | null => {
  const text = textOf(bytes);
  const body = text === null ? undefined : parseJson(text);
  return text === null || !isFields(body) ? null : { text, body };
};

/** Which of two equal names counts differs between parsers: what the other side reads is not known. */
const ambiguous = (found: Inspection): Inspection => ({
  ...found,
  coverage: "partial",
  gaps: [...found.gaps, "unreadable-body"],
});

const inspectNow = (bytes: Buffer, read: Read): Inspection => {
  const said = bodyIn(bytes);
  if (said === null) return uninspected("unreadable-body");
  const found = read(said.body);
  return hasDuplicateKeys(said.text, said.body) ? ambiguous(found) : found;
};

/** The same in steps, each of which takes milliseconds where the body has megabytes. Every short body would pay for steps. */
function* inspectSteps(bytes: Buffer, read: Read): Steps<Inspection> {
  const said = bodyIn(bytes);
  if (said === null) return uninspected("unreadable-body");
  yield;
  const found = read(said.body);
  yield;
  return hasDuplicateKeys(said.text, said.body) ? ambiguous(found) : found;
}

/** `path` is the one below the base URL, as the dialects know it. */
const carryingAt = (path: string): Carrying | undefined => {
  const end = path.indexOf("?");
  return carrying.get(end === -1 ? path : path.slice(0, end));
};

/** Whether anything on this path can be read. */
export const isInspectable = (path: string): boolean => carryingAt(path) !== undefined;

/** Larger bodies are inspected a little at a time. */
export const longestAtOnce = 128 * 1024;

const inspect = (bytes: Buffer, read: Read | undefined): Inspection =>
  read === undefined ? uninspected("unknown-path") : inspectNow(bytes, read);

const inspectInTurns = (bytes: Buffer, read: Read | undefined): Inspection | Promise<Inspection> =>
  read === undefined || bytes.length <= longestAtOnce ? inspect(bytes, read) : inTurns(inspectSteps(bytes, read));

export const inspectRequest = (path: string, body: Buffer): Inspection => inspect(body, carryingAt(path)?.request);

/** Of a whole answer that is no event stream; `bytes` are without content encoding. */
export const inspectAnswer = (path: string, bytes: Buffer): Inspection => inspect(bytes, carryingAt(path)?.answer);

/** At once where the body is small, else between other work. */
export const inspectRequestInTurns = (path: string, body: Buffer): Inspection | Promise<Inspection> =>
  inspectInTurns(body, carryingAt(path)?.request);

/** At once where the body is small, else between other work. */
export const inspectAnswerInTurns = (path: string, bytes: Buffer): Inspection | Promise<Inspection> =>
  inspectInTurns(bytes, carryingAt(path)?.answer);
