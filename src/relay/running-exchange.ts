/**
 * One exchange after its request was read: sends it, hands the answer to the client as it comes, and ends in exactly one
 * way. Answer bytes pass untouched; an answer that broke off is never made to look complete.
 *
 * A request is sent once. A keep-alive connection that the upstream has just closed can lose a request, but undici looks
 * for that before it uses an idle connection, and a POST whose fate is unknown is not ours to repeat: the client's own
 * SDK retries a 502 and knows whether that is safe.
 */
import type { AnswerHandler, OutgoingRequest } from "../egress/egress.ts";
import type { HeaderAllowlist } from "../egress/header-allowlist.ts";
import type { Clock } from "../kernel/clock.ts";
import type { ClientAnswer } from "./client-answer.ts";
import { headersDown } from "./crossing-headers.ts";
import type { Line } from "./destinations.ts";
import type { AnswerRecorder, ExchangeEnd, RelayMeter } from "./exchange.ts";
import { answerWith, type BrokenExchange, breakages, errorBody, exchangeIdHeader, upstreamDown } from "./failure.ts";
import { isBetweenEvents, streamStart, tailAfter } from "./frame-boundary.ts";

export interface Exchange {
  id: string;
  response: ClientAnswer;
  line: Line;
  outgoing: OutgoingRequest;
  recorder: AnswerRecorder | null;
  /** Labels of the metrics; both from bounded sets. */
  subject: string;
  route: string;
  /** On the monotonic clock: when its headers had arrived, and when all that is read of it had. */
  arrivedAt: number;
  readAt: number;
}

interface Parts {
  answerHeaders: HeaderAllowlist;
  meter: RelayMeter;
  clock: Clock;
  /** Called when the exchange is over and nothing of it remains. */
  ended(exchange: RunningExchange): void;
}

export interface RunningExchange {
  /** Where it stands among those under way; theirs to use. */
  slot: number;
  /** Ends it now, visibly incomplete. */
  breakOff(reason: BrokenExchange): void;
  /** The client was given an answer of this status in place of the upstream's, or of the rest of it. */
  answeredHere(status: number): void;
  /** Where it still waits for a connection of that line, it is told now that there is none. */
  stopWaitingFor(line: Line, restMs: number): void;
  /** To be called now and then with the monotonic time: ends it when one side has been silent for too long. */
  check(now: number): void;
}

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : error.name);

const codesOfClosing = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** `connected` tells whether the request got as far as a connection. */
const reasonOf = (error: Error, connected: boolean, answerBegun: boolean): BrokenExchange => {
  if (answerBegun) return breakages.brokenOff;
  if (!connected) return breakages.unreachable;
  return codesOfClosing.has(codeOf(error)) ? breakages.closedEarly : breakages.invalidAnswer;
};

const eventStream = /^\s*text\/event-stream\s*(?:;|$)/i;
/** undici reads the reason phrase as UTF-8; node:http writes no more than this of it. */
const unprintable = /[^\t\x20-\x7e]/g;
const gone = new Error("the client has gone");

export const startExchange = (exchange: Exchange, { answerHeaders, meter, clock, ended }: Parts): RunningExchange => {
  const { id, response, line, outgoing, recorder, subject, route, arrivedAt } = exchange;
  const { headersTimeoutMs, idleTimeoutMs } = line.upstream;

  let abort: ((reason?: Error) => void) | null = null;
  let resumeAnswer = (): void => {};
  let outcome: ExchangeEnd["outcome"] | null = null;
  let status = 0;
  /** Where the client got another answer than the upstream gave. */
  let statusHere: number | null = null;
  let contentType = "";
  let contentEncoding: string | undefined;
  /** Whether an event may be added to the answer: a plain event stream of unknown length. */
  let takesEvents = false;
  let tail = streamStart;
  let firstByteAt: number | null = null;
  let overheadMs = 0;
  let paused = false;
  let waitsForDrain = false;
  /** Whether what becomes of its connection is no news for the line any more. */
  let stoppedWaiting = false;
  let lastMove = exchange.readAt;
  let patienceMs = headersTimeoutMs;

  const end = (as: ExchangeEnd["outcome"]): void => {
    outcome = as;
    abort?.(gone);
  };

  const flushHead = (): void => {
    if (firstByteAt === null && outcome === null) response.flushHeaders();
  };

  const complete = (): void => {
    outcome = "complete";
    response.end();
  };

  const breakOff = (reason: BrokenExchange): void => {
    if (outcome !== null) return;
    end(reason.outcome);
    if (!response.headersSent) {
      status = reason.status;
      answerWith(reason, response, id);
    } else if (takesEvents && isBetweenEvents(tail)) {
      response.end(`data: ${errorBody(reason)}\n\n`);
    } else {
      response.destroy();
    }
  };

  const stopWaitingFor = (given: Line, restMs: number): void => {
    if (given !== line || abort !== null || outcome !== null) return;
    stoppedWaiting = true;
    breakOff({ ...upstreamDown(restMs), outcome: "upstream-error" });
  };

  /** Both sides may fall silent: the upstream, or a client that no longer reads. */
  const check = (now: number): void => {
    if (now - lastMove < patienceMs) return;
    if (outcome === null && !paused) {
      const reason = response.headersSent ? breakages.stalled : breakages.noAnswer;
      line.failed(reason.code, "silent");
      breakOff(reason);
      lastMove = now;
      return;
    }
    if (outcome === null) end("client-aborted");
    response.destroy();
  };

  const resume = (): void => {
    if (!paused || outcome !== null) return;
    paused = false;
    lastMove = clock.monotonic();
    resumeAnswer();
  };

  const handler: AnswerHandler = {
    onConnect(given) {
      // Thrown, not aborted: nothing was written yet, and the connection can serve another request.
      if (outcome !== null) {
        if (!stoppedWaiting) line.leftOff();
        throw gone;
      }
      line.reached();
      abort = given;
    },

    onHeaders(statusCode, rawHeaders, resumeBody, statusText) {
      if (outcome !== null || statusCode < 200) return true;
      const startedAt = clock.monotonic();
      line.answered();
      const bodiless = statusCode === 204 || statusCode === 304;
      const head = headersDown(rawHeaders, answerHeaders, bodiless);
      head.headers.push(exchangeIdHeader, id);
      contentType = head.contentType;
      contentEncoding = head.contentEncoding;
      const isEventStream = eventStream.test(contentType);
      takesEvents = isEventStream && !head.sized && contentEncoding === undefined;
      response.writeHead(statusCode, statusText.replace(unprintable, "?"), head.headers);
      status = statusCode;
      // Not at once: events that came in the same packet then leave in the same write.
      if (isEventStream) process.nextTick(flushHead);
      // undici would wait for the body that a 304's content-length speaks of.
      if (bodiless) complete();
      resumeAnswer = resumeBody;
      patienceMs = idleTimeoutMs;
      lastMove = clock.monotonic();
      overheadMs += lastMove - startedAt;
      return true;
    },

    onData(chunk) {
      if (outcome !== null) return true;
      lastMove = clock.monotonic();
      recorder?.chunk(chunk);
      meter.bytes("down", chunk.length);
      if (takesEvents) tail = tailAfter(tail, chunk);
      paused = !response.write(chunk);
      if (firstByteAt === null) {
        firstByteAt = lastMove;
        overheadMs += clock.monotonic() - lastMove;
      }
      if (paused && !waitsForDrain) {
        waitsForDrain = true;
        response.on("drain", resume);
      }
      return !paused;
    },

    onComplete() {
      if (outcome === null) complete();
    },

    onError(error) {
      const isUnreached = abort === null && error !== gone && !stoppedWaiting;
      if (outcome === null) {
        const reason = reasonOf(error, abort !== null, response.headersSent);
        line.failed(reason.code, codeOf(error));
        breakOff(reason);
      }
      // That no connection was made is so, whoever still waits for it.
      if (isUnreached) line.unreached();
    },
  };

  const answeredHere = (given: number): void => {
    statusHere = given;
    if (outcome === null) end("blocked");
  };

  const responseClosed = (): void => {
    if (outcome === null) end("client-aborted");
    const undelivered = outcome === "complete" && !response.writableFinished;
    const result: ExchangeEnd = {
      outcome: outcome === null || undelivered ? "client-aborted" : outcome,
      status,
      contentType,
      durationMs: clock.monotonic() - arrivedAt,
    };
    if (contentEncoding !== undefined) result.contentEncoding = contentEncoding;
    line.running -= 1;
    recorder?.end(result);
    const toClient: ExchangeEnd = statusHere === null ? result : { ...result, outcome: "blocked", status: statusHere };
    meter.requestFinished(subject, route, toClient, {
      firstByteMs: firstByteAt === null ? null : firstByteAt - arrivedAt,
      overheadMs,
    });
    ended(running);
  };

  const running: RunningExchange = { slot: -1, breakOff, answeredHere, stopWaitingFor, check };
  response.on("close", responseClosed);
  line.running += 1;
  meter.requestStarted(subject, route);
  if (Buffer.isBuffer(outgoing.body)) meter.bytes("up", outgoing.body.length);
  line.exit.dispatch(outgoing, handler);
  overheadMs += clock.monotonic() - exchange.readAt;
  return running;
};
