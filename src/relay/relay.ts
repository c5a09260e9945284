/**
 * The data plane: an OpenAI-compatible reverse proxy on node:http. Waits for nobody but the client and the upstream;
 * observers and meters are told, never asked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Config, Limits, RelaySettings, Subject, Upstream } from "../config/schema.ts";
import type { Egress } from "../egress/egress.ts";
import { requestHeaderAllowlist } from "../egress/request-headers.ts";
import type { Guard } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { trackConnections } from "./connections.ts";
import { answerHeaderAllowlist } from "./crossing-headers.ts";
import { createDestinations } from "./destinations.ts";
import { createDraining } from "./draining.ts";
import type { DecisionObserver, ExchangeObserver, RelayMeter } from "./exchange.ts";
import type { Holding } from "./guarded-answer.ts";
import { guardDecisions, guardObserver } from "./guarded-observer.ts";
import { createGuardedRequests } from "./guarded-request.ts";
import { createRequestHandler } from "./request-handler.ts";
import { createRouteTable } from "./routes.ts";
import { type Exchange, type RunningExchange, startExchange } from "./running-exchange.ts";
import { createRunningExchanges } from "./running-exchanges.ts";

export interface Relay {
  /** Takes a connection that did not come by the port: that of a client in this process. */
  accept(socket: Duplex): void;
  /** Relays one request of another server, such as one within the same program. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Port 0 lets the system choose; the chosen one is returned. */
  listen(host: string, port: number): Promise<{ port: number }>;
  /**
   * Keeps taking requests for `drain.minSeconds`, then stops listening and gives running answers until
   * `drain.timeoutSeconds` to finish; those that have not are broken off. A second call ends the wait at once.
   */
  drain(): Promise<void>;
  /** Breaks everything off. */
  close(): Promise<void>;
}

export interface RelayOptions {
  upstreams: readonly Upstream[];
  subjects: readonly Subject[];
  limits: Limits;
  relay: RelaySettings;
  drain: Config["drain"];
  egress: Egress;
  /** Keys by upstream id, of upstreams that get one instead of the caller's. */
  keys: ReadonlyMap<string, string>;
  /** Policies on what passes; left out when there are none. */
  guard?: Guard;
  holding: Holding;
  /** Told of what the policies decide. */
  decisions?: DecisionObserver;
  observer: ExchangeObserver;
  meter: RelayMeter;
  clock: Clock;
  log: Log;
}

/** How often node:http looks for requests that are too slow, at most. */
const slownessCheckMs = 250;

export const createRelay = (options: RelayOptions): Relay => {
  const { limits, relay: settings, meter, clock, log } = options;
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(slownessCheckMs, limits.headersTimeoutMs, limits.requestTimeoutMs),
    insecureHTTPParser: false,
  });
  const connections = trackConnections(server, {
    most: limits.maxConnections,
    refused: ({ reason }) => meter.requestRefused("other", reason),
  });
  const running = createRunningExchanges(clock);
  const draining = createDraining({ server, running, settings: options.drain, clock });
  const destinations = createDestinations({
    ...options,
    unmatched: settings.unmatched,
    leftAlone(line, restMs) {
      for (const exchange of running.now()) exchange.stopWaitingFor(line, restMs);
    },
  });

  const exchangeParts = {
    answerHeaders: answerHeaderAllowlist(settings.responseHeaders),
    meter,
    clock,
    ended(exchange: RunningExchange): void {
      running.delete(exchange);
      draining.exchangeEnded();
    },
  };
  const start = (exchange: Exchange): RunningExchange => {
    const started = startExchange(exchange, exchangeParts);
    running.add(started);
    return started;
  };

  const handle = createRequestHandler({
    routes: createRouteTable(destinations.prefixes, settings.passThrough),
    destinations,
    connections,
    draining,
    requestHeaders: requestHeaderAllowlist(settings.requestHeaders),
    limits,
    guard: options.guard ?? null,
    ask: createGuardedRequests({
      destinations,
      holding: options.holding,
      decisions: guardDecisions(options.decisions ?? { decided() {} }, log),
      clock,
      log,
    }),
    observer: guardObserver(options.observer, log),
    meter,
    clock,
    start,
  });
  server.on("request", (request, response) => handle(request, response, false));
  server.on("checkContinue", (request, response) => handle(request, response, true));

  return {
    accept: (socket) => void server.emit("connection", socket),
    handle: (request, response) => handle(request, response, false),
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        // The system holds back no more than it allows; Node's own 511 lets the rest of a burst wait for a second.
        server.listen(port, host, server.maxConnections, () => {
          server.off("error", reject);
          resolve({ port: (server.address() as AddressInfo).port });
        });
      }),
    drain: draining.drain,
    close: draining.close,
  };
};
