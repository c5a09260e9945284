/**
 * Asks the subject over the chat completions API so that upstream sees what the app itself would send. Never logs or
 * returns a key, and never retries: pace is the scheduler's matter.
 */
import { readChatAnswer } from "../dialect/chat.ts";
import { decodeContent } from "../dialect/content-encoding.ts";
import { type AnswerBody, bodyOf } from "../dialect/json-body.ts";
import type { AnswerView, Turn } from "../dialect/views.ts";
import type { Ask, Question, Reply } from "./asking.ts";
import { firstTokenProbability } from "./first-token.ts";
import { type ImitationOptions, imitatedRequest, type Sendable } from "./imitated-request.ts";

interface Answer {
  status: number;
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>;
  body: Buffer;
}

export interface AskerOptions extends ImitationOptions {
  /** The way to the upstream, the same as the relay's. Rejects when there is no whole answer. */
  post(request: Sendable, signal: AbortSignal): Promise<Answer>;
  /** For the whole answer, milliseconds. */
  timeoutMs: number;
}

type Failed = Extract<Reply, { kind: "failed" }>;

const failed = (reason: Failed["reason"], detail: string, retryAfterMs: number | null = null): Failed => ({
  kind: "failed",
  reason,
  retryAfterMs,
  detail,
});

/** Where a server does not count: three bytes a token, which overstates most languages and understates few. */
const estimated = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

const promptText = (turns: readonly Turn[]): string => turns.map(({ text }) => text).join("\n");

/** Seconds, milliseconds, or a date read against the server's own clock: ours may be wrong. */
const retryAfterOf = (headers: Answer["headers"]): number | null => {
  const milliseconds = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (milliseconds >= 0) return milliseconds;
  const after = headers.get("retry-after") ?? "";
  if (/^\s*\d+(\.\d+)?\s*$/.test(after)) return Number(after) * 1000;
  const wait = Date.parse(after) - Date.parse(headers.get("date") ?? "");
  return Number.isNaN(wait) ? null : Math.max(0, wait);
};

const reasonOf = (status: number): Failed["reason"] => {
  if (status === 429) return "rate-limited";
  if (status === 408 || status === 504) return "timeout";
  return status >= 500 ? "unavailable" : "rejected";
};

interface ReadAnswer {
  view: AnswerView;
  body: AnswerBody;
}

/** Null for what is no chat completion, or one that broke off. */
const readAnswer = async ({ headers, body }: Answer): Promise<ReadAnswer | null> => {
  const decoded = await decodeContent(body, headers.get("content-encoding"));
  if (decoded.kind === "undecodable") return null;
  const read = bodyOf(headers.get("content-type") ?? "", decoded.bytes);
  const answer = readChatAnswer(read);
  if (answer === null || answer.choices.length === 0) return null;
  // Some servers give no reason for the end, others no mark of it.
  const ended = read.kind === "whole" || read.ended || answer.choices.every((choice) => choice.finishReason !== null);
  return ended ? { view: answer, body: read } : null;
};

const answered = ({ view: { choices, usage }, body }: ReadAnswer, { turns, repeatable }: Question): Reply => {
  const choice = choices[0];
  // What is said beside a call is no answer to the question; to count it as a harmless one would hide harm.
  if (choice !== undefined && choice.toolCalls.length > 0) return failed("empty", "the answer calls a tool");
  const text = choice?.text || choice?.refusal || "";
  if (text.trim() === "") return failed("empty", "the answer holds no text");
  const firstToken = repeatable?.logprobs === true ? firstTokenProbability(body) : null;
  return {
    kind: "answered",
    text,
    ...(firstToken === null ? {} : { firstToken }),
    tokens: {
      prompt: usage?.promptTokens ?? estimated(promptText(turns)),
      completion: usage?.completionTokens ?? estimated(text),
    },
  };
};

export const createAsker = (options: AskerOptions): Ask => {
  /** Upstream's own words stay out of `detail`: some servers repeat the key in them. */
  const hear = async (question: Question, signal: AbortSignal): Promise<Reply> => {
    const answer = await options.post(imitatedRequest(question, options), signal);
    const { status, headers } = answer;
    if (status < 200 || status > 299) return failed(reasonOf(status), `status ${status}`, retryAfterOf(headers));
    const read = await readAnswer(answer);
    return read === null ? failed("unavailable", "the answer is not a chat completion") : answered(read, question);
  };

  return async (question, signal) => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), options.timeoutMs);
    try {
      return await hear(question, AbortSignal.any([signal, deadline.signal]));
    } catch {
      return deadline.signal.aborted && !signal.aborted
        ? failed("timeout", "no whole answer in time")
        : failed("unavailable", "no connection, or it broke");
    } finally {
      clearTimeout(timer);
    }
  };
};
