/**
 * Posts spans and metrics to an OTLP receiver over HTTP, in batches. What waits is bounded, and what does not fit is
 * dropped and counted: a receiver that is slow or away costs nothing but its own data.
 */
import { deliver, retryDelayMs } from "../egress/delivery.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Span } from "./span.ts";
import type { MetricFamily, Wire } from "./wire.ts";

export const exportResults = ["exported", "dropped"] as const;
export const signals = ["traces", "metrics"] as const;

/** Implementations return at once and never throw. */
export interface ExportMeter {
  /** @param items spans, or metric families */
  counted(signal: (typeof signals)[number], result: (typeof exportResults)[number], items: number): void;
}

interface Options {
  /** Without /v1/traces. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  fetch: typeof globalThis.fetch;
  wire: Wire;
  /** Most spans that wait. */
  queue: number;
  meter: ExportMeter;
  clock: Clock;
  random: Random;
  log: Pick<Log, "warn" | "info">;
}

const batchSpans = 512;
const batchEveryMs = 5_000;
const timeoutMs = 10_000;
/** A batch is tried for so long. */
const giveUpAfterMs = 60_000;
const longestDelayMs = 15_000;
/** Nobody waits longer for a receiver at the end. */
const closeWithinMs = 3_000;

/** Of the OTLP specification: all other failures are final. */
const passing = new Set([429, 502, 503, 504]);

export interface Exporting {
  /** Returns at once. */
  span(span: Span): void;
  /** Reads and posts metrics now and then until it is closed. */
  metricsEvery(intervalMs: number, read: () => Promise<readonly MetricFamily[]>): void;
  /** Posts once what waits; resolves within seconds. */
  close(): Promise<void>;
}

export const createExporting = (options: Options): Exporting => {
  const { endpoint, headers, fetch, wire, queue, meter, clock, random, log } = options;
  const since = clock.now();
  let waiting: Span[] = [];
  let posting: Promise<void> | null = null;
  let closed = false;
  let isFailing = false;
  const timers = new Map<string, () => void>();
  const closing = new AbortController();

  const after = (name: string, ms: number, then: () => void): void => {
    timers.get(name)?.();
    timers.set(name, clock.after(ms, then));
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      closing.signal.addEventListener("abort", () => {
        cancel();
        resolve();
      });
    });

  const post = async (
    signal: (typeof signals)[number],
    body: Uint8Array<ArrayBuffer>,
    items: number,
  ): Promise<void> => {
    const began = clock.monotonic();
    for (let failures = 1; ; failures += 1) {
      const outcome = await deliver({
        fetch,
        url: `${endpoint.replace(/\/+$/, "")}/v1/${signal}`,
        headers: { ...headers, "content-type": wire.contentType },
        body,
        timeoutMs,
        isPassing: (status) => passing.has(status),
        clock,
      });
      if (outcome.kind === "delivered") {
        if (isFailing) log.info("the OTLP receiver takes what is exported again");
        isFailing = false;
        return meter.counted(signal, "exported", items);
      }
      if (!isFailing) log.warn({ signal, reason: outcome.reason }, "the OTLP receiver does not take what is exported");
      isFailing = true;
      const retryAfterMs = outcome.kind === "failed" ? outcome.retryAfterMs : null;
      const delayMs = retryDelayMs({ failures, longestMs: longestDelayMs, retryAfterMs }, random);
      const isTooLate = clock.monotonic() + delayMs - began > giveUpAfterMs;
      if (closed || outcome.kind === "refused" || isTooLate) return meter.counted(signal, "dropped", items);
      await pause(delayMs);
    }
  };

  const postSpans = async (): Promise<void> => {
    do {
      const batch = waiting.slice(0, batchSpans);
      waiting = waiting.slice(batchSpans);
      if (batch.length > 0) await post("traces", wire.spans(batch), batch.length);
    } while (waiting.length >= batchSpans && !closed);
    posting = null;
  };

  const flush = (): void => {
    posting ??= postSpans();
  };

  const flushRegularly = (): void => {
    flush();
    after("spans", batchEveryMs, flushRegularly);
  };
  after("spans", batchEveryMs, flushRegularly);

  return {
    span(span) {
      if (closed || waiting.length >= queue) return meter.counted("traces", "dropped", 1);
      waiting.push(span);
      if (waiting.length === batchSpans) flush();
    },
    metricsEvery(intervalMs, read) {
      const turn = async (): Promise<void> => {
        try {
          const families = await read();
          if (!closed) await post("metrics", wire.metrics(families, { since, now: clock.now() }), families.length);
        } catch (error) {
          log.warn({ err: error }, "metrics could not be exported");
        }
        if (!closed) after("metrics", intervalMs, turn);
      };
      after("metrics", intervalMs, turn);
    },
    async close() {
      closed = true;
      for (const cancel of timers.values()) cancel();
      closing.abort();
      const done = (async () => {
        await posting;
        await postSpans();
      })();
      await Promise.race([done, new Promise<void>((resolve) => clock.after(closeWithinMs, resolve))]);
    },
  };
};
