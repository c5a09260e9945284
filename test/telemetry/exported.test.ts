/** The whole program with an OTLP receiver beside it: what it is told of exchanges, and what it is never told. */

import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";
import { type Received, startReceiver } from "../notify/receiver.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const canaries = {
  question: "canary-question-17",
  answer: "canary-answer-23",
  clientKey: "sk-canary-client-31",
  upstreamKey: "sk-canary-upstream-37",
  otlpKey: "Bearer canary-otlp-41",
  header: "canary-header-43",
  model: "canary-model-47",
};

type Value = { stringValue?: string; intValue?: number; doubleValue?: number };
interface ReadSpan {
  name: string;
  traceId: string;
  parentSpanId?: string;
  status: { code: number };
  attributes: { key: string; value: Value }[];
}

const spansIn = (received: readonly Received[]): ReadSpan[] =>
  received
    .filter(({ path }) => path === "/v1/traces")
    .flatMap(({ body }) => JSON.parse(body).resourceSpans)
    .flatMap((resource: { scopeSpans: { spans: ReadSpan[] }[] }) => resource.scopeSpans.flatMap(({ spans }) => spans));

const attributesOf = ({ attributes }: ReadSpan) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue]),
  );

const startUpstream = async () => {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    const text = await new Response(request).text();
    seen.push(request.headers);
    if (text.includes("fail now")) return void response.writeHead(500).end("{}");
    const stream = text.includes('"stream":true');
    const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
    const content = text.includes("be bad") ? "This is forbidden-response." : `It is ${canaries.answer}.`;
    const said = { role: "assistant", content };
    response.setHeader("content-type", stream ? "text/event-stream" : "application/json");
    if (!stream)
      return void response.end(
        JSON.stringify({ choices: [{ index: 0, message: said, finish_reason: "stop" }], usage }),
      );
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: said, finish_reason: "stop" }] })}\n\n`);
    response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
    response.end("data: [DONE]\n\n");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, seen };
};

const policies = (["request", "response"] as const).map((stage) => ({
  id: `no-${stage}`,
  description: `refuses a word in a ${stage}`,
  severity: "high",
  stage,
  where: { carriers: ["message"] },
  match: { terms: [`forbidden-${stage}`] },
  action: "refuse",
  message: "No.",
}));

const startWorld = async (answer: number | "silent" = 200, { guarded = true } = {}) => {
  const folder = await mkdtemp(join(tmpdir(), "candor-telemetry-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const collector = await startReceiver(answer);
  const policyFile = join(folder, "policies.yaml");
  await writeFile(policyFile, JSON.stringify({ policies }));
  const upstream = await startUpstream();
  const config = configFrom(
    {
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "u", baseUrl: `http://127.0.0.1:${upstream.port}/v1`, key: { env: "UPSTREAM" } }],
      subjects: [
        { id: "support", models: ["m", "n"], live: { sampleRate: 1, maxPerHour: 1000 }, probes: { enabled: false } },
      ],
      relay: { passThrough: ["/files/*"] },
      policies: guarded ? [policyFile] : [],
      evidence: { path: join(folder, "evidence.db") },
      drain: { minSeconds: 0, timeoutSeconds: 2 },
      telemetry: {
        genAiMetrics: true,
        otlp: {
          endpoint: collector.url,
          encoding: "json",
          sampleShare: 1,
          metricsSeconds: 1,
          headers: { authorization: { env: "OTLP" } },
        },
      },
    },
    "test",
  );
  const env = { UPSTREAM: canaries.upstreamKey, OTLP: canaries.otlpKey };
  const candor = await start(config, { env, log: createLog("silent") });
  onTestFinished(() => candor.stop());
  const ask = async (body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${candor.dataUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${canaries.clientKey}`, ...headers },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: canaries.question }], ...body }),
    });
    await response.text();
    return response;
  };
  return { collector, upstream, candor, ask };
};

test("an exchange is a span of the caller's trace, which passes through unaltered", async () => {
  const { collector, upstream, candor, ask } = await startWorld();
  const traceparent = `00-${traceId}-${spanId}-01`;
  await ask({}, { traceparent });
  await ask({ model: "n", stream: true }, { traceparent });
  await ask({ messages: [{ role: "user", content: "fail now" }] }, { traceparent });
  await ask({}, { traceparent: `00-${traceId}-${spanId}-00` });
  await candor.stop();

  expect(new Set(upstream.seen.slice(0, 3).map((headers) => headers.traceparent))).toEqual(new Set([traceparent]));
  const spans = spansIn(collector.received).filter((span) => span.traceId === traceId);
  expect(spans.map(({ name, parentSpanId, status }) => [name, parentSpanId, status.code])).toEqual([
    ["chat m", spanId, 0],
    ["chat n", spanId, 0],
    ["chat m", spanId, 2],
  ]);
  const [whole, streamed, failed] = spans.map(attributesOf);
  const known = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 11,
    "gen_ai.usage.output_tokens": 7,
    "http.response.status_code": 200,
    "server.address": "127.0.0.1",
    "server.port": upstream.port,
    "candor.subject": "support",
    "candor.outcome": "complete",
  };
  expect(whole).toMatchObject({ ...known, "gen_ai.request.model": "m" });
  expect(streamed).toMatchObject({ ...known, "gen_ai.request.model": "n" });
  expect(failed).toMatchObject({ "http.response.status_code": 500, "error.type": "500" });
  expect(whole?.["candor.overhead_ms"]).toBeGreaterThan(0);
  expect(collector.received[0]?.headers.authorization).toBe(canaries.otlpKey);
});

test("what is passed on unread has a span of its route, and nothing of its path", async () => {
  const { collector, candor } = await startWorld(200, { guarded: false });
  const headers = { traceparent: `00-${traceId}-${spanId}-01`, authorization: `Bearer ${canaries.clientKey}` };
  for (const [method, path] of [
    ["GET", "/v1/models"],
    ["POST", `/v1/files/${canaries.header}`],
  ] as const) {
    const body = method === "POST" ? canaries.question : null;
    await (await fetch(candor.dataUrl + path, { method, headers, body })).text();
  }
  await candor.stop();
  const spans = spansIn(collector.received).filter((span) => span.traceId === traceId);
  expect(spans.map(({ name, parentSpanId, status }) => [name, parentSpanId, status.code])).toEqual([
    ["candor models", spanId, 0],
    ["candor pass-through", spanId, 0],
  ]);
  expect(spans.map(attributesOf)[1]).toEqual({
    "candor.exchange.id": expect.any(String),
    "candor.first_byte_ms": expect.any(Number),
    "candor.outcome": "complete",
    "candor.overhead_ms": expect.any(Number),
    "candor.route": "pass-through",
    "http.response.status_code": 200,
  });
  const exported = collector.received.map(({ body }) => body).join("\n");
  expect(Object.values(canaries).filter((canary) => exported.includes(canary))).toEqual([]);
});

test("operations are counted by OpenTelemetry's names as well where that is configured, sampled or not", async () => {
  const { collector, candor, ask } = await startWorld();
  await ask({}, { traceparent: `00-${traceId}-${spanId}-00` });
  await ask({ model: "n", stream: true });
  await ask({ model: canaries.model });
  await ask({ messages: [{ role: "user", content: "fail now" }] });
  const counted = async (): Promise<string[]> =>
    (await candor.metrics()).split("\n").filter((line) => /^gen_ai_client_\w+_(sum|count)\b/.test(line));
  const chat = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai"';
  await expect
    .poll(counted)
    .toContain(`gen_ai_client_operation_duration_seconds_count{${chat},gen_ai_request_model="m",error_type="5xx"} 1`);
  const lines = await counted();
  for (const model of ["m", "n", "other"]) {
    const labels = `${chat},gen_ai_request_model="${model}"`;
    expect(lines).toContain(`gen_ai_client_operation_duration_seconds_count{${labels}} 1`);
    expect(lines).toContain(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"} 11`);
    expect(lines).toContain(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 7`);
  }
  const streamed = lines.filter((line) => line.startsWith("gen_ai_client_operation_time_to_first_chunk_seconds_count"));
  expect(streamed).toEqual([
    `gen_ai_client_operation_time_to_first_chunk_seconds_count{${chat},gen_ai_request_model="n"} 1`,
  ]);
  const posts = () => collector.received.filter(({ path, body }) => path === "/v1/metrics" && body.includes("gen_ai."));
  await expect.poll(() => posts().length, { timeout: 5_000 }).toBeGreaterThan(0);
  await candor.stop();
  const { metrics } = JSON.parse(posts().at(-1)?.body ?? "").resourceMetrics[0].scopeMetrics[0];
  const usage = metrics.find(({ name }: { name: string }) => name === "gen_ai.client.token.usage");
  expect(usage.unit).toBe("{token}");
  expect(usage.histogram.dataPoints[0].attributes).toContainEqual({
    key: "gen_ai.token.type",
    value: { stringValue: "input" },
  });
});

test("what policies decided is told, and what they refused is a span as well", async () => {
  const { collector, candor, ask } = await startWorld();
  const statuses = [];
  for (const content of ["a forbidden-request", "be bad", "be good"]) {
    statuses.push((await ask({ messages: [{ role: "user", content }] })).status);
  }
  await candor.stop();
  expect(statuses[2]).toBe(200);
  const spans = spansIn(collector.received).filter(({ name }) => name !== "candor judge");
  expect(spans.map(({ name, status }) => [name, status.code])).toEqual([
    ["candor refuse", 2],
    ["chat m", 2],
    ["chat m", 0],
  ]);
  const [request, answer, passed] = spans.map(attributesOf);
  expect(request).toMatchObject({
    "candor.subject": "support",
    "error.type": "blocked",
    "candor.decision.request.action": "refuse",
    "candor.decision.request.policy": "no-request",
    "candor.decision.request.coverage": "full",
  });
  expect(answer).toMatchObject({
    "error.type": "blocked",
    "candor.decision.request.action": "allow",
    "candor.decision.response.action": "refuse",
    "candor.decision.response.policy": "no-response",
  });
  expect(passed).toMatchObject({ "candor.decision.response.action": "allow" });
  expect(passed).not.toHaveProperty(["candor.decision.response.policy"]);
});

test("judgements have spans of their own, and metrics come at the interval", async () => {
  const { collector, candor, ask } = await startWorld();
  await ask({});
  await expect.poll(() => collector.received.map(({ path }) => path), { timeout: 5_000 }).toContain("/v1/metrics");
  await candor.stop();
  const judged = spansIn(collector.received).find(({ name }) => name === "candor judge");
  expect(judged?.attributes.map(({ key }) => key)).toEqual(["candor.classifier"]);
  const posted = collector.received.find(({ path }) => path === "/v1/metrics")?.body ?? "";
  const { metrics } = JSON.parse(posted).resourceMetrics[0].scopeMetrics[0];
  const names = metrics.map(({ name }: { name: string }) => name);
  expect(names).toContain("candor_evidence_log");
  expect(names).toContain("candor_requests_total");
});

test("nothing that was said, no key and no name that a client chose is exported", async () => {
  const { collector, candor, ask } = await startWorld();
  await ask({ user: canaries.question }, { "x-request-id": canaries.header, "user-agent": canaries.header });
  await ask({ stream: true });
  await ask({ model: canaries.model });
  await expect.poll(() => collector.received.map(({ path }) => path), { timeout: 5_000 }).toContain("/v1/metrics");
  await candor.stop();
  const exported = collector.received.map(({ body }) => body).join("\n");
  expect(spansIn(collector.received).filter(({ name }) => name.startsWith("chat"))).toHaveLength(3);
  expect(Object.values(canaries).filter((canary) => exported.includes(canary))).toEqual([]);
});

test("a receiver that never answers holds up no exchange", async () => {
  const { ask, candor } = await startWorld("silent");
  for (let n = 0; n < 20; n++) expect((await ask({})).status).toBe(200);
  expect(await candor.metrics()).toContain('candor_telemetry_items_total{signal="traces",result="exported"} 0');
});
