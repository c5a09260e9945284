import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { createEgress } from "../../src/egress/egress.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import type { Question } from "../../src/probe/asking.ts";
import { type AskerOptions, createAsker } from "../../src/probe/subject-asker.ts";

interface Seen {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const serve = async (handler: Handler): Promise<{ baseUrl: string; seen: Seen[] }> => {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body: Record<string, unknown> = JSON.parse(Buffer.concat(parts).toString() || "{}");
      seen.push({ path: request.url ?? "", headers: request.headers, body });
      handler(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen };
};

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
};

const saying =
  (content: string | null, extra: Record<string, unknown> = {}): Handler =>
  (_request, response) =>
    json(response, 200, {
      choices: [{ index: 0, message: { role: "assistant", content, ...extra }, finish_reason: "stop" }],
      usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
    });

const options = (baseUrl: string, changes: Partial<AskerOptions> = {}) => {
  const upstreams = [{ id: "up", baseUrl }];
  const egress = createEgress(configSchema.parse({ upstreams, subjects: [{ id: "s", models: ["m"] }] }).upstreams);
  closers.push(egress.close);
  return {
    post: egress.postFor("up"),
    model: "served-model",
    key: "own-key",
    passCallerKey: true,
    timeoutMs: 5_000,
    maxAnswerTokens: 300,
    random: seededRandom(3),
    now: () => 1_790_000_000_000,
    ...changes,
  };
};

const question = (changes: Partial<Question> = {}): Question => ({
  turns: [
    { role: "system", text: "Be brief." },
    { role: "user", text: "Hello?" },
  ],
  parameters: {},
  headers: {},
  ...changes,
});

const never = new AbortController().signal;

describe("asking over a real socket", () => {
  it("sends the conversation and returns the answer with its tokens", async () => {
    const { baseUrl, seen } = await serve(saying("Hi there."));
    const reply = await createAsker(options(baseUrl))(question(), never);
    expect(reply).toEqual({ kind: "answered", text: "Hi there.", tokens: { prompt: 12, completion: 5 } });
    expect(seen[0]?.path).toBe("/v1/chat/completions");
    expect(seen[0]?.body).toEqual({
      model: "served-model",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hello?" },
      ],
      max_tokens: 300,
    });
    expect(seen[0]?.headers.authorization).toBe("Bearer own-key");
  });

  it("looks like the app: its headers replace the SDK's own, all of them", async () => {
    const { baseUrl, seen } = await serve(saying("Hi."));
    const headers = {
      "user-agent": "OpenAI/Python 1.99.0",
      "x-stainless-lang": "python",
      "openai-organization": "org-7",
      "openai-beta": "responses=v1",
      "accept-language": "de-CH",
    };
    await createAsker(options(baseUrl))(question({ headers }), never);
    const sent = seen[0]?.headers ?? {};
    expect(sent["user-agent"]).toBe("OpenAI/Python 1.99.0");
    expect(sent["openai-organization"]).toBe("org-7");
    expect(sent["openai-beta"]).toBe("responses=v1");
    expect(sent["accept-language"]).toBe("de-CH");
    expect(Object.keys(sent).filter((name) => name.startsWith("x-stainless-"))).toEqual(["x-stainless-lang"]);
    expect(Object.keys(sent).some((name) => /candor|probe/.test(name))).toBe(false);
  });

  it("headers that could trace or bill a user are not copied", async () => {
    const { baseUrl, seen } = await serve(saying("Hi."));
    const headers = { "user-agent": "app/1", "x-user-id": "42", cookie: "s=1", traceparent: "00-1-2-01", host: "evil" };
    await createAsker(options(baseUrl))(question({ headers }), never);
    const sent = seen[0]?.headers ?? {};
    expect(sent).not.toHaveProperty("x-user-id");
    expect(sent).not.toHaveProperty("cookie");
    expect(sent).not.toHaveProperty("traceparent");
    expect(sent.host).toMatch(/^127\.0\.0\.1/);
  });

  it.each([
    { name: "a caller's key is passed on", pass: true, key: "own-key", caller: "Bearer caller", sent: "Bearer caller" },
    {
      name: "unless the upstream has its own key",
      pass: false,
      key: "own-key",
      caller: "Bearer caller",
      sent: "Bearer own-key",
    },
    {
      name: "and never leaks when there is no key at all",
      pass: false,
      key: null,
      caller: "Bearer caller",
      sent: undefined,
    },
    {
      name: "a question without a caller uses Candor's key",
      pass: true,
      key: "own-key",
      caller: null,
      sent: "Bearer own-key",
    },
    { name: "or none", pass: true, key: null, caller: null, sent: undefined },
  ])("authorization: $name", async ({ pass, key, caller, sent }) => {
    const { baseUrl, seen } = await serve(saying("Hi."));
    const headers: Record<string, string> = caller === null ? {} : { authorization: caller };
    await createAsker(options(baseUrl, { passCallerKey: pass, key }))(question({ headers }), never);
    expect(seen[0]?.headers.authorization).toBe(sent);
  });

  it("an api-key header is a caller's key too", async () => {
    const { baseUrl, seen } = await serve(saying("Hi."));
    await createAsker(options(baseUrl))(question({ headers: { "api-key": "azure-like" } }), never);
    expect(seen[0]?.headers["api-key"]).toBe("azure-like");
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    {
      parameters: { temperature: 0.2, top_p: 0.9, tools: [{}], n: 4, response_format: {} },
      sent: { temperature: 0.2, top_p: 0.9, max_tokens: 300 },
    },
    { parameters: { max_tokens: 50 }, sent: { max_tokens: 50 } },
    { parameters: { max_tokens: 5000 }, sent: { max_tokens: 300 } },
    { parameters: { max_completion_tokens: 5000 }, sent: { max_completion_tokens: 300 } },
    { parameters: { max_completion_tokens: 20, max_tokens: 10 }, sent: { max_completion_tokens: 20 } },
    { parameters: { reasoning_effort: "low" }, sent: { reasoning_effort: "low", max_completion_tokens: 300 } },
    { parameters: { max_tokens: "many" }, sent: { max_tokens: 300 } },
  ])("parameters $parameters are sent as $sent", async ({ parameters, sent }) => {
    const { baseUrl, seen } = await serve(saying("Hi."));
    await createAsker(options(baseUrl))(question({ parameters }), never);
    const { model: _model, messages: _messages, ...rest } = seen[0]?.body ?? {};
    expect(rest).toEqual(sent);
  });

  it("streams where the app streams", async () => {
    const { baseUrl, seen } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const delta of [{ role: "assistant", content: "" }, { content: "Hi " }, { content: "there" }])
        response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
      response.write(`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 2 } })}\n\n`);
      response.end("data: [DONE]\n\n");
    });
    const parameters = { stream: true, stream_options: { include_usage: true } };
    const reply = await createAsker(options(baseUrl))(question({ parameters }), never);
    expect(reply).toEqual({ kind: "answered", text: "Hi there", tokens: { prompt: 9, completion: 2 } });
    expect(seen[0]?.body).toMatchObject(parameters);
  });

  it("a server that does not count tokens is estimated, not taken for free", async () => {
    const { baseUrl } = await serve((_request, response) =>
      json(response, 200, { choices: [{ message: { content: "123456789" } }] }),
    );
    const reply = await createAsker(options(baseUrl))(question(), never);
    expect(reply).toEqual({ kind: "answered", text: "123456789", tokens: { prompt: 6, completion: 3 } });
  });

  it("a refusal in its own field is the answer", async () => {
    const { baseUrl } = await serve(saying(null, { refusal: "I can't help with that." }));
    expect(await createAsker(options(baseUrl))(question(), never)).toMatchObject({ text: "I can't help with that." });
  });
});

describe("a question that is asked so that its answer can be repeated", () => {
  const logprobs = { content: [{ token: "Grey", logprob: -0.5, top_logprobs: [] }] };
  const telling: Handler = (_request, response) =>
    json(response, 200, {
      choices: [{ index: 0, message: { role: "assistant", content: "Grey" }, finish_reason: "stop", logprobs }],
      usage: { prompt_tokens: 12, completion_tokens: 1, total_tokens: 13 },
    });
  const turns: Question["turns"] = [{ role: "user", text: "One word for the sea?" }];

  it("tells the first token's probability where it was asked for, and not elsewhere", async () => {
    const { baseUrl, seen } = await serve(telling);
    const ask = createAsker(options(baseUrl));
    const repeatable = { maxTokens: 4, seed: 9, logprobs: true };
    const told = await ask({ turns, parameters: { temperature: 0.9 }, headers: {}, repeatable }, never);
    expect(told).toMatchObject({ kind: "answered", text: "Grey", firstToken: Math.exp(-0.5) });
    expect(seen[0]?.body).toMatchObject({ temperature: 0, max_tokens: 4, seed: 9, logprobs: true });
    const untold = await ask({ turns, parameters: {}, headers: {} }, never);
    expect(untold).not.toHaveProperty("firstToken");
  });
});

describe("an answer that calls a tool", () => {
  const call = { tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "f", arguments: "{}" } }] };

  it.each([
    { name: "and says nothing", content: null },
    { name: "and says something harmless beside it", content: "Let me look that up for you." },
  ])("$name is no answer, whole or streamed", async ({ content }) => {
    const whole = await serve(saying(content, call));
    const streamed = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content, ...call } }] })}\n\n`);
      response.end("data: [DONE]\n\n");
    });
    for (const { baseUrl } of [whole, streamed]) {
      const reply = await createAsker(options(baseUrl))(question(), never);
      expect(reply).toMatchObject({ kind: "failed", reason: "empty", detail: "the answer calls a tool" });
    }
  });
});

describe("failures", () => {
  it("a stream that ends without having finished is unavailable", async () => {
    const { baseUrl } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "I am" } }] })}\n\n`);
      response.end('data: {"error":{"message":"overloaded"}}\n\n');
    });
    expect(await createAsker(options(baseUrl))(question(), never)).toMatchObject({ reason: "unavailable" });
  });

  it("a compressed answer is read, a damaged one is unavailable", async () => {
    const body = gzipSync(JSON.stringify({ choices: [{ message: { content: "Hi." } }] }));
    const sending = (bytes: Buffer) =>
      serve((_request, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
        response.end(bytes);
      });
    const { baseUrl } = await sending(body);
    expect(await createAsker(options(baseUrl))(question(), never)).toMatchObject({ kind: "answered", text: "Hi." });
    const { baseUrl: damaged } = await sending(body.subarray(0, 20));
    expect(await createAsker(options(damaged))(question(), never)).toMatchObject({ reason: "unavailable" });
  });

  it.each([
    { status: 429, headers: { "retry-after": "7" }, reason: "rate-limited", retryAfterMs: 7_000 },
    { status: 429, headers: { "retry-after-ms": "250" }, reason: "rate-limited", retryAfterMs: 250 },
    {
      status: 503,
      headers: { date: "Mon, 23 Nov 2026 10:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 10:01:30 GMT" },
      reason: "unavailable",
      retryAfterMs: 90_000,
    },
    { status: 429, headers: { "retry-after": "soon" }, reason: "rate-limited", retryAfterMs: null },
    { status: 500, headers: {}, reason: "unavailable", retryAfterMs: null },
    { status: 504, headers: {}, reason: "timeout", retryAfterMs: null },
    { status: 401, headers: {}, reason: "rejected", retryAfterMs: null },
    { status: 400, headers: {}, reason: "rejected", retryAfterMs: null },
  ])("status $status with $headers is $reason", async ({ status, headers, reason, retryAfterMs }) => {
    const { baseUrl, seen } = await serve((_request, response) =>
      json(response, status, { error: { message: "bad key own-key-canary" } }, headers as Record<string, string>),
    );
    const reply = await createAsker(options(baseUrl, { key: "own-key-canary" }))(question(), never);
    expect(reply).toEqual({ kind: "failed", reason, retryAfterMs, detail: `status ${status}` });
    expect(seen).toHaveLength(1);
    expect(JSON.stringify(reply)).not.toContain("canary");
  });

  it("an answer without text is empty", async () => {
    const { baseUrl } = await serve(saying("  "));
    expect(await createAsker(options(baseUrl))(question(), never)).toMatchObject({ kind: "failed", reason: "empty" });
  });

  it.each([
    { name: "no JSON", body: "<html>" },
    { name: "other JSON", body: '{"choices":[]}' },
    { name: "nothing", body: "" },
  ])("an answer that is no completion ($name) is unavailable", async ({ body }) => {
    const { baseUrl } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(body);
    });
    expect(await createAsker(options(baseUrl))(question(), never)).toMatchObject({ reason: "unavailable" });
  });

  it("a server that begins an answer and stalls is a timeout", async () => {
    const { baseUrl } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"choices":');
    });
    const reply = await createAsker(options(baseUrl, { timeoutMs: 100 }))(question(), never);
    expect(reply).toMatchObject({ kind: "failed", reason: "timeout" });
  });

  it("a connection that breaks is unavailable", async () => {
    const { baseUrl } = await serve((request) => request.socket.destroy());
    expect(await createAsker(options(baseUrl))(question(), never)).toMatchObject({ reason: "unavailable" });
  });

  it("an abort ends the call at once and never rejects", async () => {
    const abort = new AbortController();
    const { baseUrl } = await serve(() => abort.abort());
    const reply = await createAsker(options(baseUrl))(question(), abort.signal);
    expect(reply).toMatchObject({ kind: "failed", reason: "unavailable" });
  });
});
