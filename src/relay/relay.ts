/**
 * The data plane: an OpenAI-compatible reverse proxy on node:http. Waits for nobody but the client and the upstream;
 * observers and meters are told, never asked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Config, Limits } from "../config/schema.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { trackConnections } from "./connections.ts";
import { createDraining } from "./draining.ts";
import type { RelayMeter } from "./exchange.ts";
import { createHandling, type Handling, type HandlingOptions } from "./handling.ts";

export interface Relay {
  /** Builds how requests would be handled; nothing changes by that. Throws where they can't be. */
  prepare(options: HandlingOptions): Handling;
  /** From the next request on they are handled so; those that have begun go on as they were. */
  use(handling: Handling): void;
  /** Takes a connection that did not come by the port: that of a client in this process. */
  accept(socket: Duplex): void;
  /** Relays one request of another server, such as one within the same program. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Port 0 lets the system choose; the chosen one is returned. */
  listen(host: string, port: number): Promise<{ port: number }>;
  /**
   * Of all that is under way, whatever it is handled by. Keeps taking requests for `drain.minSeconds`, then stops listening and gives running answers until
   * `drain.timeoutSeconds` to finish; those that have not are broken off. A second call ends the wait at once.
   */
  drain(): Promise<void>;
  /** Breaks everything off. */
  close(): Promise<void>;
}

interface RelayOptions {
  /** Of the connections, until `use` says otherwise; `headerBytes` for good. */
  limits: Limits;
  drain: Config["drain"];
  meter: Pick<RelayMeter, "requestRefused">;
  clock: Clock;
  log: Log;
}

/** How often node:http looks for requests that are too slow, at most. */
const slownessCheckMs = 250;

export const createRelay = ({ limits, drain, meter, clock, log }: RelayOptions): Relay => {
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    connectionsCheckingInterval: Math.min(slownessCheckMs, limits.headersTimeoutMs, limits.requestTimeoutMs),
    insecureHTTPParser: false,
  });
  const connections = trackConnections(server, { refused: ({ reason }) => meter.requestRefused("other", reason) });
  const limit = (to: Limits): void => {
    server.headersTimeout = Math.min(to.headersTimeoutMs, to.requestTimeoutMs);
    server.requestTimeout = to.requestTimeoutMs;
    server.keepAliveTimeout = to.keepAliveTimeoutMs;
    connections.limit(to.maxConnections);
  };
  limit(limits);

  let current: Handling | null = null;
  /** The present one, and those before it under which something runs. */
  const all = new Set<Handling>();
  const running = {
    count: () => [...all].reduce((sum, handling) => sum + handling.running.count(), 0),
    now: () => [...all].flatMap((handling) => handling.running.now()),
  };
  const draining = createDraining({
    server,
    running,
    settings: () => current?.settings.drain ?? drain,
    clock,
  });

  const handle = (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void => {
    if (current === null) throw new Error("nothing says how requests are handled");
    current.handle(request, response, awaitsContinue);
  };
  server.on("request", (request, response) => handle(request, response, false));
  server.on("checkContinue", (request, response) => handle(request, response, true));

  return {
    prepare: (options) =>
      createHandling(options, {
        connections,
        draining,
        before: current?.lines,
        // A line goes on where the next configuration has the same one.
        leftAlone(line, restMs) {
          for (const exchange of running.now()) exchange.stopWaitingFor(line, restMs);
        },
        clock,
        log,
      }),
    use(handling) {
      const replaced = current;
      current = handling;
      all.add(handling);
      limit(handling.settings.limits);
      if (replaced !== null && replaced !== handling) void replaced.over().then(() => all.delete(replaced));
    },
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
