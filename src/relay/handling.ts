/**
 * How requests are handled under one configuration, from their arrival to the end of their answers. Several stand beside
 * each other for a while when the configuration changes: an exchange is ended by the one that it began with.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Config, Limits, RelaySettings, Subject, Upstream } from "../config/schema.ts";
import type { Egress } from "../egress/egress.ts";
import { requestHeaderAllowlist } from "../egress/request-headers.ts";
import type { Guard } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { createUnderWay } from "../kernel/under-way.ts";
import type { Connections } from "./connections.ts";
import { answerHeaderAllowlist } from "./crossing-headers.ts";
import { createDestinations, type Line } from "./destinations.ts";
import type { Draining } from "./draining.ts";
import type { DecisionObserver, ExchangeObserver, RelayMeter } from "./exchange.ts";
import { breakages } from "./failure.ts";
import type { Holding } from "./guarded-answer.ts";
import { guardDecisions, guardObserver } from "./guarded-observer.ts";
import { createGuardedRequests } from "./guarded-request.ts";
import { createRequestHandler } from "./request-handler.ts";
import { createRouteTable } from "./routes.ts";
import { type Exchange, type RunningExchange, startExchange } from "./running-exchange.ts";
import { createRunningExchanges, type RunningExchanges } from "./running-exchanges.ts";

export interface HandlingOptions {
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
}

export interface Handling {
  handle(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void;
  settings: Pick<HandlingOptions, "limits" | "drain">;
  lines: ReadonlyMap<string, Line>;
  running: Pick<RunningExchanges, "count" | "now">;
  /** Resolves as soon as no request that came to it is unanswered. */
  over(): Promise<void>;
  /** Ends what is still running, visibly incomplete. */
  breakOff(): void;
}

interface Server {
  connections: Connections;
  draining: Pick<Draining, "begun" | "over" | "exchangeEnded">;
  /** Of the handling before. */
  before: ReadonlyMap<string, Line> | undefined;
  /** Called when a line turns out to be one that can't be connected to, and is left alone for so long. */
  leftAlone(line: Line, restMs: number): void;
  clock: Clock;
  log: Log;
}

/** Throws where it can't be: for a subject whose upstream is not there. */
export const createHandling = (
  options: HandlingOptions,
  { connections, draining, before, leftAlone, clock, log }: Server,
): Handling => {
  const { limits, relay: settings, meter, drain } = options;
  const underWay = createUnderWay();
  const running = createRunningExchanges(clock);
  const destinations = createDestinations({
    ...options,
    ...{ unmatched: settings.unmatched, before, leftAlone, clock, log },
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
  const handleRequest = createRequestHandler({
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
    start(exchange: Exchange): RunningExchange {
      const started = startExchange(exchange, exchangeParts);
      running.add(started);
      return started;
    },
  });
  return {
    handle(request, response, awaitsContinue) {
      underWay.begin();
      response.on("close", underWay.end);
      handleRequest(request, response, awaitsContinue);
    },
    settings: { limits, drain },
    lines: destinations.lines,
    running,
    over: underWay.none,
    breakOff() {
      for (const exchange of running.now()) exchange.breakOff(breakages.stopping);
    },
  };
};
