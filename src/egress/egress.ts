/**
 * The single place where connections leave the process. Everything goes to a configured origin or nowhere: there is one
 * pool of connections for each, bound to its origin; redirects are never followed; HTTP/1.1 only, because aborted
 * streams, which are everyday business here, are cheap and well understood there.
 */
import type { Readable } from "node:stream";
import { Pool } from "undici";
import type { Upstream } from "../config/schema.ts";
import { createBoundFetch } from "./bound-fetch.ts";
import { createConnector } from "./connector.ts";
import { requestHeaderAllowlist } from "./request-headers.ts";

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

export interface Egress {
  /** Throws for an id that is not configured. */
  exit(upstreamId: string): Exit;
  /**
   * A `fetch` for one upstream's id, or for another configured base URL such as a judge's. It refuses every other
   * origin, follows no redirect and drops headers that relayed traffic would not carry.
   */
  fetchFor(upstreamIdOrBaseUrl: string): typeof fetch;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

interface Line {
  base: URL;
  pool: Pool;
  settings: LineSettings;
}

type LineSettings = Pick<Upstream, "connections" | "connectTimeoutMs" | "headersTimeoutMs" | "idleTimeoutMs">;

/** For base URLs that are no upstream's: few calls, made off the hot path. */
const elsewhere: LineSettings = {
  connections: 64,
  connectTimeoutMs: 3_000,
  headersTimeoutMs: 300_000,
  idleTimeoutMs: 120_000,
};

const openLine = (baseUrl: string, settings: LineSettings): Line => {
  const base = new URL(baseUrl);
  const pool = new Pool(base.origin, {
    connections: settings.connections,
    // A request behind a running stream would wait for the stream's end.
    pipelining: 1,
    allowH2: false,
    connect: createConnector(settings.connectTimeoutMs),
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 64 * 1024,
  });
  return { base, pool, settings };
};

const exitThrough = ({ base, pool }: Line): Exit => {
  const basePath = base.pathname.replace(/\/+$/, "");
  return {
    pathOf(path, search) {
      const full = `${basePath}${path}${search}`;
      const url = path.startsWith("/") ? new URL(base.origin + full) : null;
      // A path that changes while it is read as a URL is not the path that was checked.
      if (url?.origin !== base.origin || url.pathname !== `${basePath}${path}` || url.hash !== "") {
        throw new Error("the path leads out of the configured base URL");
      }
      return full;
    },
    dispatch(request, handler) {
      pool.dispatch(request, handler);
    },
  };
};

export const createEgress = (
  upstreams: readonly Upstream[],
  { requestHeaders = [] }: { requestHeaders?: readonly string[] } = {},
): Egress => {
  const lines = new Map(upstreams.map((upstream) => [upstream.id, openLine(upstream.baseUrl, upstream)]));
  const others = new Map<string, Line>();
  const mayLeave = requestHeaderAllowlist(requestHeaders);

  const lineTo = (target: string): Line => {
    const known = lines.get(target) ?? others.get(target);
    if (known !== undefined) return known;
    if (!URL.canParse(target)) throw new Error(`no upstream has the id "${target}"`);
    const opened = openLine(target, elsewhere);
    others.set(target, opened);
    return opened;
  };

  return {
    exit(upstreamId) {
      const line = lines.get(upstreamId);
      if (line === undefined) throw new Error(`no upstream has the id "${upstreamId}"`);
      return exitThrough(line);
    },
    fetchFor(target) {
      const { base, pool, settings } = lineTo(target);
      return createBoundFetch({ origin: base.origin, pool, settings, mayLeave });
    },
    async close() {
      await Promise.all([...lines.values(), ...others.values()].map(({ pool }) => pool.destroy()));
    },
  };
};
