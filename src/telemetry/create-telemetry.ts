/** What is told by OpenTelemetry's conventions, or nothing at all: then what would be wrapped stays as it is. */
import type { JudgingMeter } from "../classify/cached.ts";
import type { Config, TelemetrySettings } from "../config/schema.ts";
import type { Secrets } from "../config/secrets.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Ask } from "../probe/asking.ts";
import type { DecisionObserver, ExchangeObserver, RelayMeter } from "../relay/exchange.ts";
import { createExchangeRecords, type ExchangeRecords } from "./exchange-records.ts";
import { createExchangeSpans, errorOf } from "./exchange-spans.ts";
import { createExporting, type Exporting, type ExportMeter } from "./exporting.ts";
import type { OperationMeter } from "./operation.ts";
import { createOwnSpans } from "./own-spans.ts";
import type { MetricFamily } from "./wire.ts";

interface Options {
  settings: TelemetrySettings;
  secrets: Pick<Secrets, "telemetry">;
  /** Lets these headers of the configuration pass as well. */
  fetchFor(baseUrl: string, ownHeaders: readonly string[]): typeof globalThis.fetch;
  readMetrics(): Promise<readonly MetricFamily[]>;
  meter: ExportMeter;
  /** Counts by OpenTelemetry's own names; null where these are not wanted. */
  operations: OperationMeter | null;
  version: string;
  replica: string;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Each of these gives what it was given, or the same with spans told of it. */
export interface Telemetry {
  /** For the exchanges under one configuration: what is told of one exchange must come by one of these. */
  exchanges(config: Pick<Config, "subjects" | "upstreams">): ExchangeRecords;
  probing(subject: string, ask: Ask): Ask;
  judging(meter: JudgingMeter): JudgingMeter;
  close(): Promise<void>;
}

const untraced = {
  exchanges: (): ExchangeRecords => ({
    observing: (observer: ExchangeObserver) => observer,
    deciding: (decisions: DecisionObserver) => decisions,
    metering: (meter: RelayMeter) => meter,
  }),
  probing: (_: string, ask: Ask) => ask,
  judging: (meter: JudgingMeter) => meter,
};

const serversOf = ({ subjects, upstreams }: Pick<Config, "subjects" | "upstreams">) =>
  new Map(
    subjects.map(({ id, upstream }) => {
      const { baseUrl } = upstreams.find((one) => one.id === upstream) ??
        upstreams[0] ?? { baseUrl: "http://localhost" };
      const { hostname, port, protocol } = new URL(baseUrl);
      return [id, { address: hostname, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) }];
    }),
  );

const openExporting = async (otlp: NonNullable<TelemetrySettings["otlp"]>, options: Options): Promise<Exporting> => {
  const { secrets, fetchFor, readMetrics, meter, version, replica, clock, random, log } = options;
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
  return exporting;
};

export const createTelemetry = async (options: Options): Promise<Telemetry> => {
  const { settings, operations, clock, random } = options;
  const { otlp } = settings;
  const exporting = otlp === undefined ? null : await openExporting(otlp, options);
  const close = async (): Promise<void> => exporting?.close();
  const tracing =
    exporting === null || !otlp?.traces ? null : { sampleShare: otlp.sampleShare, emit: exporting.span, clock, random };
  if (tracing === null && operations === null) return { ...untraced, close };

  const exchanges = (config: Pick<Config, "subjects" | "upstreams">): ExchangeRecords => {
    const spans = tracing === null ? null : createExchangeSpans({ ...tracing, servers: serversOf(config) });
    return createExchangeRecords({
      models: new Map(config.subjects.map(({ id, models }) => [id, models])),
      traceOf: (headers) => spans?.traceOf(headers) ?? null,
      always: operations !== null,
      tell(record) {
        spans?.ended(record);
        const { operation, end, timings } = record;
        if (operation === null) return;
        const isStream = end.contentType.startsWith("text/event-stream");
        operations?.operated(operation, {
          seconds: end.durationMs / 1000,
          firstChunkSeconds: isStream && timings.firstByteMs !== null ? timings.firstByteMs / 1000 : null,
          error: errorOf(end),
        });
      },
      refused: (exchange, decision) => spans?.refused(exchange, decision),
      clock,
    });
  };
  return { ...untraced, exchanges, ...(tracing === null ? {} : createOwnSpans(tracing)), close };
};
