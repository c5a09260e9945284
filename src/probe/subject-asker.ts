/**
 * Asks the subject over the chat completions API so that upstream sees what the app itself would send: its headers,
 * its parameters, its way of streaming. Never logs or returns a key, and never retries: pace is the scheduler's matter.
 */
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import { z } from "zod";
import type { Turn } from "../dialect/views.ts";
import type { Ask, Question, Reply } from "./asking.ts";

export interface AskerOptions {
  /** Where the API's paths begin, usually ending in /v1. */
  baseUrl: string;
  model: string;
  /** The only way to the network. */
  fetch: typeof globalThis.fetch;
  /** Sent with questions that carry no caller's key; null sends none (local servers need none). */
  key: string | null;
  /** False where the upstream has a key of its own: then a caller's key is meant for Candor and must not travel on. */
  passCallerKey: boolean;
  /** For the whole answer, milliseconds. */
  timeoutMs: number;
  maxAnswerTokens: number;
}

type Failed = Extract<Reply, { kind: "failed" }>;

const callerKeys = ["authorization", "api-key", "x-api-key"] as const;

const imitable = (name: string): boolean =>
  ["user-agent", "accept", "accept-language"].includes(name) ||
  name.startsWith("x-stainless-") ||
  name.startsWith("openai-");

/** What the SDK would say of itself. Null takes a header away. */
const ownMarks = Object.fromEntries(
  ["lang", "package-version", "os", "arch", "runtime", "runtime-version", "retry-count", "timeout"].map(
    (name): [string, null] => [`x-stainless-${name}`, null],
  ),
);

const headersFor = (question: Question, options: AskerOptions): Record<string, string | null> => {
  const given = new Map(Object.entries(question.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const imitated = Object.fromEntries([...given].filter(([name]) => imitable(name)));
  const caller = options.passCallerKey
    ? Object.fromEntries([...given].filter(([name]) => callerKeys.some((key) => key === name)))
    : {};
  const own = options.key === null ? null : `Bearer ${options.key}`;
  return {
    ...(Object.keys(imitated).length > 0 ? { ...ownMarks, ...imitated } : {}),
    authorization: Object.keys(caller).length > 0 ? null : own,
    ...caller,
  };
};

/** Sampling as the app does it. Tools, answer formats and several choices would keep an answer from being read. */
const reused = [
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "seed",
  "stop",
  "presence_penalty",
  "frequency_penalty",
  "repetition_penalty",
  "reasoning_effort",
] as const;

/** Reasoning models take only the newer name; everything else understands the older one. */
const answerBound = (parameters: Record<string, unknown>, most: number): Record<string, number> => {
  const bounded = (value: unknown): number => (typeof value === "number" && value > 0 ? Math.min(value, most) : most);
  const newer = parameters.max_completion_tokens !== undefined || parameters.reasoning_effort !== undefined;
  return newer
    ? { max_completion_tokens: bounded(parameters.max_completion_tokens) }
    : { max_tokens: bounded(parameters.max_tokens) };
};

const bodyFor = ({ turns, parameters }: Question, options: AskerOptions): Record<string, unknown> => ({
  model: options.model,
  messages: turns.map(({ role, text }) => ({ role, content: text })),
  ...Object.fromEntries(reused.flatMap((name) => (name in parameters ? [[name, parameters[name]]] : []))),
  ...answerBound(parameters, options.maxAnswerTokens),
  ...(parameters.stream === true
    ? {
        stream: true,
        ...(parameters.stream_options === undefined ? {} : { stream_options: parameters.stream_options }),
      }
    : {}),
});

const usage = z
  .looseObject({ prompt_tokens: z.number().min(0), completion_tokens: z.number().min(0) })
  .nullish()
  .catch(null);
const spoken = z.looseObject({ content: z.string().nullish().catch(null), refusal: z.string().nullish().catch(null) });
const completion = z.looseObject({ choices: z.array(z.looseObject({ message: spoken })).min(1), usage });
const chunk = z.looseObject({ choices: z.array(z.looseObject({ delta: spoken.optional() })), usage });

interface Heard {
  text: string;
  usage: z.infer<typeof usage>;
}

const textOf = ({ content, refusal }: z.infer<typeof spoken>): string => content || refusal || "";

const readWhole = (body: unknown): Heard => {
  const parsed = completion.parse(body);
  return { text: parsed.choices.map(({ message }) => textOf(message))[0] ?? "", usage: parsed.usage };
};

const readStream = async (chunks: AsyncIterable<unknown>): Promise<Heard> => {
  const heard: Heard = { text: "", usage: null };
  for await (const one of chunks) {
    const parsed = chunk.parse(one);
    const delta = parsed.choices[0]?.delta;
    if (delta !== undefined) heard.text += textOf(delta);
    heard.usage = parsed.usage ?? heard.usage;
  }
  return heard;
};

/** Where a server does not count: three bytes a token, which overstates most languages and understates few. */
const estimated = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

const promptText = (turns: readonly Turn[]): string => turns.map(({ text }) => text).join("\n");

const answered = ({ text, usage }: Heard, question: Question): Reply =>
  text.trim() === ""
    ? { kind: "failed", reason: "empty", retryAfterMs: null, detail: "the answer holds no text" }
    : {
        kind: "answered",
        text,
        tokens: {
          prompt: usage?.prompt_tokens ?? estimated(promptText(question.turns)),
          completion: usage?.completion_tokens ?? estimated(text),
        },
      };

/** Seconds, milliseconds, or a date read against the server's own clock: ours may be wrong. */
const retryAfterOf = (headers: Headers | undefined): number | null => {
  const milliseconds = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (milliseconds >= 0) return milliseconds;
  const after = headers?.get("retry-after") ?? "";
  if (/^\s*\d+(\.\d+)?\s*$/.test(after)) return Number(after) * 1000;
  const wait = Date.parse(after) - Date.parse(headers?.get("date") ?? "");
  return Number.isNaN(wait) ? null : Math.max(0, wait);
};

const reasonOf = (status: number): Failed["reason"] => {
  if (status === 429) return "rate-limited";
  if (status === 408 || status === 504) return "timeout";
  return status >= 500 ? "unavailable" : "rejected";
};

/** Upstream's own words stay out of `detail`: some servers repeat the key in them. */
const failed = (error: unknown, timedOut: boolean): Failed => {
  if (timedOut || error instanceof APIConnectionTimeoutError)
    return { kind: "failed", reason: "timeout", retryAfterMs: null, detail: "no whole answer in time" };
  if (error instanceof APIConnectionError)
    return { kind: "failed", reason: "unavailable", retryAfterMs: null, detail: "no connection, or it broke" };
  if (error instanceof APIError && typeof error.status === "number")
    return {
      kind: "failed",
      reason: reasonOf(error.status),
      retryAfterMs: retryAfterOf(error.headers),
      detail: `status ${error.status}`,
    };
  const detail = error instanceof z.ZodError ? "the answer is not a chat completion" : "the answer could not be read";
  return { kind: "failed", reason: "unavailable", retryAfterMs: null, detail };
};

export const createAsker = (options: AskerOptions): Ask => {
  const client = new OpenAI({
    baseURL: options.baseUrl,
    fetch: options.fetch,
    // Each question brings its own authorization; the SDK only wants to see something here.
    apiKey: "none",
    organization: null,
    project: null,
    maxRetries: 0,
    // Ours comes first: it also bounds the time that the body takes.
    timeout: options.timeoutMs + 1_000,
    logLevel: "off",
  });

  const hear = async (question: Question, signal: AbortSignal): Promise<Heard> => {
    const body = bodyFor(question, options);
    const request = { body, signal, headers: headersFor(question, options) };
    return body.stream === true
      ? readStream(await client.post<AsyncIterable<unknown>>("/chat/completions", { ...request, stream: true }))
      : readWhole(await client.post<unknown>("/chat/completions", request));
  };

  return async (question, signal) => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), options.timeoutMs);
    try {
      return answered(await hear(question, AbortSignal.any([signal, deadline.signal])), question);
    } catch (error) {
      return failed(error, deadline.signal.aborted && !signal.aborted);
    } finally {
      clearTimeout(timer);
    }
  };
};
