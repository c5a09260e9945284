/**
 * Stands before the client while policies read the answer. What they may block waits here; what they only watch passes at
 * once and is judged on a copy. Headers leave with the first byte that may: until then a blocked answer gets a true error.
 */
import type { ServerResponse } from "node:http";
import type { AnswerInspecting } from "../dialect/answer-inspecting.ts";
import { createStreamEnding, envelopeOf, type LastEvent, type StreamEnding } from "../dialect/block-shapes.ts";
import type { Gap, Inspection } from "../dialect/carriers.ts";
import { decodeContent } from "../dialect/content-encoding.ts";
import { editBody } from "../dialect/edited-body.ts";
import { isInspectable, uninspected } from "../dialect/inspection.ts";
import { parseJson } from "../dialect/json-body.ts";
import { createSseFrames } from "../dialect/sse-frames.ts";
import type { StreamedTexts, StreamReading } from "../dialect/streamed-texts.ts";
import { failedClosed } from "../guard/failed-closed.ts";
import type { Decision, ExchangeGuard } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { answerBlocked, blockedBy, blockedUnedited, passes } from "./block-answer.ts";
import type { ClientAnswer } from "./client-answer.ts";
import { decisionHeaders } from "./decision-headers.ts";
import { createHeldStream } from "./held-stream.ts";
import { joined } from "./joined.ts";
import { pushEvent } from "./push-event.ts";

/** How much waits for a decision, and how long a client hears nothing. */
export interface Holding {
  /** Largest whole answer that is inspected. */
  answerBytes: number;
  /** Most bytes of a stream that are kept back at once. */
  streamBytes: number;
  /** A held stream sends a comment this often, so that nobody on the way takes the connection for dead. */
  keepAliveMs: number;
  /** How a stream closes that is blocked after it has begun. */
  lastEvent: LastEvent;
}

/** How answers are read; both learn from each what the next is like. */
interface AnswerReading {
  whole: AnswerInspecting;
  stream: StreamReading;
}

interface GuardedAnswerParts {
  response: ServerResponse;
  exchangeId: string;
  /** Below the base URL. */
  path: string;
  /** As it was sent upstream. */
  requestBody: Buffer;
  guard: ExchangeGuard;
  /** What was decided on the request; null when no policy reads requests. */
  requestDecision: Decision | null;
  reroutedTo: string | null;
  /** What inspecting the request took. */
  overheadMs: number;
  holding: Holding;
  reading: AnswerReading;
  clock: Clock;
  log: Log;
  /** What was decided on the answer, as it is carried out; once, and not at all where the answer broke off before. */
  decided(decision: Decision): void;
  /** The client was given another answer than the upstream's, with this status. */
  answeredHere(status: number): void;
}

interface Head {
  status: number;
  reason: string;
  headers: string[];
}

/** What is done with the bytes of one answer. */
interface Passage {
  write(chunk: Buffer): boolean;
  end(): void;
  /** The exchange was broken off. */
  stop(): void;
}

/** Longer bodies are not copied to be written together with their heads. */
const longestWithHead = 8 * 1024;

const eventStream = /^\s*text\/event-stream\s*(?:;|$)/i;

const headerIn = (headers: readonly string[], name: string): string | undefined => {
  const at = headers.findIndex((item, place) => place % 2 === 0 && item.toLowerCase() === name);
  return at === -1 ? undefined : headers[at + 1];
};

const withoutHeaders = (headers: readonly string[], names: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let place = 0; place < headers.length; place += 2) {
    const [name = "", value = ""] = [headers[place], headers[place + 1]];
    if (!names.includes(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
};

/** For a body that was edited. */
const resized = (headers: readonly string[], length: number): string[] => [
  ...withoutHeaders(headers, ["content-length", "etag"]),
  "content-length",
  String(length),
];

const isEncoded = (encoding: string | undefined): boolean =>
  encoding !== undefined && encoding.trim() !== "" && encoding.trim().toLowerCase() !== "identity";

/**
 * A class for the sake of its accessors: V8 gives an object literal with accessors a hidden class of its own, and one for
 * every exchange fills the old generation.
 */
class GuardedAnswer implements ClientAnswer {
  readonly #response: ServerResponse;
  readonly writeHead: ClientAnswer["writeHead"];
  readonly write: ClientAnswer["write"];
  readonly end: ClientAnswer["end"];
  readonly destroy: ClientAnswer["destroy"];
  readonly on: ClientAnswer["on"];

  constructor(response: ServerResponse, acts: Pick<ClientAnswer, "writeHead" | "write" | "end" | "destroy" | "on">) {
    this.#response = response;
    this.writeHead = acts.writeHead;
    this.write = acts.write;
    this.end = acts.end;
    this.destroy = acts.destroy;
    this.on = acts.on;
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  get writableFinished(): boolean {
    return this.#response.writableFinished;
  }

  flushHeaders(): void {
    if (this.#response.headersSent) this.#response.flushHeaders();
  }
}

export const guardAnswer = (parts: GuardedAnswerParts): ClientAnswer => {
  const { response, exchangeId, path, requestBody, guard, requestDecision, reroutedTo, holding, reading, clock, log } =
    parts;
  let { overheadMs } = parts;
  let passage: Passage | null = null;
  let drained = (): void => {};

  const timed = <T>(work: () => T): T => {
    const from = clock.monotonic();
    const result = work();
    overheadMs += clock.monotonic() - from;
    return result;
  };

  const headersFor = (decision: Decision | null | undefined): string[] =>
    decisionHeaders({ request: requestDecision, response: decision, reroutedTo, overheadMs });

  const sendHead = ({ status, reason, headers }: Head, decision: Decision | null | undefined): void => {
    response.writeHead(status, reason, [...headers, ...headersFor(decision)]);
  };

  /** One byte a letter: what is short and a string is written in one piece with its head. */
  const endWith = (body: Buffer): void => {
    if (body.length > longestWithHead) response.end(body);
    else response.end(body.toString("latin1"), "latin1");
  };

  const failed = (error: unknown): Decision => {
    log.error({ err: error }, "a policy could not be evaluated; the answer is not passed on");
    return failedClosed(exchangeId, "response");
  };

  /** Before anything was sent. */
  const sendBlocked = (decision: Decision, answer: unknown): void => {
    const headers = headersFor(decision);
    const nowMs = clock.now();
    parts.answeredHere(answerBlocked({ response, exchangeId, path, decision, requestBody, answer, headers, nowMs }));
  };

  /** Calls back at once where the decision is there at once. */
  const decide = (ask: () => Decision | Promise<Decision>, done: (decision: Decision) => void): void => {
    let decision: Decision | Promise<Decision>;
    try {
      decision = timed(ask);
    } catch (error) {
      done(failed(error));
      return;
    }
    if (!(decision instanceof Promise)) done(decision);
    else {
      decision
        .catch(failed)
        .then(done)
        .catch((error: unknown) => {
          failed(error);
          response.destroy();
        });
    }
  };

  const passOn = (): Passage => ({
    write: (chunk) => response.write(chunk),
    end: () => void response.end(),
    stop() {},
  });

  /** Keeps bytes until it is decided whether what cannot be inspected may pass. */
  const askAbout = (gap: Gap, head: Head, kept: Buffer[]): Passage => {
    let state: "asking" | "passing" | "over" = "asking";
    let ended = false;
    decide(
      () => guard.answer(uninspected(gap)),
      (decision) => {
        if (state === "over") return;
        parts.decided(decision);
        if (!passes(decision)) {
          state = "over";
          sendBlocked(decision, null);
          return;
        }
        state = "passing";
        sendHead(head, decision);
        for (const chunk of kept) response.write(chunk);
        if (ended) response.end();
        else drained();
      },
    );
    return {
      write(chunk) {
        if (state === "passing") return response.write(chunk);
        if (state === "asking") kept.push(chunk);
        return state === "over";
      },
      end() {
        ended = true;
        if (state === "passing") response.end();
      },
      stop() {
        state = "over";
      },
    };
  };

  const holdBody = (head: Head): Passage => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    let over = false;

    const settle = (body: Buffer, edited: Buffer | null, decision: Decision): void => {
      if (over) return;
      over = true;
      const final = edited === null && passes(decision) ? blockedUnedited(exchangeId, "response", decision) : decision;
      parts.decided(final);
      if (edited === null || !passes(final)) {
        sendBlocked(final, final === decision ? parseJson(body.toString("utf8")) : null);
      } else {
        sendHead(edited === body ? head : { ...head, headers: resized(head.headers, edited.length) }, decision);
        endWith(edited);
      }
    };

    return {
      write(chunk) {
        if (over) return true;
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes <= holding.answerBytes) return true;
        over = true;
        const next = askAbout("too-large", head, chunks);
        passage = next;
        chunks = [];
        return true;
      },
      end() {
        const [only] = chunks;
        const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes);
        let found = uninspected("unreadable-body");
        decide(
          () => {
            const inspected = reading.whole(path, body);
            const ask = (inspection: Inspection): Decision | Promise<Decision> => {
              found = inspection;
              return guard.answer(inspection);
            };
            return inspected instanceof Promise ? inspected.then(ask) : ask(inspected);
          },
          (decision) => {
            const { edits } = decision;
            settle(body, edits.length === 0 ? body : timed(() => editBody(body, found.carriers, edits)), decision);
          },
        );
      },
      stop() {
        over = true;
      },
    };
  };

  /** Ends a stream that the client has seen the beginning of. */
  const endBlocked = (ending: StreamEnding | null, decision: Decision): void => {
    const envelope = envelopeOf(parseJson(requestBody.toString("utf8")), null, clock.now());
    response.end(ending?.refusal(blockedBy(decision), envelope, holding.lastEvent) ?? "");
    parts.answeredHere(response.statusCode);
  };

  const holdStream = (head: Head, texts: StreamedTexts): Passage => {
    const ending = createStreamEnding(path);
    let full = false;
    let wanted = true;
    response.on("drain", () => {
      full = false;
    });
    let cancelKeepAlive = (): void => {};
    // Edits change its length, and so does what is added when it is blocked.
    const unsized = { ...head, headers: withoutHeaders(head.headers, ["content-length"]) };

    const begin = (): void => {
      if (!response.headersSent) sendHead(unsized, stream.decision() ?? undefined);
    };
    let quiet = true;
    let keptAlive = false;
    const keepAlive = (): void => {
      cancelKeepAlive = clock.after(holding.keepAliveMs, () => {
        if (quiet && stream.holds()) {
          begin();
          response.write(": hold\n\n");
        }
        quiet = true;
        keepAlive();
      });
    };
    const stream = createHeldStream({
      texts,
      guard: (progress) => guard.stream(progress),
      maxBytes: holding.streamBytes,
      unedited: (decision) => blockedUnedited(exchangeId, "response", decision),
      failed,
      deliver(bytes) {
        begin();
        quiet = false;
        full = !response.write(bytes) || full;
      },
      delivered: (event) => ending?.delivered(event),
      wantsMore() {
        wanted = true;
        drained();
      },
      blocked(decision) {
        cancelKeepAlive();
        parts.decided(decision);
        if (response.destroyed) return;
        if (response.headersSent) endBlocked(ending, decision);
        else sendBlocked(decision, null);
      },
      finished(decision) {
        cancelKeepAlive();
        if (decision !== null) parts.decided(decision);
        begin();
        response.end();
      },
    });
    /** What came in one read is looked at as one: an upstream's every event comes by itself. */
    let unread: Buffer[] = [];
    const read = (): void => {
      if (unread.length === 0) return;
      const chunks = unread;
      unread = [];
      timed(() => {
        wanted = stream.push(joined(chunks));
      });
      if (keptAlive || !stream.holds()) return;
      keptAlive = true;
      keepAlive();
    };
    return {
      write(chunk) {
        if (unread.push(chunk) === 1) process.nextTick(read);
        return wanted && !full;
      },
      end() {
        read();
        timed(stream.end);
      },
      stop() {
        unread = [];
        cancelKeepAlive();
        stream.stop();
      },
    };
  };

  const watchBody = (head: Head): Passage => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    const judge = async (): Promise<void> => {
      const body = Buffer.concat(chunks);
      chunks = [];
      if (bytes > holding.answerBytes) return parts.decided(await guard.answer(uninspected("too-large")));
      const decoded = await decodeContent(body, headerIn(head.headers, "content-encoding"));
      const found = decoded.kind === "decoded" ? await reading.whole(path, decoded.bytes) : uninspected("encoded-body");
      parts.decided(await guard.answer(found));
    };
    return {
      write(chunk) {
        bytes += chunk.length;
        if (bytes <= holding.answerBytes) chunks.push(chunk);
        return response.write(chunk);
      },
      end() {
        response.end();
        judge().catch((error: unknown) => log.error({ err: error }, "an answer could not be watched"));
      },
      stop() {
        chunks = [];
      },
    };
  };

  const watchStream = (texts: StreamedTexts): Passage => {
    const stream = guard.stream(() => told());
    const gaps = new Set<Gap>();
    let over = false;
    let decided = false;
    const told = (): void => {
      const { decision } = stream;
      if (decision === null || decided) return;
      decided = true;
      parts.decided(decision);
    };
    const watch = (work: () => void): void => {
      if (over) return;
      try {
        timed(work);
      } catch (error) {
        over = true;
        log.error({ err: error }, "a streamed answer could not be watched");
      }
    };
    const finish = (): void => {
      over = true;
      stream.end([...gaps]);
      told();
    };
    const frames = createSseFrames({
      frame(frame) {
        if (frame.data === null || over) return;
        const event = texts.read(frame.data, frame);
        pushEvent(stream, event);
        for (const gap of event.gaps) {
          gaps.add(gap);
          stream.gap(gap);
        }
        if (event.isEnd) finish();
      },
      run(bytes, start) {
        const run = over ? null : texts.readRun(bytes, start);
        if (run === null) return start;
        stream.push(run.place, run.text);
        return start + run.bytes.length;
      },
    });
    return {
      write(chunk) {
        const more = response.write(chunk);
        watch(() => {
          frames.push(chunk);
          if (frames.pending() <= holding.streamBytes) return;
          gaps.add("too-large");
          finish();
        });
        return more;
      },
      end() {
        response.end();
        watch(() => {
          frames.end();
          if (!over) finish();
        });
      },
      stop: () => watch(finish),
    };
  };

  /** Only answers are inspected: an error of the upstream's is its own words. */
  const passageFor = (head: Head): Passage => {
    const isAnswer = head.status >= 200 && head.status < 300;
    if (guard.response === "none" || !isAnswer) {
      sendHead(head, null);
      return passOn();
    }
    if (!isInspectable(path)) {
      if (guard.response === "hold") return askAbout("unknown-path", head, []);
      sendHead(head, undefined);
      decide(() => guard.answer(uninspected("unknown-path")), parts.decided);
      return passOn();
    }
    const encoded = isEncoded(headerIn(head.headers, "content-encoding"));
    const streamed = eventStream.test(headerIn(head.headers, "content-type") ?? "");
    const texts = streamed && !encoded ? reading.stream(path) : null;
    if (guard.response === "hold") {
      if (encoded) return askAbout("encoded-body", head, []);
      if (!streamed) return holdBody(head);
      return texts === null ? askAbout("unknown-path", head, []) : holdStream(head, texts);
    }
    sendHead(head, undefined);
    if (streamed && texts !== null) return watchStream(texts);
    return watchBody(head);
  };

  response.on("close", () => passage?.stop());
  return new GuardedAnswer(response, {
    writeHead(status, reason, headers) {
      passage?.stop();
      passage = passageFor({ status, reason, headers });
    },
    write: (chunk) => passage?.write(chunk) ?? true,
    end(last) {
      if (last === undefined) {
        passage?.end();
        return;
      }
      passage?.stop();
      response.end(last);
    },
    destroy() {
      passage?.stop();
      if (response.headersSent || response.destroyed) response.destroy();
      else sendBlocked(failedClosed(exchangeId, "response"), null);
    },
    on(event, listener) {
      if (event === "drain") drained = listener;
      response.on(event, listener);
    },
  });
};
