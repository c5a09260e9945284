/**
 * Candor inside another program: a `fetch` for clients of language models, and a handler for servers, behind the same
 * policies and the same watch as the proxy. It is the proxy's own relay, reached by connections within the process, so
 * there is no hop and no second implementation: what passes here and there is decided by the same code.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Agent } from "undici";
import { configFrom, loadConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { inProcessConnector } from "./egress/in-process.ts";
import { createLog, type Log } from "./kernel/log.ts";
import { start } from "./main.ts";
import type { Verdict } from "./persona/verdict.ts";

export type { Verdict } from "./persona/verdict.ts";

export interface CandorOptions {
  /** Path of a configuration file, which is followed, or what such a file holds. `listen.data` is not used. */
  config: unknown;
  /** Opens the control port, with the dashboard and the metrics, as configured. Default: no port at all. */
  controlPort?: boolean;
  /**
   * Upstreams that are in this process, by id: Express apps, routers or plain handlers that answer as an OpenAI API does.
   * They get paths as their base URL has them: with `http://app.internal/v1`, `/v1/chat/completions`.
   */
  answeredBy?: Readonly<Record<string, RequestListener>>;
  /** For secrets that the configuration names. Default: `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** Default: structured, on standard error, at the configured level. */
  log?: Log;
}

export interface EmbeddedCandor {
  /**
   * Takes the place of `fetch` in a client. Requests to the base URL of a configured upstream go by way of the policies
   * and the watch; others are refused, as nothing would look at them.
   */
  fetch: typeof fetch;
  /**
   * Relays requests of a server of this program, as the proxy's port would: `app.use("/v1", candor.middleware)`, before
   * anything that reads bodies.
   */
  middleware(request: IncomingMessage, response: ServerResponse): void;
  verdict(subject: string): Verdict;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  /** Of the dashboard; empty without `controlPort`. */
  controlUrl: string;
  /**
   * Puts another configuration in force: a path of a file, or what such a file holds. A file that was given to `openCandor`
   * is followed anyway. Rejects for one that can't be used; then nothing has changed.
   */
  reload(config: unknown): Promise<void>;
  /** Lets running answers finish and writes what was observed. */
  close(): Promise<void>;
}

const configOf = async (config: unknown): Promise<Config> => {
  const read = typeof config === "string" ? await loadConfig(config) : configFrom(config, "the configuration");
  // Nobody has to be told to go elsewhere before this ends.
  return { ...read, drain: { ...read.drain, minSeconds: 0 } };
};

interface Base {
  /** As a prefix of the URLs below it, without a slash at the end. */
  url: string;
  /** Where the relay has it: `/v1`, or `/PREFIX/v1`; null where no path leads there. */
  path: string | null;
}

/** The first upstream is below /v1. Another one is below the path of a subject of its own, if it has one. */
const basesOf = ({ upstreams, subjects }: Config): Base[] =>
  upstreams
    .map(({ id, baseUrl }, index) => {
      const route = subjects.find((subject) => subject.upstream === id && subject.route !== undefined)?.route;
      const path = index === 0 ? "/v1" : route === undefined ? null : `${route}/v1`;
      return { url: baseUrl.replace(/\/+$/, ""), path };
    })
    .toSorted((one, other) => other.url.length - one.url.length);

const isBelow = (url: string, base: string): boolean => url === base || /^[/?]/.test(url.slice(base.length));

/** The relay's own path for a URL of an upstream. @throws for a URL that is of none */
const relayedPath = (url: string, bases: readonly Base[]): string => {
  const base = bases.find((known) => url.startsWith(known.url) && isBelow(url, known.url));
  if (base === undefined) {
    const known = bases.map((one) => one.url).join(", ");
    throw new TypeError(`${new URL(url).origin} is no configured upstream: use the base URL of one (${known})`);
  }
  if (base.path === null) {
    throw new TypeError(
      `requests to ${base.url} can't be told from those to the first upstream: give a subject of it a route`,
    );
  }
  return `${base.path}${url.slice(base.url.length)}`;
};

/** No host has this name. */
const relayOrigin = "http://candor.invalid";

const createFetch =
  (bases: () => readonly Base[], dispatcher: Agent): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    const target = `${relayOrigin}${relayedPath(request.url, bases())}`;
    // A stream that is sent tells no length, and the API wants whole bodies anyway.
    const body = request.body === null ? null : await request.arrayBuffer();
    const { method, headers, signal } = request;
    // Node's own fetch takes undici's dispatchers; only the types of the two packages do not know each other.
    const outgoing: object = { method, headers, signal, body, redirect: "manual", dispatcher };
    return fetch(target, outgoing);
  };

const alreadyRead = JSON.stringify({
  error: {
    message:
      "the body of this request was read before it came to Candor: mount Candor before anything that reads bodies",
    type: "api_error",
    param: null,
    code: "body_already_read",
  },
});

/** Opens the evidence, builds everything, and begins to watch. @throws for a configuration that can't be run */
export const openCandor = async (options: CandorOptions): Promise<EmbeddedCandor> => {
  const { controlPort = false, answeredBy = {}, env = process.env } = options;
  const inProcess = new Map(
    Object.entries(answeredBy).map(([id, handler]) => {
      const server = createServer(handler);
      return [id, (socket: Duplex) => void server.emit("connection", socket)] as const;
    }),
  );
  const source = {
    file: typeof options.config === "string" ? options.config : null,
    read: () => configOf(options.config),
  };
  const ownLog = options.log === undefined ? createLog("info") : null;
  let bases: readonly Base[] = [];
  const candor = await start(source, {
    env,
    log: options.log ?? ownLog ?? createLog("info"),
    ports: { data: false, control: controlPort },
    inProcess,
    configured(config) {
      bases = basesOf(config);
      if (ownLog !== null) ownLog.level = config.log.level;
    },
  });
  const dispatcher = new Agent({
    connect: inProcessConnector(candor.accept),
    pipelining: 1,
    bodyTimeout: 0,
    headersTimeout: 0,
  });
  return {
    fetch: createFetch(() => bases, dispatcher),
    middleware(request, response) {
      if (request.readableEnded) {
        response.writeHead(500, { "content-type": "application/json" }).end(alreadyRead);
        return;
      }
      const mounted = request.url ?? "/";
      // Express takes the path that it is mounted at away; the relay's paths begin with it.
      if (!mounted.startsWith("/v1/")) request.url = `/v1${mounted}`;
      candor.handle(request, response);
      request.url = mounted;
    },
    verdict: candor.verdict,
    metrics: candor.metrics,
    controlUrl: candor.controlUrl,
    reload: async (config) => candor.reload(await configOf(config)),
    async close() {
      await candor.stop();
      await dispatcher.destroy();
    },
  };
};
