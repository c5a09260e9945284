import { describe, expect, it, onTestFinished } from "vitest";
import { createEgress } from "../../src/egress/egress.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { createExporting } from "../../src/telemetry/exporting.ts";
import type { Span } from "../../src/telemetry/span.ts";
import { createWire, type MetricFamily } from "../../src/telemetry/wire.ts";
import { type Answer, startReceiver, turnUntil, until } from "../notify/receiver.ts";
import { createHandClock } from "../probe/hand-clock.ts";

const span = (number: number): Span => ({
  name: "chat gpt-x",
  kind: "client",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: String(number).padStart(16, "0"),
  parentSpanId: number === 0 ? null : "b7ad6b7169203331",
  startedAt: 1_700_000_000_123.5,
  durationMs: 1_000,
  attributes: { "candor.subject": "support", "http.response.status_code": 200, "candor.overhead_ms": 0.25 },
  failed: false,
});

const world = async (script: Answer[], { queue = 2_048, encoding = "json" as "json" | "protobuf" } = {}) => {
  const receiver = await startReceiver(...script);
  const egress = createEgress([]);
  const clock = createHandClock();
  const counted: Record<string, number> = {};
  const exporting = createExporting({
    endpoint: receiver.url,
    headers: { "x-otlp-key": "key-of-otlp" },
    fetch: egress.fetchFor(receiver.url, ["x-otlp-key"]),
    wire: createWire(encoding, { serviceName: "candor", version: "9.9.9", replica: "gw-1" }),
    queue,
    meter: {
      counted(signal, result, items) {
        const key = `${signal} ${result}`;
        counted[key] = (counted[key] ?? 0) + items;
      },
    },
    clock,
    random: seededRandom(1),
    log: { warn() {}, info() {} },
  });
  onTestFinished(async () => {
    await Promise.all([exporting.close(), clock.advance(60_000)]);
    await egress.close();
  });
  return { exporting, receiver, clock, counted };
};

describe("spans", () => {
  it("are posted in batches, as OTLP says, with the configured headers", async () => {
    const { exporting, receiver, clock, counted } = await world([200]);
    exporting.span(span(0));
    exporting.span({ ...span(1), failed: true });
    await turnUntil(clock, () => counted["traces exported"] === 2);
    const [request] = receiver.received;
    expect(request?.path).toBe("/v1/traces");
    expect(request?.headers).toMatchObject({ "content-type": "application/json", "x-otlp-key": "key-of-otlp" });
    const { resourceSpans } = JSON.parse(request?.body ?? "");
    expect(resourceSpans).toHaveLength(1);
    expect(resourceSpans[0].resource.attributes).toContainEqual({
      key: "service.name",
      value: { stringValue: "candor" },
    });
    const [first, second] = resourceSpans[0].scopeSpans[0].spans;
    expect(first).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "0000000000000000",
      name: "chat gpt-x",
      kind: 3,
      startTimeUnixNano: "1700000000123500000",
      endTimeUnixNano: "1700000001123500000",
      status: { code: 0 },
    });
    expect(first.attributes).toContainEqual({ key: "http.response.status_code", value: { intValue: 200 } });
    expect(second).toMatchObject({ parentSpanId: "b7ad6b7169203331", status: { code: 2 } });
  });

  it("are protobuf where that is configured", async () => {
    const { exporting, receiver, clock, counted } = await world([200], { encoding: "protobuf" });
    exporting.span(span(0));
    await turnUntil(clock, () => counted["traces exported"] === 1);
    expect(receiver.received[0]?.headers["content-type"]).toBe("application/x-protobuf");
    expect(receiver.received[0]?.body).toContain("chat gpt-x");
  });

  it.each<[string, Answer]>([
    ["429", 429],
    ["502", 502],
    ["503", 503],
    ["504", 504],
    ["a broken connection", "cut"],
    ["silence", "silent"],
  ])("are posted again after %s", async (_, answer) => {
    const { exporting, receiver, clock, counted } = await world([answer, 200]);
    exporting.span(span(0));
    await turnUntil(clock, () => counted["traces exported"] === 1);
    expect(receiver.received.map(({ body }) => body)).toEqual(Array(2).fill(receiver.received[0]?.body));
  });

  it("are not posted again before the receiver said", async () => {
    const { exporting, receiver, clock, counted } = await world([
      { status: 429, headers: { "retry-after": "40" } },
      200,
    ]);
    exporting.span(span(0));
    await turnUntil(clock, () => receiver.received.length === 1);
    expect(await turnUntil(clock, () => counted["traces exported"] === 1)).toBeGreaterThanOrEqual(39_000);
  });

  it.each([400, 401, 500])("are dropped and counted after %i", async (status) => {
    const { exporting, receiver, clock, counted } = await world([status]);
    exporting.span(span(0));
    await turnUntil(clock, () => counted["traces dropped"] === 1);
    expect(receiver.received).toHaveLength(1);
  });

  it("are given up after a minute of failures, and those after them are tried", async () => {
    const { exporting, clock, counted } = await world([503]);
    exporting.span(span(0));
    const took = await turnUntil(clock, () => counted["traces dropped"] === 1);
    expect(took).toBeLessThan(70_000);
  });

  it("that find no room are dropped at once, and counted", async () => {
    const { exporting, counted } = await world(["silent"], { queue: 10 });
    for (let n = 0; n < 25; n++) exporting.span(span(n));
    expect(counted).toEqual({ "traces dropped": 15 });
  });

  it("that wait at the end are posted then", async () => {
    const { exporting, receiver, counted } = await world([200]);
    exporting.span(span(0));
    await exporting.close();
    expect(counted).toEqual({ "traces exported": 1 });
    exporting.span(span(1));
    expect(receiver.received).toHaveLength(1);
  });

  it("hold up no end for longer than seconds", async () => {
    const { exporting, receiver, clock } = await world(["silent"]);
    exporting.span(span(0));
    let isClosed = false;
    void exporting.close().then(() => {
      isClosed = true;
    });
    await until(() => receiver.received.length === 1);
    expect(await turnUntil(clock, () => isClosed)).toBeLessThanOrEqual(3_500);
  });
});

describe("metrics", () => {
  const families: MetricFamily[] = [
    {
      name: "candor_requests_total",
      help: "h",
      type: "counter",
      values: [{ labels: { subject: "support" }, value: 7 }],
    },
    {
      name: "candor_evidence_log",
      help: "h",
      type: "gauge",
      values: [
        { labels: { channel: "harm" }, value: -1.5 },
        { labels: { channel: "canary" }, value: Number.NEGATIVE_INFINITY },
      ],
    },
    {
      name: "candor_seconds",
      help: "h",
      type: "histogram",
      values: [
        { metricName: "candor_seconds_bucket", labels: { le: "0.5", stage: "request" }, value: 2 },
        { metricName: "candor_seconds_bucket", labels: { le: "1", stage: "request" }, value: 5 },
        { metricName: "candor_seconds_bucket", labels: { le: "+Inf", stage: "request" }, value: 6 },
        { metricName: "candor_seconds_sum", labels: { stage: "request" }, value: 4.5 },
        { metricName: "candor_seconds_count", labels: { stage: "request" }, value: 6 },
      ],
    },
    { name: "candor_unknown", help: "h", type: "summary", values: [] },
  ];

  it("are posted at the interval: totals as cumulative sums, gauges, and histograms by bucket", async () => {
    const { exporting, receiver, clock, counted } = await world([200]);
    const since = clock.now();
    exporting.metricsEvery(60_000, async () => families);
    expect(await turnUntil(clock, () => counted["metrics exported"] === 4)).toBeGreaterThanOrEqual(60_000);
    expect(receiver.received[0]?.path).toBe("/v1/metrics");
    const { metrics } = JSON.parse(receiver.received[0]?.body ?? "").resourceMetrics[0].scopeMetrics[0];
    const [total, gauge, histogram] = metrics;
    expect(metrics).toHaveLength(3);
    expect(total).toMatchObject({
      name: "candor_requests_total",
      sum: {
        aggregationTemporality: 2,
        isMonotonic: true,
        dataPoints: [
          {
            asDouble: 7,
            startTimeUnixNano: `${since}000000`,
            attributes: [{ key: "subject", value: { stringValue: "support" } }],
          },
        ],
      },
    });
    expect(gauge.gauge.dataPoints).toMatchObject([{ asDouble: -1.5 }]);
    expect(histogram.histogram).toMatchObject({
      aggregationTemporality: 2,
      dataPoints: [{ explicitBounds: [0.5, 1], bucketCounts: [2, 3, 1], sum: 4.5, count: 6 }],
    });
  });

  it("go on after they could not be read", async () => {
    const { exporting, clock, counted } = await world([200]);
    let reads = 0;
    exporting.metricsEvery(1_000, async () => {
      reads += 1;
      if (reads === 1) throw new Error("not now");
      return families;
    });
    await turnUntil(clock, () => counted["metrics exported"] === 4);
    expect(reads).toBe(2);
  });
});
