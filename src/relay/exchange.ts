/**
 * What the relay tells the rest of the program about an exchange, and all it expects from it. The relay calls these on
 * the hot path: an implementation must return at once and must never throw.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Decision } from "../guard/guard.ts";

/** An exchange as known when the request was read, before anything was sent upstream. */
export interface ExchangeStart {
  id: string;
  /** Path below the base URL, as the dialects know it: `/chat/completions`. */
  path: string;
  /** The configured subject's id, or null for traffic that belongs to none. */
  subject: string | null;
  requestBody: Buffer;
  requestHeaders: IncomingHttpHeaders;
  /** Names and values in turn, as they go upstream: what did not cross is not among them, a key put in is. */
  rawHeaders?: readonly string[];
  /** The request's query with its `?`; empty when there is none. */
  search?: string;
}

/** An exchange that is passed on without being read. */
export interface UnreadExchange {
  id: string;
  /** Name of the relay's route. */
  route: string;
  requestHeaders: IncomingHttpHeaders;
}

export interface ExchangeEnd {
  /** blocked: a policy ended it; what was recorded of the answer may be incomplete. */
  outcome: "complete" | "blocked" | "client-aborted" | "upstream-aborted" | "upstream-error" | "timeout";
  status: number;
  contentType: string;
  /** The answer's `content-encoding` as the upstream sent it; left out when it sent none. */
  contentEncoding?: string;
  durationMs: number;
}

/** Receives a copy of one answer. Chunks are the relay's own buffers: keep references, do not write into them. */
export interface AnswerRecorder {
  chunk(bytes: Buffer): void;
  end(end: ExchangeEnd): void;
}

export interface ExchangeObserver {
  /** Null when this exchange is not to be copied. */
  begin(exchange: ExchangeStart): AnswerRecorder | null;
  /** The same for what is passed on unread; left out by those whom it does not concern. */
  beginUnread?(exchange: UnreadExchange): AnswerRecorder | null;
}

/** An exchange that policies decided on. */
export interface DecidedExchange {
  id: string;
  /** Null for traffic that belongs to none. */
  subject: string | null;
  /** Name of the relay's route. */
  route: string;
}

/** Told of every decision as it was carried out, once for each stage that policies read. */
export interface DecisionObserver {
  decided(exchange: DecidedExchange, decision: Decision): void;
}

/** Counters of the relay; `alert/` implements it. Labels are bounded by the caller. */
export interface RelayMeter {
  requestStarted(subject: string, route: string): void;
  requestFinished(
    subject: string,
    route: string,
    end: ExchangeEnd,
    timings: { firstByteMs: number | null; overheadMs: number },
  ): void;
  requestRefused(
    route: string,
    reason:
      | "too-large"
      | "bad-request"
      | "not-found"
      | "overloaded"
      | "unreachable"
      | "draining"
      | "timeout"
      | "blocked",
  ): void;
  bytes(direction: "up" | "down", count: number): void;
}
