/** Finds every carrier of a request's or an answer's body. What cannot be read is said, never passed over. */
import { atOnce, inTurns, type Steps } from "../kernel/steps.ts";
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

/** Each step takes milliseconds where the body has megabytes. */
function* inspectSteps(bytes: Buffer, read: ((body: Fields) => Inspection) | undefined): Steps<Inspection> {
  if (read === undefined) return uninspected("unknown-path");
  const text = textOf(bytes);
  const body = text === null ? undefined : parseJson(text);
  if (text === null || !isFields(body)) return uninspected("unreadable-body");
  yield;
  const found = read(body);
  yield;
  if (!hasDuplicateKeys(text, body)) return found;
  // Which of two equal names counts differs between parsers: what the other side reads is not known.
  return { ...found, coverage: "partial", gaps: [...found.gaps, "unreadable-body"] };
}

/** `path` is the one below the base URL, as the dialects know it. */
const carryingAt = (path: string): Carrying | undefined => carrying.get(path.split("?", 1)[0] ?? "");

/** Whether anything on this path can be read. */
export const isInspectable = (path: string): boolean => carryingAt(path) !== undefined;

/** Larger bodies are inspected a little at a time. */
const longestAtOnce = 128 * 1024;

const inspect = (steps: Steps<Inspection>, bytes: Buffer): Inspection | Promise<Inspection> =>
  bytes.length <= longestAtOnce ? atOnce(steps) : inTurns(steps);

const requestSteps = (path: string, body: Buffer) => inspectSteps(body, carryingAt(path)?.request);
const answerSteps = (path: string, bytes: Buffer) => inspectSteps(bytes, carryingAt(path)?.answer);

export const inspectRequest = (path: string, body: Buffer): Inspection => atOnce(requestSteps(path, body));

/** Of a whole answer that is no event stream; `bytes` are without content encoding. */
export const inspectAnswer = (path: string, bytes: Buffer): Inspection => atOnce(answerSteps(path, bytes));

/** At once where the body is small, else between other work. */
export const inspectRequestInTurns = (path: string, body: Buffer): Inspection | Promise<Inspection> =>
  inspect(requestSteps(path, body), body);

/** At once where the body is small, else between other work. */
export const inspectAnswerInTurns = (path: string, bytes: Buffer): Inspection | Promise<Inspection> =>
  inspect(answerSteps(path, bytes), bytes);
