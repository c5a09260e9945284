/** The configured export of traces and metrics, or nothing at all: then what would be wrapped stays as it is. */
import type { JudgingMeter } from "../classify/cached.ts";
import type { Config, TelemetrySettings } from "../config/schema.ts";
import type { Secrets } from "../config/secrets.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Ask } from "../probe/asking.ts";
import type { DecisionObserver, ExchangeObserver, RelayMeter } from "../relay/exchange.ts";
import { createExchangeSpans, type ExchangeSpans } from "./exchange-spans.ts";
import { createExporting, type ExportMeter } from "./exporting.ts";
import { createOwnSpans } from "./own-spans.ts";
import type { Span } from "./span.ts";
import type { MetricFamily } from "./wire.ts";

interface Options {
  settings: TelemetrySettings;
  secrets: Pick<Secrets, "telemetry">;
  /** Lets these headers of the configuration pass as well. */
  fetchFor(baseUrl: string, ownHeaders: readonly string[]): typeof fetch;
  readMetrics(): Promise<readonly MetricFamily[]>;
  meter: ExportMeter;
  version: string;
  replica: string;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Each of these gives what it was given, or the same with spans told of it. */
export interface Telemetry {
  /** For the exchanges under one configuration: what is told of one exchange must come by one of these. */
  exchanges(config: Pick<Config, "subjects" | "upstreams">): ExchangeSpans;
  probing(subject: string, ask: Ask): Ask;
  judging(meter: JudgingMeter): JudgingMeter;
  close(): Promise<void>;
}

const untraced = {
  exchanges: (): ExchangeSpans => ({
    observing: (observer: ExchangeObserver) => observer,
    deciding: (decisions: DecisionObserver) => decisions,
    metering: (meter: RelayMeter) => meter,
  }),
  probing: (_: string, ask: Ask) => ask,
  judging: (meter: JudgingMeter) => meter,
};

/** What spans tell of a subject. */
const knownOf = ({ subjects, upstreams }: Pick<Config, "subjects" | "upstreams">) =>
  new Map(
    subjects.map(({ id, models, upstream }) => {
      const { baseUrl } = upstreams.find((one) => one.id === upstream) ??
        upstreams[0] ?? { baseUrl: "http://localhost" };
      const { hostname, port, protocol } = new URL(baseUrl);
      const serverPort = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
      return [id, { models, serverAddress: hostname, serverPort }];
    }),
  );

export const createTelemetry = async (options: Options): Promise<Telemetry> => {
  const { settings, secrets, fetchFor, readMetrics, meter, version, replica, clock, random, log } = options;
  const { otlp } = settings;
  if (otlp === undefined) return { ...untraced, async close() {} };

  // Not loaded where nobody asked for it.
  const { createWire } = await import("./wire.ts");
  const headers = Object.fromEntries(secrets.telemetry);
  const exporting = createExporting({
    endpoint: otlp.endpoint,
    headers,
    fetch: fetchFor(otlp.endpoint, Object.keys(headers)),
    wire: createWire(otlp.encoding, { serviceName: otlp.serviceName, version, replica }),
    queue: otlp.queue,
    meter,
    clock,
    random,
    log,
  });
  if (otlp.metrics) exporting.metricsEvery(otlp.metricsSeconds * 1000, readMetrics);
  if (!otlp.traces) return { ...untraced, close: exporting.close };
  const emit = (span: Span): void => exporting.span(span);
  const spans = { sampleShare: otlp.sampleShare, emit, clock, random };
  return {
    exchanges: (config) => createExchangeSpans({ ...spans, subjects: knownOf(config) }),
    ...createOwnSpans(spans),
    close: exporting.close,
  };
};
