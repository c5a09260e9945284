/**
 * The single place where connections leave the process. Everything goes to a configured origin or nowhere: there is one
 * pool of connections for each, bound to its origin; redirects are never followed; HTTP/1.1 only, because aborted
 * streams, which are everyday business here, are cheap and well understood there.
 */
import type { Duplex } from "node:stream";
import { type buildConnector, Pool } from "undici";
import type { Upstream } from "../config/schema.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import { createSharedParts, type Lease, type SharedParts } from "../kernel/shared-parts.ts";
import { createBoundFetch } from "./bound-fetch.ts";
import { createConnector } from "./connector.ts";
import type { Exit } from "./exit.ts";
import { inProcessConnector } from "./in-process.ts";
import { createPost, type Post } from "./post.ts";
import { requestHeaderAllowlist } from "./request-headers.ts";

export type { AnswerHandler, Exit, OutgoingRequest } from "./exit.ts";

export interface Egress {
  /** The same for the same way. Throws for an id that is not configured. */
  exit(upstreamId: string): Exit;
  /**
   * A `fetch` for one upstream's id, or for another configured base URL such as a judge's. It refuses every other
   * origin, follows no redirect and drops headers that relayed traffic would not carry, unless `ownHeaders` names them.
   */
  fetchFor(upstreamIdOrBaseUrl: string, ownHeaders?: readonly string[]): typeof fetch;
  /** For probes: what it sends looks like relayed traffic. Throws for an id that is not configured. */
  postFor(upstreamId: string): Post;
  /** Ends every connection at once, but those of pools that another one uses too. */
  close(): Promise<void>;
}

/** Connections to one origin, and what is below a base URL there. */
interface Way {
  base: URL;
  pool: Pool;
  exit: Exit;
}

/** What the ways of several egresses are kept in: equal ones have the same connections. */
export type Ways = SharedParts<Way>;

export const createWays = (): Ways => createSharedParts(({ pool }) => pool.destroy());

type LineSettings = Pick<Upstream, "connections" | "connectTimeoutMs" | "headersTimeoutMs" | "idleTimeoutMs"> & {
  breaker: Pick<Upstream["breaker"], "failures">;
};

interface Line {
  way: Lease<Way>;
  settings: LineSettings;
}

/** For base URLs that are no upstream's: few calls, made off the hot path, by callers that count their failures themselves. */
const elsewhere = {
  connections: 64,
  connectTimeoutMs: 3_000,
  headersTimeoutMs: 300_000,
  idleTimeoutMs: 120_000,
  breaker: { failures: 0 },
} satisfies LineSettings;

const exitThrough = (base: URL, pool: Pool): Exit => {
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

const openWay = (baseUrl: string, connections: number, connect: buildConnector.connector): Way => {
  const base = new URL(baseUrl);
  const pool = new Pool(base.origin, {
    connections,
    // A request behind a running stream would wait for the stream's end.
    pipelining: 1,
    allowH2: false,
    connect,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 64 * 1024,
  });
  return { base, pool, exit: exitThrough(base, pool) };
};

interface EgressOptions {
  requestHeaders?: readonly string[];
  /** Upstreams that are in this process, by id: whatever their base URL says, nothing leaves it for them. */
  inProcess?: ReadonlyMap<string, (socket: Duplex) => void> | undefined;
  /** Left out for one that shares its connections with no other. */
  ways?: Ways;
}

export const createEgress = (
  upstreams: readonly Upstream[],
  { requestHeaders = [], inProcess, ways = createWays() }: EgressOptions = {},
): Egress => {
  const openLine = (baseUrl: string, settings: LineSettings, upstream: string | null): Line => {
    const { connections, connectTimeoutMs: timeoutMs, breaker } = settings;
    const { failures } = breaker;
    const accept = upstream === null ? undefined : inProcess?.get(upstream);
    const way = ways.take(canonicalJson({ baseUrl, connections, timeoutMs, failures, upstream }), () => {
      const connect = accept === undefined ? createConnector({ timeoutMs, failures }) : inProcessConnector(accept);
      return openWay(baseUrl, connections, connect);
    });
    return { way, settings };
  };
  const lines = new Map(
    upstreams.map((upstream): [string, Line] => [upstream.id, openLine(upstream.baseUrl, upstream, upstream.id)]),
  );
  const others = new Map<string, Line>();
  const mayLeave = requestHeaderAllowlist(requestHeaders);

  const lineTo = (target: string): Line => {
    const known = lines.get(target) ?? others.get(target);
    if (known !== undefined) return known;
    if (!URL.canParse(target)) throw new Error(`no upstream has the id "${target}"`);
    const opened = openLine(target, elsewhere, null);
    others.set(target, opened);
    return opened;
  };

  const exit = (upstreamId: string): Exit => {
    const line = lines.get(upstreamId);
    if (line === undefined) throw new Error(`no upstream has the id "${upstreamId}"`);
    return line.way.part.exit;
  };

  return {
    exit,
    postFor: (upstreamId) => createPost(exit(upstreamId), mayLeave),
    fetchFor(target, ownHeaders = []) {
      const { way, settings } = lineTo(target);
      const { base, pool } = way.part;
      const passes = ownHeaders.length === 0 ? mayLeave : requestHeaderAllowlist([...requestHeaders, ...ownHeaders]);
      return createBoundFetch({ origin: base.origin, pool, settings, mayLeave: passes });
    },
    async close() {
      await Promise.all([...lines.values(), ...others.values()].map(({ way }) => way.release()));
    },
  };
};
