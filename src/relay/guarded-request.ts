/**
 * Asks the policies about a request before any byte of it is sent, and does what they decide: send it, send it edited or
 * elsewhere, or answer it here. What cannot be done as decided is not sent.
 */
import type { ServerResponse } from "node:http";
import { createAnswerInspecting } from "../dialect/answer-inspecting.ts";
import type { Inspection } from "../dialect/carriers.ts";
import { editBody } from "../dialect/edited-body.ts";
import { inspectRequestInTurns, uninspected } from "../dialect/inspection.ts";
import { replaceValues } from "../dialect/json-text.ts";
import { createStreamReading } from "../dialect/streamed-texts.ts";
import { failedClosed } from "../guard/failed-closed.ts";
import type { Decision, ExchangeGuard } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { answerBlocked, blockedUnedited, passes } from "./block-answer.ts";
import type { ClientAnswer } from "./client-answer.ts";
import { decisionHeaders } from "./decision-headers.ts";
import type { Destination, Destinations } from "./destinations.ts";
import type { DecisionObserver } from "./exchange.ts";
import { guardAnswer, type Holding } from "./guarded-answer.ts";
import type { Route } from "./routes.ts";
import type { RunningExchange } from "./running-exchange.ts";

/** A request as the policies let it go. */
export interface Sending {
  body: Buffer;
  destination: Destination;
  answer: ClientAnswer;
  /** The answer will be read before it is passed on, so it must not come compressed. */
  held: boolean;
}

export interface GuardedRequest {
  id: string;
  route: Route;
  response: ServerResponse;
  /** Null where it streams through unread. */
  body: Buffer | null;
  /** Null for traffic that belongs to no subject. */
  subject: string | null;
  destination: Destination;
  guard: ExchangeGuard;
  /** Null when it could not be sent and was answered with the reason. */
  send(sending: Sending): RunningExchange | null;
  /** It was answered here. */
  blocked(): void;
}

interface Parts {
  destinations: Pick<Destinations, "forSubject">;
  holding: Holding;
  decisions: DecisionObserver;
  clock: Clock;
  log: Log;
}

const nothing = Buffer.alloc(0);

type Forwarding = Pick<Sending, "body" | "destination">;

/** The request as it goes to another subject, under that one's name; null when that is not possible. */
const reroute = (body: Buffer, to: ReturnType<Destinations["forSubject"]>): Forwarding | null => {
  if (to === null) return null;
  const renamed = replaceValues(body.toString("utf8"), [{ path: ["model"], value: to.model }]);
  return renamed === null ? null : { body: Buffer.from(renamed, "utf8"), destination: to.destination };
};

export const createGuardedRequests = ({ destinations, holding, decisions, clock, log }: Parts) => {
  const reading = { whole: createAnswerInspecting(), stream: createStreamReading() };

  const failed = (id: string, error: unknown): Decision => {
    log.error({ err: error }, "a policy could not be evaluated; the request is not sent");
    return failedClosed(id, "request");
  };

  /** What is to be sent; null when it cannot be as decided. */
  const carryOut = (
    { body, destination }: GuardedRequest,
    found: Inspection,
    decision: Decision,
  ): Forwarding | null => {
    const whole = body ?? nothing;
    const edited = decision.edits.length === 0 ? whole : editBody(whole, found.carriers, decision.edits);
    if (edited === null) return null;
    if (decision.action !== "reroute") return { body: edited, destination };
    return reroute(edited, destinations.forSubject(decision.rerouteTo));
  };

  return (request: GuardedRequest): void => {
    const { id, route, response, guard, subject } = request;
    const { path } = route;
    const decided = (decision: Decision): void => decisions.decided({ id, subject, route: route.name }, decision);
    const requestBody = request.body ?? nothing;
    const from = clock.monotonic();

    const refuse = (decision: Decision): void => {
      decided(decision);
      request.blocked();
      const overheadMs = clock.monotonic() - from;
      const headers = decisionHeaders({ request: decision, response: null, reroutedTo: null, overheadMs });
      const nowMs = clock.now();
      answerBlocked({ response, exchangeId: id, path, decision, requestBody, answer: null, headers, nowMs });
    };

    const send = (decision: Decision | null, { body, destination }: Forwarding): void => {
      if (decision !== null) decided(decision);
      let running: RunningExchange | null = null;
      const answer = guardAnswer({
        response,
        exchangeId: id,
        path,
        requestBody: body,
        guard,
        requestDecision: decision,
        reroutedTo: decision?.action === "reroute" ? decision.rerouteTo : null,
        overheadMs: clock.monotonic() - from,
        holding,
        reading,
        decided,
        clock,
        log,
        answeredHere: (status) => running?.answeredHere(status),
      });
      running = request.send({ body, destination, answer, held: guard.response === "hold" });
    };

    const act = (inspection: Inspection, decision: Decision): void => {
      // The client may have left while it was decided.
      if (response.destroyed) return;
      const forwarding = passes(decision) ? carryOut(request, inspection, decision) : null;
      if (forwarding !== null) send(decision, forwarding);
      else refuse(passes(decision) ? blockedUnedited(id, "request", decision) : decision);
    };

    if (!guard.readsRequest) {
      send(null, { body: requestBody, destination: request.destination });
      return;
    }
    const failing = (error: unknown): void => {
      if (response.headersSent || response.destroyed) response.destroy();
      else refuse(failed(id, error));
    };
    const decide = (inspection: Inspection): void | Promise<void> => {
      const decision = guard.request(inspection);
      if (decision instanceof Promise) return decision.then((made) => act(inspection, made));
      act(inspection, decision);
    };
    try {
      const inspection =
        request.body === null ? uninspected("unknown-path") : inspectRequestInTurns(path, request.body);
      const deciding = inspection instanceof Promise ? inspection.then(decide) : decide(inspection);
      deciding?.catch(failing);
    } catch (error) {
      failing(error);
    }
  };
};
