/**
 * Finds the dialect of a path and reads requests and answers in it. What is read is a copy and may be hostile: whatever
 * cannot be read is null, and nothing here throws.
 */
import { readChatAnswer, readChatRequest } from "./chat.ts";
import { readCompletionsAnswer, readCompletionsRequest } from "./completions.ts";
import { readEmbeddingsAnswer, readEmbeddingsRequest } from "./embeddings.ts";
import { type AnswerBody, bodyOf, parseJson } from "./json-body.ts";
import { readMessagesAnswer, readMessagesRequest } from "./messages.ts";
import { readResponsesAnswer, readResponsesRequest } from "./responses.ts";
import type { AnswerView, RequestView } from "./views.ts";

interface Dialect {
  answersInText: boolean;
  readRequest(json: unknown): RequestView | null;
  readAnswer(body: AnswerBody): AnswerView | null;
}

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ["/chat/completions", { answersInText: true, readRequest: readChatRequest, readAnswer: readChatAnswer }],
  ["/completions", { answersInText: true, readRequest: readCompletionsRequest, readAnswer: readCompletionsAnswer }],
  ["/responses", { answersInText: true, readRequest: readResponsesRequest, readAnswer: readResponsesAnswer }],
  ["/messages", { answersInText: true, readRequest: readMessagesRequest, readAnswer: readMessagesAnswer }],
  ["/embeddings", { answersInText: false, readRequest: readEmbeddingsRequest, readAnswer: readEmbeddingsAnswer }],
]);

const dialectOf = (path: string): Dialect | undefined =>
  dialects.get(path) ?? dialects.get(path.split("?", 1)[0] ?? "");

/** Whether answers on this path can hold text that somebody said. */
export const answersInText = (path: string): boolean => dialectOf(path)?.answersInText ?? false;

/** `path` is the one below the base URL. Null for paths of no dialect and for bodies that are not a JSON object. */
export const readRequest = (path: string, body: Buffer): RequestView | null =>
  dialectOf(path)?.readRequest(parseJson(body.toString("utf8"))) ?? null;

/** `bytes` are without content encoding. Null also for error bodies: they answer nothing. */
export const readAnswer = (path: string, contentType: string, bytes: Buffer): AnswerView | null =>
  dialectOf(path)?.readAnswer(bodyOf(contentType, bytes)) ?? null;
