/**
 * What the whole program exports, decoded by OTLP's own definitions with the compiler of protocol buffers: none of its
 * bytes may be of a field that these do not know. The definitions are not ours to carry: CANDOR_OTLP_DEFINITIONS names a
 * checkout of https://github.com/open-telemetry/opentelemetry-proto.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";
import { startReceiver } from "../notify/receiver.ts";

const protoc = "protoc";
const definitions = process.env.CANDOR_OTLP_DEFINITIONS;
const missing = "OTLP's definitions are not here: name a checkout of them in CANDOR_OTLP_DEFINITIONS";
const requests = {
  "/v1/traces": {
    type: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
    file: "opentelemetry/proto/collector/trace/v1/trace_service.proto",
  },
  "/v1/metrics": {
    type: "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
    file: "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
  },
};

const decoded = (folder: string, path: keyof typeof requests, bytes: Buffer) => {
  const { type, file } = requests[path];
  return spawnSync(protoc, [`--decode=${type}`, `--proto_path=${folder}`, file], {
    input: bytes,
    encoding: "utf8",
    maxBuffer: 100 * 1024 * 1024,
  });
};

const completion = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "Leek." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 11, completion_tokens: 7 },
});

/** Posts of a program that has relayed and judged something. */
const exported = async () => {
  const collector = await startReceiver(200);
  const upstream = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end(completion);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  onTestFinished(() => void upstream.close());
  const config = configFrom(
    {
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "u", baseUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1` }],
      subjects: [
        { id: "support", models: ["m"], live: { sampleRate: 1, maxPerHour: 1000 }, probes: { enabled: false } },
      ],
      policies: ["policies/secrets.yaml"],
      evidence: { path: ":memory:" },
      drain: { minSeconds: 0, timeoutSeconds: 2 },
      telemetry: { genAiMetrics: true, otlp: { endpoint: collector.url, sampleShare: 1, metricsSeconds: 1 } },
    },
    "test",
  );
  const candor = await start(config, { env: {}, log: createLog("silent") });
  onTestFinished(() => candor.stop());
  for (const path of ["chat/completions", "models"]) {
    const body = path === "models" ? null : JSON.stringify({ model: "m", messages: [{ role: "user", content: "?" }] });
    const method = body === null ? "GET" : "POST";
    const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    await (await fetch(`${candor.dataUrl}/v1/${path}`, { method, headers, body })).text();
  }
  const posted = (path: string) => collector.received.filter((one) => one.path === path);
  const hasOperations = () => posted("/v1/metrics").some(({ body }) => body.includes("gen_ai.client.token.usage"));
  await expect.poll(hasOperations, { timeout: 5_000 }).toBe(true);
  await candor.stop();
  return {
    traces: posted("/v1/traces").map(({ bytes }) => bytes),
    metrics: posted("/v1/metrics").map(({ bytes }) => bytes),
  };
};

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

test("traces and metrics are what OTLP's own definitions say, to the last byte", async (context) => {
  if (definitions === undefined) return context.skip(missing);
  const { traces, metrics } = await exported();
  const read = (path: keyof typeof requests, posts: readonly Buffer[]): string =>
    posts
      .map((bytes) => {
        const { status, stdout, stderr } = decoded(definitions, path, bytes);
        expect(status, stderr).toBe(0);
        // A field that is not known is shown by its number.
        expect(stdout).not.toMatch(/^\s*\d+[: {]/m);
        return stdout;
      })
      .join("");

  const spans = read("/v1/traces", traces);
  expect(
    [...spans.matchAll(/^ {4}spans \{\n(?: {6}.*\n)*? {6}name: "(.*)"$/gm)].map(([, name]) => name).sort(),
  ).toEqual(["candor judge", "candor models", "chat m"]);
  expect(count(spans, /kind: SPAN_KIND_CLIENT/g)).toBe(2);
  expect(count(spans, /parent_span_id: "\\267\\255kqi 31"/g)).toBe(2);
  expect(spans).toMatch(/key: "gen_ai.usage.input_tokens"\s+value \{\s+int_value: 11\s/);
  expect(spans).toMatch(/key: "service.name"\s+value \{\s+string_value: "candor"/);

  const families = read("/v1/metrics", metrics.slice(-1));
  expect(count(families, /^ {6}name: "candor_/gm)).toBeGreaterThan(40);
  expect(count(families, /aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE/g)).toBeGreaterThan(20);
  expect(families).toMatch(/name: "gen_ai.client.token.usage"\s+description: ".*"\s+unit: "\{token\}"\s+histogram \{/);
  expect(families).toMatch(/name: "candor_evidence_writable"\s+description: ".*"\s+gauge \{\s+data_points \{/);
});

test("what OTLP does not know would be found", (context) => {
  if (definitions === undefined) return context.skip(missing);
  const { stdout } = decoded(definitions, "/v1/traces", Buffer.from([0x78, 0x01]));
  expect(stdout).toBe("15: 1\n");
});
