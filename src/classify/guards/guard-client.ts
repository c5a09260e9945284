/**
 * Posts to a judging API and says in one word what went wrong. One deadline covers everything that a judgement needs, to
 * the last byte; a reply has a greatest size. Never repeats a server's own words: they may hold what was judged, or the key.
 */
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import type { Judgement } from "../classifier.ts";
import type { Spending } from "../spending.ts";
import { usageOf } from "./call-usage.ts";

export interface GuardServer {
  /** An OpenAI-compatible API, usually ending in /v1. */
  baseUrl: string;
  /** Null for servers that need none. */
  key: string | null;
  /** The only way to the network. */
  fetch: typeof globalThis.fetch;
  /** Longest wait for a whole judgement, however many requests it takes. */
  timeoutMs: number;
  /** Counts the calls and may refuse them; without it they are neither counted nor limited. */
  spending?: Spending;
}

export interface GuardPost {
  path: "/chat/completions" | "/completions" | "/moderations";
  body: Record<string, unknown>;
}

export type Fault = Pick<Extract<Judgement, { kind: "error" }>, "kind" | "reason" | "detail" | "retryAfterMs">;
export type Answered = { kind: "replied"; body: unknown } | Fault;

export interface GuardClient {
  /** Runs `work`, all of whose posts share one deadline and end when `signal` does. */
  within<T>(
    signal: AbortSignal | undefined,
    work: (post: (request: GuardPost) => Promise<Answered>) => Promise<T>,
  ): Promise<T>;
}

/**
 * Parsing is done on the event loop, at about 1 ms for so much. A judge's 64 tokens with the likeliest 20 in each place
 * take about 130 KB.
 */
const largestReply = 256 * 1024;

class ReplyTooLarge extends Error {}

/** A reply that goes on for ever must not fill the memory before its deadline. */
const bounded =
  (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    let size = 0;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > largestReply) controller.error(new ReplyTooLarge());
        else controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(counter), response);
  };

const fault = (reason: Fault["reason"], detail: string): Fault => ({ kind: "error", reason, detail });

/** Seconds, or a date read against the server's own clock: ours may be wrong. */
const retryAfterMs = (headers: Headers | undefined): number | null => {
  const after = headers?.get("retry-after") ?? "";
  if (/^\d{1,6}$/.test(after)) return Number(after) * 1_000;
  const wait = Date.parse(after) - Date.parse(headers?.get("date") ?? "");
  return wait > 0 ? wait : null;
};

/** 429, and 503 of a server that says when to come back. */
const busy = (status: number, headers: Headers | undefined): Fault => {
  const reason = status === 429 ? "rate-limited" : "unavailable";
  const waitMs = retryAfterMs(headers);
  if (waitMs === null) return fault(reason, `status ${status}`);
  return { ...fault(reason, `status ${status}, retry after ${Math.ceil(waitMs / 1_000)} s`), retryAfterMs: waitMs };
};

const faultOf = (error: unknown): Fault => {
  if (error instanceof APIConnectionTimeoutError) return fault("timeout", "no connection in time");
  if (error instanceof APIConnectionError) return fault("unavailable", "no connection, or it broke");
  if (error instanceof APIError && (error.status === 429 || error.status === 503)) {
    return busy(error.status, error.headers);
  }
  if (error instanceof APIError) return fault("unavailable", `status ${error.status}`);
  if (error instanceof ReplyTooLarge) return fault("unparseable", `the reply is larger than ${largestReply} bytes`);
  if (error instanceof SyntaxError) return fault("unparseable", "the reply is not JSON");
  // What is left comes from the body's stream: the connection ended within the reply.
  return fault("unavailable", "the connection broke within the reply");
};

export const createGuardClient = ({ baseUrl, key, fetch, timeoutMs, spending }: GuardServer): GuardClient => {
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey: key ?? "none",
    organization: null,
    project: null,
    fetch: bounded(fetch),
    maxRetries: 0,
    // The package's own limit ends with the headers; the deadline below is the one that counts.
    timeout: timeoutMs + 1_000,
    logLevel: "off",
  });

  return {
    async within(signal, work) {
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMs);
      const ending = signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, signal]);

      const post = async ({ path, body }: GuardPost): Promise<Answered> => {
        if (spending?.claim() === false) return fault("overloaded", "the budget of this hour is used up");
        let replied: unknown = null;
        try {
          replied = await client.post<unknown>(path, { body, signal: ending });
          return { kind: "replied", body: replied };
        } catch (error) {
          if (deadline.signal.aborted) return fault("timeout", `no whole reply within ${timeoutMs} ms`);
          if (ending.aborted) return fault("unavailable", "cancelled");
          return faultOf(error);
        } finally {
          spending?.spent(usageOf(body, replied));
        }
      };

      try {
        return await work(post);
      } finally {
        clearTimeout(timer);
      }
    },
  };
};
