/**
 * What happens to a request from its headers to the moment it is sent upstream, or the reason why it is not: route,
 * body, model, subject, upstream.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Limits } from "../config/schema.ts";
import type { OutgoingRequest } from "../egress/egress.ts";
import type { HeaderAllowlist } from "../egress/header-allowlist.ts";
import type { Guard } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Connections } from "./connections.ts";
import { asIdentity, headersUp, withoutCredentials } from "./crossing-headers.ts";
import type { Destination, Destinations } from "./destinations.ts";
import type { Draining } from "./draining.ts";
import type { ExchangeObserver, RelayMeter } from "./exchange.ts";
import { createExchangeIds } from "./exchange-ids.ts";
import { answerWith, breakages, type Refusal, refusals, upstreamDown, wrongMethod } from "./failure.ts";
import type { GuardedRequest, Sending } from "./guarded-request.ts";
import { collectBody, declaredLength, discardRest } from "./request-body.ts";
import { readModel } from "./request-model.ts";
import type { Route, RouteTable } from "./routes.ts";
import type { Exchange, RunningExchange } from "./running-exchange.ts";
import { streamBody } from "./streamed-body.ts";

export interface HandlerParts {
  routes: RouteTable;
  destinations: Destinations;
  connections: Connections;
  draining: Pick<Draining, "begun" | "over">;
  requestHeaders: HeaderAllowlist;
  limits: Limits;
  /** Null when there are no policies. */
  guard: Guard | null;
  ask(request: GuardedRequest): void;
  observer: ExchangeObserver;
  meter: RelayMeter;
  clock: Clock;
  start(exchange: Exchange): RunningExchange;
}

/** A request whose headers have arrived. */
interface Arrival {
  request: IncomingMessage;
  response: ServerResponse;
  /** The client sends its body only once it is told to go on. */
  awaitsContinue: boolean;
  arrivedAt: number;
}

/** Why a request was not sent, or null when it was, or will be once its body is here. */
type Rejection = Rejected | null;

interface Rejected {
  refusal: Refusal;
  route: string;
}

/** What of a request is settled before it is sent. */
interface Ready extends Sending {
  id: string;
  readAt: number;
  /** Where the caller meant it to go. */
  meant: Destination;
}

/** Label of what belongs to no subject or no route. */
const other = "other";

export type RequestHandler = (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => void;

export const createRequestHandler = (parts: HandlerParts): RequestHandler => {
  const {
    routes,
    destinations,
    connections,
    draining,
    requestHeaders,
    limits,
    guard,
    ask,
    observer,
    meter,
    clock,
    start,
  } = parts;
  const nextId = createExchangeIds();

  const finish = ({ request, response, awaitsContinue }: Arrival, rejection: Rejection): void => {
    if (rejection === null) return;
    meter.requestRefused(rejection.route, rejection.refusal.reason);
    // A client that was not told to go on will not send its body: nothing can follow on this connection.
    if (awaitsContinue) response.shouldKeepAlive = false;
    answerWith(rejection.refusal, response, nextId());
    discardRest(request, limits.bodyBytes);
  };

  const outgoingTo = ({ line }: Destination, request: IncomingMessage, route: Route): OutgoingRequest | Refusal => {
    if (line.running >= 2 * line.upstream.connections) return refusals.upstreamBusy;
    const path = line.pathOf(route);
    if (path === null) return refusals.unreadablePath;
    const restMs = line.restMs();
    if (restMs > 0) return upstreamDown(restMs);
    return { method: request.method ?? "GET", path, headers: headersUp(request, requestHeaders, line.key), body: null };
  };

  const sendRead = (arrival: Arrival, route: Route, ready: Ready): RunningExchange | Rejected => {
    const { request, arrivedAt } = arrival;
    const { id, readAt, body, destination, answer, held, meant } = ready;
    const outgoing = outgoingTo(destination, request, route);
    if ("reason" in outgoing) return { refusal: outgoing, route: route.name };
    const { subject, line } = destination;
    outgoing.body = body;
    if (held) outgoing.headers = asIdentity(outgoing.headers);
    if (line !== meant.line && line.key === null) outgoing.headers = withoutCredentials(outgoing.headers);
    const { path, search } = route;
    const recorder = observer.begin({
      id,
      path,
      search,
      subject,
      requestBody: body,
      requestHeaders: request.headers,
      rawHeaders: outgoing.headers,
    });
    return start({
      id,
      response: answer,
      line,
      outgoing,
      recorder,
      subject: subject ?? other,
      route: route.name,
      arrivedAt,
      readAt,
    });
  };

  const relayRead = (arrival: Arrival, route: Route, body: Buffer): Rejection => {
    const readAt = clock.monotonic();
    const { request, response } = arrival;
    const requested = readModel(body);
    if (requested.kind === "not-an-object") return { refusal: refusals.notJson, route: route.name };
    if (requested.kind === "ambiguous") return { refusal: refusals.modelTwice, route: route.name };
    const destination = destinations.forModel(route, requested.model);
    if (destination === null) {
      return { refusal: requested.model === null ? refusals.noModel : refusals.unknownModel, route: route.name };
    }
    const id = nextId();
    const { subject } = destination;
    const guarded = guard?.begin({ id, subject, route: route.name, requestHeaders: request.headers });
    if (!guarded) {
      const ready = { id, readAt, body, destination, meant: destination, answer: response, held: false };
      const sent = sendRead(arrival, route, ready);
      return "refusal" in sent ? sent : null;
    }
    ask({
      id,
      route,
      response,
      body,
      subject,
      destination,
      guard: guarded,
      send(sending) {
        const sent = sendRead(arrival, route, { id, readAt, meant: destination, ...sending });
        if (!("refusal" in sent)) return sent;
        finish(arrival, sent);
        return null;
      },
      blocked: () => meter.requestRefused(route.name, "blocked"),
    });
    return null;
  };

  const sendUnread = (
    { request, response, awaitsContinue, arrivedAt }: Arrival,
    route: Route,
    { id, destination, answer, held }: Omit<Sending, "body"> & { id: string },
  ): RunningExchange | Rejected => {
    const outgoing = outgoingTo(destination, request, route);
    if ("reason" in outgoing) return { refusal: outgoing, route: route.name };
    if (held) outgoing.headers = asIdentity(outgoing.headers);
    if (awaitsContinue) response.writeContinue();
    let started: RunningExchange | null = null;
    outgoing.body = streamBody(request, {
      limit: limits.bodyBytes,
      counted: (bytes) => meter.bytes("up", bytes),
      exceeded: () => started?.breakOff(breakages.bodyTooLarge),
    });
    const length = declaredLength(request);
    if (outgoing.body !== null && length !== null) outgoing.headers.push("content-length", String(length));
    started = start({
      id,
      response: answer,
      line: destination.line,
      outgoing,
      recorder: observer.beginUnread?.({ id, route: route.name, requestHeaders: request.headers }) ?? null,
      subject: other,
      route: route.name,
      arrivedAt,
      readAt: arrivedAt,
    });
    return started;
  };

  const relayUnread = (arrival: Arrival, route: Route): Rejection => {
    const { request, response } = arrival;
    const destination = destinations.forRoute(route);
    const id = nextId();
    // Lists of models carry nobody's words.
    const guarded =
      route.name === "models"
        ? null
        : guard?.begin({ id, subject: null, route: route.name, requestHeaders: request.headers });
    if (!guarded) {
      const sent = sendUnread(arrival, route, { id, destination, answer: response, held: false });
      return "refusal" in sent ? sent : null;
    }
    ask({
      id,
      route,
      response,
      body: null,
      subject: null,
      destination,
      guard: guarded,
      send(sending) {
        const sent = sendUnread(arrival, route, { id, ...sending });
        if (!("refusal" in sent)) return sent;
        finish(arrival, sent);
        return null;
      },
      blocked() {
        meter.requestRefused(route.name, "blocked");
        if (arrival.awaitsContinue) response.shouldKeepAlive = false;
        discardRest(request, limits.bodyBytes);
      },
    });
    return null;
  };

  const relay = (arrival: Arrival, route: Route): Rejection => {
    const { request, response, awaitsContinue } = arrival;
    if ((declaredLength(request) ?? 0) > limits.bodyBytes) {
      return { refusal: refusals.bodyTooLarge, route: route.name };
    }
    if (!route.read) return relayUnread(arrival, route);
    if (request.headers["content-encoding"] !== undefined) {
      return { refusal: refusals.encodedBody, route: route.name };
    }
    if (awaitsContinue) response.writeContinue();
    collectBody(request, limits.bodyBytes, (body) => {
      if (body === null) finish(arrival, { refusal: refusals.bodyTooLarge, route: route.name });
      else if (!response.destroyed) finish(arrival, relayRead(arrival, route, body));
    });
    return null;
  };

  const admit = (arrival: Arrival): Rejection => {
    const { request, response } = arrival;
    const connection = connections.of(request.socket);
    connection.latest = response;
    if (draining.begun() || connection.surplus) response.shouldKeepAlive = false;
    if (draining.over()) return { refusal: refusals.stopping, route: other };
    if (connection.surplus) return { refusal: refusals.tooManyConnections, route: other };
    const routing = routes.find(request.method ?? "", request.url ?? "");
    switch (routing.kind) {
      case "found":
        return relay(arrival, routing.route);
      case "unreadable":
        return { refusal: refusals.unreadablePath, route: other };
      case "unknown":
        return { refusal: refusals.unknownPath, route: other };
      case "wrong-method":
        return { refusal: wrongMethod(routing.allow), route: routing.route };
    }
  };

  return (request, response, awaitsContinue) => {
    const arrival = { request, response, awaitsContinue, arrivedAt: clock.monotonic() };
    finish(arrival, admit(arrival));
  };
};
