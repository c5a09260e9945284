/**
 * The single place where connections leave the process. Everything goes to a configured origin or nowhere: there is one
 * pool of connections for each, bound to its origin; redirects are never followed; HTTP/1.1 only, because aborted
 * streams, which are everyday business here, are cheap and well understood there.
 */
import type { Duplex } from "node:stream";
import { type buildConnector, Pool } from "undici";
import type { Upstream } from "../config/schema.ts";
import { createBoundFetch } from "./bound-fetch.ts";
import { createConnector } from "./connector.ts";
import type { Exit } from "./exit.ts";
import { inProcessConnector } from "./in-process.ts";
import { createPost, type Post } from "./post.ts";
import { requestHeaderAllowlist } from "./request-headers.ts";

export type { AnswerHandler, Exit, OutgoingRequest } from "./exit.ts";

export interface Egress {
  /** Throws for an id that is not configured. */
  exit(upstreamId: string): Exit;
  /**
   * A `fetch` for one upstream's id, or for another configured base URL such as a judge's. It refuses every other
   * origin, follows no redirect and drops headers that relayed traffic would not carry, unless `ownHeaders` names them.
   */
  fetchFor(upstreamIdOrBaseUrl: string, ownHeaders?: readonly string[]): typeof fetch;
  /** For probes: what it sends looks like relayed traffic. Throws for an id that is not configured. */
  postFor(upstreamId: string): Post;
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

const attemptsAt = ({ connectTimeoutMs, breaker }: Pick<Upstream, "connectTimeoutMs" | "breaker">) => ({
  timeoutMs: connectTimeoutMs,
  failures: breaker.failures,
});
/** Whoever calls these counts their failures itself. */
const attemptsElsewhere = { timeoutMs: elsewhere.connectTimeoutMs, failures: 0 };

const openLine = (baseUrl: string, settings: LineSettings, connect: buildConnector.connector): Line => {
  const base = new URL(baseUrl);
  const pool = new Pool(base.origin, {
    connections: settings.connections,
    // A request behind a running stream would wait for the stream's end.
    pipelining: 1,
    allowH2: false,
    connect,
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

interface EgressOptions {
  requestHeaders?: readonly string[];
  /** Upstreams that are in this process, by id: whatever their base URL says, nothing leaves it for them. */
  inProcess?: ReadonlyMap<string, (socket: Duplex) => void>;
}

export const createEgress = (
  upstreams: readonly Upstream[],
  { requestHeaders = [], inProcess }: EgressOptions = {},
): Egress => {
  const lines = new Map(
    upstreams.map((upstream) => {
      const accept = inProcess?.get(upstream.id);
      const connect = accept === undefined ? createConnector(attemptsAt(upstream)) : inProcessConnector(accept);
      return [upstream.id, openLine(upstream.baseUrl, upstream, connect)];
    }),
  );
  const others = new Map<string, Line>();
  const mayLeave = requestHeaderAllowlist(requestHeaders);

  const lineTo = (target: string): Line => {
    const known = lines.get(target) ?? others.get(target);
    if (known !== undefined) return known;
    if (!URL.canParse(target)) throw new Error(`no upstream has the id "${target}"`);
    const opened = openLine(target, elsewhere, createConnector(attemptsElsewhere));
    others.set(target, opened);
    return opened;
  };

  const exit = (upstreamId: string): Exit => {
    const line = lines.get(upstreamId);
    if (line === undefined) throw new Error(`no upstream has the id "${upstreamId}"`);
    return exitThrough(line);
  };

  return {
    exit,
    postFor: (upstreamId) => createPost(exit(upstreamId), mayLeave),
    fetchFor(target, ownHeaders = []) {
      const { base, pool, settings } = lineTo(target);
      const passes = ownHeaders.length === 0 ? mayLeave : requestHeaderAllowlist([...requestHeaders, ...ownHeaders]);
      return createBoundFetch({ origin: base.origin, pool, settings, mayLeave: passes });
    },
    async close() {
      await Promise.all([...lines.values(), ...others.values()].map(({ pool }) => pool.destroy()));
    },
  };
};
