/** What a request on its way out and its answer are to those who send one. Opens nothing itself. */
import type { Readable } from "node:stream";

/**
 * How an answer is received. These are the calls that undici's core makes; its newer handler interface is an adapter on
 * top of them that first turns the raw headers into an object, which nobody here needs.
 */
export interface AnswerHandler {
  /** The request is about to be written. `abort` ends it with its connection; throwing ends it and keeps that. */
  onConnect(abort: (reason?: Error) => void): void;
  /** Also called for informational (1xx) answers. False pauses the body until `resume` is called. */
  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void, statusText: string): boolean;
  /** False pauses. */
  onData(chunk: Buffer): boolean;
  onComplete(): void;
  onError(error: Error): void;
}

export interface OutgoingRequest {
  method: string;
  /** As `pathOf` gave it. */
  path: string;
  /** Names and values in turn. */
  headers: string[];
  body: Buffer | Readable | null;
}

/** The way to one upstream. */
export interface Exit {
  /** The full path for one below the base URL, `search` with its `?`. Throws when it would lead out of the base URL. */
  pathOf(path: string, search: string): string;
  /** Reports through `handler` alone, errors included. Has no timeout but the one for connecting: that is the caller's. */
  dispatch(request: OutgoingRequest, handler: AnswerHandler): void;
}
