/** Spans and metric families as bytes of OTLP, by the project's own serializers. */
import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { namedForOtlp } from "./semantic-names.ts";
import type { Span } from "./span.ts";

type ReadableSpan = Parameters<typeof JsonTraceSerializer.serializeRequest>[0][number];
type ResourceMetrics = Parameters<typeof JsonMetricsSerializer.serializeRequest>[0];
type Metric = ResourceMetrics["scopeMetrics"][number]["metrics"][number];
type Resource = ReadableSpan["resource"];

/** As the registry has it: of a histogram its buckets (cumulated, by `le`), sums and counts in one list. */
export interface MetricFamily {
  name: string;
  help: string;
  type: string;
  values: readonly { metricName?: string; labels: Readonly<Record<string, string | number>>; value: number }[];
}

export interface Wire {
  contentType: string;
  spans(spans: readonly Span[]): Uint8Array<ArrayBuffer>;
  /** @param since when counting began, milliseconds since 1970 */
  metrics(families: readonly MetricFamily[], times: { since: number; now: number }): Uint8Array<ArrayBuffer>;
}

type HrTime = [seconds: number, nanoseconds: number];

const hrTime = (ms: number): HrTime => {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
};

// The numbers of the API's enumerations, which are not worth loading the packages for that hold them.
const spanKinds = { internal: 0, client: 2 } as const;
const statuses = { unset: 0, error: 2 } as const;
const sampledFlag = 1;
const double = 1;
const cumulative = 1;
const pointTypes = { histogram: 0, gauge: 2, sum: 3 } as const;

const toReadableSpan = (span: Span, resource: Resource, scope: ReadableSpan["instrumentationScope"]): ReadableSpan => {
  const { name, kind, traceId, spanId, parentSpanId, startedAt, durationMs, attributes, failed } = span;
  const context = { traceId, traceFlags: sampledFlag };
  return {
    name,
    kind: spanKinds[kind],
    spanContext: () => ({ ...context, spanId }),
    ...(parentSpanId === null ? {} : { parentSpanContext: { ...context, spanId: parentSpanId, isRemote: true } }),
    startTime: hrTime(startedAt),
    endTime: hrTime(startedAt + durationMs),
    duration: hrTime(durationMs),
    status: { code: failed ? statuses.error : statuses.unset },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
};

type Series = {
  attributes: Record<string, string | number>;
  buckets: [bound: number, count: number][];
  sum: number;
  count: number;
};

/** Lines of a histogram by their labels without `le`. */
const seriesOf = ({ name, values }: MetricFamily): Series[] => {
  const series = new Map<string, Series>();
  for (const { metricName, labels, value } of values) {
    const { le, ...attributes } = labels;
    const key = JSON.stringify(Object.entries(attributes).sort());
    const own = series.get(key) ?? { attributes, buckets: [], sum: 0, count: 0 };
    series.set(key, own);
    if (metricName === `${name}_sum`) own.sum = value;
    else if (metricName === `${name}_count`) own.count = value;
    else own.buckets.push([le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le), value]);
  }
  return [...series.values()];
};

/** Each bucket by itself, not with those below it; the last one has no bound. */
const histogramOf = ({ buckets, sum, count }: Series) => {
  const ascending = buckets.toSorted(([one], [other]) => one - other);
  return {
    buckets: {
      boundaries: ascending.map(([bound]) => bound).filter(Number.isFinite),
      counts: ascending.map(([, cumulated], index) => cumulated - (ascending[index - 1]?.[1] ?? 0)),
    },
    sum,
    count,
  };
};

const toMetric = (family: MetricFamily, times: { since: number; now: number }): Metric | null => {
  const { help, type } = family;
  const { name, unit, attributes: attributesOf } = namedForOtlp(family.name);
  const shared = {
    descriptor: { name, description: help, unit, valueType: double },
    aggregationTemporality: cumulative,
  } as const;
  const between = { startTime: hrTime(times.since), endTime: hrTime(times.now) };
  // Evidence is minus infinity before the first datum, which JSON has no number for.
  const points = () =>
    family.values
      .filter(({ value }) => Number.isFinite(value))
      .map(({ labels, value }) => ({ ...between, attributes: attributesOf(labels), value }));
  switch (type) {
    case "counter":
      return { ...shared, dataPointType: pointTypes.sum, isMonotonic: true, dataPoints: points() };
    case "gauge":
      return { ...shared, dataPointType: pointTypes.gauge, dataPoints: points() };
    case "histogram":
      return {
        ...shared,
        dataPointType: pointTypes.histogram,
        dataPoints: seriesOf(family).map((series) => ({
          ...between,
          attributes: attributesOf(series.attributes),
          value: histogramOf(series),
        })),
      };
    default:
      return null;
  }
};

const bytesOf = (bytes: Uint8Array | undefined): Uint8Array<ArrayBuffer> => {
  if (bytes === undefined) throw new Error("nothing was encoded");
  return new Uint8Array(bytes);
};

export const createWire = (
  encoding: "protobuf" | "json",
  { serviceName, version, replica }: { serviceName: string; version: string; replica: string },
): Wire => {
  const isJson = encoding === "json";
  const traces = isJson ? JsonTraceSerializer : ProtobufTraceSerializer;
  const metrics = isJson ? JsonMetricsSerializer : ProtobufMetricsSerializer;
  const attributes = { "service.name": serviceName, "service.version": version, "service.instance.id": replica };
  // Of the package's own class only this part is read.
  const resource = { attributes } as unknown as Resource;
  const scope = { name: "candor", version };
  return {
    contentType: isJson ? "application/json" : "application/x-protobuf",
    spans: (spans) => bytesOf(traces.serializeRequest(spans.map((span) => toReadableSpan(span, resource, scope)))),
    metrics: (families, times) =>
      bytesOf(
        metrics.serializeRequest({
          resource,
          scopeMetrics: [
            { scope, metrics: families.map((family) => toMetric(family, times)).filter((metric) => metric !== null) },
          ],
        }),
      ),
  };
};
