/**
 * What the relay did, counted. Called on the hot path: every label set has its place from the start, so that an exchange
 * costs a few look-ups and additions, and nothing that a client sends can become a label.
 */
import type { Registry } from "prom-client";
import type { ExchangeEnd, RelayMeter } from "../relay/exchange.ts";
import { pick, withOther } from "./bounded-label.ts";
import { createBuckets, pulledHistogram } from "./buckets.ts";
import { keepSeries } from "./kept-series.ts";
import { pulledCounter, pulledGauge } from "./pulled-metric.ts";

type Outcome = ExchangeEnd["outcome"];
type Refusal = Parameters<RelayMeter["requestRefused"]>[1];

const codes = ["2xx", "3xx", "4xx", "5xx", "none"] as const;
type Code = (typeof codes)[number];

/** The pairs that occur, exposed at 0 from the start; the others of this bounded set appear when they happen. */
const expectedCodes: Record<Outcome, readonly Code[]> = {
  complete: ["2xx", "3xx", "4xx", "5xx"],
  blocked: ["2xx", "4xx", "5xx"],
  "client-aborted": ["2xx", "4xx", "none"],
  "upstream-aborted": ["2xx"],
  "upstream-error": ["5xx"],
  timeout: ["2xx", "5xx"],
};

/** Seconds; from OpenTelemetry's conventions for generative AI. */
const durationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/** Seconds; as vLLM has them for the time to the first token. */
const firstByteBuckets = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Seconds; a relay's own share is far below a model's. */
const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];

/** Of `codes`, by its place. */
const codeOf = (status: number): number => {
  const hundreds = Math.floor(status / 100);
  return hundreds >= 2 && hundreds <= 5 ? hundreds - 2 : codes.indexOf("none");
};

const keysOf = <K extends string>(record: Record<K, unknown>): K[] => Object.keys(record) as K[];

/** How often exchanges of one subject and one route ended in each way. */
const createEndings = () => {
  const noneYet = (): number[] => codes.map(() => 0);
  const counts: Record<Outcome, number[]> = {
    complete: noneYet(),
    blocked: noneYet(),
    "client-aborted": noneYet(),
    "upstream-aborted": noneYet(),
    "upstream-error": noneYet(),
    timeout: noneYet(),
  };
  return {
    count(outcome: Outcome, status: number): void {
      const code = codeOf(status);
      counts[outcome][code] = (counts[outcome][code] ?? 0) + 1;
    },
    /** Those that are to be exposed. */
    all: () =>
      keysOf(counts).flatMap((outcome) =>
        codes
          .map((code, index) => ({ outcome, code, value: counts[outcome][index] ?? 0 }))
          .filter(({ code, value }) => value > 0 || expectedCodes[outcome].includes(code)),
      ),
  };
};

const createRefusalCounts = (): Record<Refusal, number> => ({
  "too-large": 0,
  "bad-request": 0,
  "not-found": 0,
  overloaded: 0,
  unreachable: 0,
  draining: 0,
  timeout: 0,
  blocked: 0,
});

interface Options {
  subjects: readonly string[];
  routes: readonly string[];
}

export interface RelayMetrics extends RelayMeter {
  /** Counts these from now on. One under which something is under way must stay until that has ended. */
  subjects(ids: readonly string[]): void;
}

export const createRelayMetrics = (registry: Registry, { subjects, routes }: Options): RelayMetrics => {
  const allRoutes = withOther(routes);
  const seriesOfSubject = () => ({
    inFlight: 0,
    duration: createBuckets(durationBuckets),
    firstByte: createBuckets(firstByteBuckets),
    endings: new Map(allRoutes.map((route) => [route, createEndings()])),
  });
  const bySubject = new Map<string, ReturnType<typeof seriesOfSubject>>();
  const keepSubjects = (ids: readonly string[]): void => keepSeries(bySubject, withOther(ids), seriesOfSubject);
  keepSubjects(subjects);
  const byRoute = new Map(
    allRoutes.map((route) => [route, { overhead: createBuckets(overheadBuckets), refused: createRefusalCounts() }]),
  );
  const relayed = { up: 0, down: 0 };

  pulledCounter(registry, {
    name: "candor_requests_total",
    help: "Exchanges that ended, by how they ended and by the class of the status that the client got",
    labelNames: ["subject", "route", "outcome", "code"],
    *read() {
      for (const [subject, { endings }] of bySubject) {
        for (const [route, ending] of endings) {
          for (const { outcome, code, value } of ending.all()) {
            yield { labels: { subject, route, outcome, code }, value };
          }
        }
      }
    },
  });
  pulledHistogram(registry, {
    name: "candor_request_duration_seconds",
    help: "From the request's arrival to the end of its answer, the model's own time included",
    bounds: durationBuckets,
    read: () => [...bySubject].map(([subject, { duration }]) => ({ labels: { subject }, buckets: duration })),
  });
  pulledHistogram(registry, {
    name: "candor_time_to_first_byte_seconds",
    help: "From the request's arrival to the first byte of its answer, the model's own time included",
    bounds: firstByteBuckets,
    read: () => [...bySubject].map(([subject, { firstByte }]) => ({ labels: { subject }, buckets: firstByte })),
  });
  pulledHistogram(registry, {
    name: "candor_relay_overhead_seconds",
    help: "Time that the relay itself added to an exchange",
    bounds: overheadBuckets,
    read: () => [...byRoute].map(([route, { overhead }]) => ({ labels: { route }, buckets: overhead })),
  });
  pulledCounter(registry, {
    name: "candor_requests_refused_total",
    help: "Requests that the relay answered with an error of its own, without asking the model",
    labelNames: ["route", "reason"],
    read: () =>
      [...byRoute].flatMap(([route, { refused }]) =>
        Object.entries(refused).map(([reason, value]) => ({ labels: { route, reason }, value })),
      ),
  });
  pulledGauge(registry, {
    name: "candor_requests_in_flight",
    help: "Exchanges that have begun and not ended",
    labelNames: ["subject"],
    read: () => [...bySubject].map(([subject, { inFlight }]) => ({ labels: { subject }, value: inFlight })),
  });
  pulledCounter(registry, {
    name: "candor_relayed_bytes_total",
    help: "Bytes of bodies relayed: up to the model, down to the client",
    labelNames: ["direction"],
    read: () => Object.entries(relayed).map(([direction, value]) => ({ labels: { direction }, value })),
  });

  return {
    subjects: keepSubjects,
    requestStarted(subject) {
      const own = pick(bySubject, subject);
      if (own !== undefined) own.inFlight += 1;
    },
    requestFinished(subject, route, { outcome, status, durationMs }, { firstByteMs, overheadMs }) {
      pick(byRoute, route)?.overhead.observe(overheadMs / 1000);
      const own = pick(bySubject, subject);
      if (own === undefined) return;
      own.inFlight -= 1;
      own.duration.observe(durationMs / 1000);
      if (firstByteMs !== null) own.firstByte.observe(firstByteMs / 1000);
      pick(own.endings, route)?.count(outcome, status);
    },
    requestRefused(route, reason) {
      const own = pick(byRoute, route);
      if (own !== undefined) own.refused[reason] += 1;
    },
    bytes(direction, count) {
      relayed[direction] += count;
    },
  };
};
