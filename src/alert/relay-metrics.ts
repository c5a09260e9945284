/**
 * What the relay did, counted. Called on the hot path: every label set is prepared at the start, so that an exchange
 * costs a few map look-ups, and nothing that a client sends can become a label.
 */
import { Counter, Histogram, type Registry } from "prom-client";
import type { ExchangeEnd, RelayMeter } from "../relay/exchange.ts";
import { pick, withOther } from "./bounded-label.ts";
import { pulledCounter, pulledGauge } from "./pulled-metric.ts";

type Outcome = ExchangeEnd["outcome"];
type Refusal = Parameters<RelayMeter["requestRefused"]>[1];

const codes = ["2xx", "3xx", "4xx", "5xx", "none"] as const;
type Code = (typeof codes)[number];

/** The pairs that occur, exposed at 0 from the start; the others of this bounded set appear when they happen. */
const expectedCodes: Record<Outcome, readonly Code[]> = {
  complete: ["2xx", "3xx", "4xx", "5xx"],
  "client-aborted": ["2xx", "4xx", "none"],
  "upstream-aborted": ["2xx"],
  "upstream-error": ["5xx"],
  timeout: ["2xx", "5xx"],
};

const refusals: Record<Refusal, true> = {
  "too-large": true,
  "bad-request": true,
  "not-found": true,
  overloaded: true,
  draining: true,
  timeout: true,
};

/** Seconds; from OpenTelemetry's conventions for generative AI. */
const durationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/** Seconds; as vLLM has them for the time to the first token. */
const firstByteBuckets = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Seconds; a relay's own share is far below a model's. */
const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];

const codeOf = (status: number): Code => {
  switch (Math.floor(status / 100)) {
    case 2:
      return "2xx";
    case 3:
      return "3xx";
    case 4:
      return "4xx";
    case 5:
      return "5xx";
    default:
      return "none";
  }
};

const keysOf = <K extends string>(record: Record<K, unknown>): K[] => Object.keys(record) as K[];

interface Options {
  subjects: readonly string[];
  routes: readonly string[];
}

export const createRelayMetrics = (registry: Registry, { subjects, routes }: Options): RelayMeter => {
  const registers = [registry];
  const requests = new Counter({
    name: "candor_requests_total",
    help: "Exchanges that ended, by how they ended and by the class of the status that the client got",
    labelNames: ["subject", "route", "outcome", "code"],
    registers,
  });
  const duration = new Histogram({
    name: "candor_request_duration_seconds",
    help: "From the request's arrival to the end of its answer, the model's own time included",
    labelNames: ["subject"],
    buckets: durationBuckets,
    registers,
  });
  const firstByte = new Histogram({
    name: "candor_time_to_first_byte_seconds",
    help: "From the request's arrival to the first byte of its answer, the model's own time included",
    labelNames: ["subject"],
    buckets: firstByteBuckets,
    registers,
  });
  const overhead = new Histogram({
    name: "candor_relay_overhead_seconds",
    help: "Time that the relay itself added to an exchange",
    labelNames: ["route"],
    buckets: overheadBuckets,
    registers,
  });
  const refused = new Counter({
    name: "candor_requests_refused_total",
    help: "Requests that the relay answered with an error of its own, without asking the model",
    labelNames: ["route", "reason"],
    registers,
  });

  const childrenOf = (subject: string, route: string) => {
    const ended = new Map<string, Counter.Internal>();
    for (const outcome of keysOf(expectedCodes)) {
      for (const code of codes) {
        const child = requests.labels({ subject, route, outcome, code });
        if (expectedCodes[outcome].includes(code)) child.inc(0);
        ended.set(`${outcome} ${code}`, child);
      }
    }
    return ended;
  };

  const bySubject = new Map(
    withOther(subjects).map((subject) => {
      duration.zero({ subject });
      firstByte.zero({ subject });
      const byRoute = new Map(withOther(routes).map((route) => [route, childrenOf(subject, route)]));
      const children = {
        inFlight: 0,
        duration: duration.labels({ subject }),
        firstByte: firstByte.labels({ subject }),
        byRoute,
      };
      return [subject, children];
    }),
  );

  const byRoute = new Map(
    withOther(routes).map((route) => {
      overhead.zero({ route });
      const reasons = new Map(
        keysOf(refusals).map((reason) => {
          const child = refused.labels({ route, reason });
          child.inc(0);
          return [reason, child];
        }),
      );
      return [route, { overhead: overhead.labels({ route }), reasons }];
    }),
  );

  pulledGauge(registry, {
    name: "candor_requests_in_flight",
    help: "Exchanges that have begun and not ended",
    labelNames: ["subject"],
    read: () => [...bySubject].map(([subject, { inFlight }]) => ({ labels: { subject }, value: inFlight })),
  });

  const relayed = { up: 0, down: 0 };
  pulledCounter(registry, {
    name: "candor_relayed_bytes_total",
    help: "Bytes of bodies relayed: up to the model, down to the client",
    labelNames: ["direction"],
    read: () => Object.entries(relayed).map(([direction, value]) => ({ labels: { direction }, value })),
  });

  return {
    requestStarted(subject) {
      const children = pick(bySubject, subject);
      if (children !== undefined) children.inFlight += 1;
    },
    requestFinished(subject, route, { outcome, status, durationMs }, { firstByteMs, overheadMs }) {
      pick(byRoute, route)?.overhead.observe(overheadMs / 1000);
      const children = pick(bySubject, subject);
      if (children === undefined) return;
      children.inFlight -= 1;
      children.duration.observe(durationMs / 1000);
      if (firstByteMs !== null) children.firstByte.observe(firstByteMs / 1000);
      pick(children.byRoute, route)
        ?.get(`${outcome} ${codeOf(status)}`)
        ?.inc();
    },
    requestRefused(route, reason) {
      pick(byRoute, route)?.reasons.get(reason)?.inc();
    },
    bytes(direction, count) {
      relayed[direction] += count;
    },
  };
};
