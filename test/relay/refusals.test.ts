import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { chatRequest, type RunningRelay, rawExchange, runRelay, until } from "./running-relay.ts";

const post = ({ baseUrl }: RunningRelay, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });

const codeOf = (text: string): string => JSON.parse(text.slice(text.indexOf('{"error"'))).error.code;

describe("requests that are refused", () => {
  it.each([
    ["nothing", ""],
    ["half an object", '{"model":"gpt-test"'],
    ["an array", '[{"model":"gpt-test"}]'],
    ["a string", '"gpt-test"'],
    ["null", "null"],
  ])("a body that is %s: 400, and nothing is sent", async (_name, body) => {
    const running = await runRelay();
    const response = await post(running, body);
    expect(response.status).toBe(400);
    expect(response.headers.get("x-candor-exchange-id")).toMatch(/./);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String), type: "invalid_request_error", param: null, code: "invalid_json" },
    });
    expect(running.upstream.seen).toEqual([]);
    expect(running.refused).toEqual([{ route: "chat", reason: "bad-request" }]);
    expect(running.copies).toEqual([]);
  });

  it("a compressed body, which could not be read: 415", async () => {
    const running = await runRelay();
    const response = await post(running, "x", { "content-encoding": "gzip" });
    expect(response.status).toBe(415);
    expect(running.upstream.seen).toEqual([]);
  });

  it("a model that no subject has, where such are denied: 404 model_not_found", async () => {
    const running = await runRelay({ config: () => ({ relay: { unmatched: "deny" } }) });
    const unknown = await post(running, '{"model":"gpt-other"}');
    expect([unknown.status, codeOf(await unknown.text())]).toEqual([404, "model_not_found"]);
    const missing = await post(running, '{"model":7}');
    expect([missing.status, codeOf(await missing.text())]).toEqual([400, "missing_model"]);
    expect(running.upstream.seen).toEqual([]);
  });

  it.each(["/chat/completions", "/completions", "/embeddings"])(
    "a body for %s whose model parsers would disagree about: 400 that names the field, and nothing is sent",
    async (path) => {
      const running = await runRelay();
      for (const body of ['{"model":"gpt-test","model":"gpt-other"}', '{"model":"gpt-test","Model":"gpt-other"}']) {
        const response = await fetch(running.baseUrl + path, { method: "POST", body });
        expect(response.status).toBe(400);
        expect(await response.json()).toEqual({
          error: {
            message: expect.stringContaining("Keep one `model`"),
            type: "invalid_request_error",
            param: "model",
            code: "ambiguous_model",
          },
        });
      }
      expect(running.upstream.seen).toEqual([]);
      expect(running.copies).toEqual([]);
      expect(running.refused.map(({ reason }) => reason)).toEqual(["bad-request", "bad-request"]);
    },
  );

  it.each([
    ["POST", "/v1/files", 404, "unknown_url"],
    ["GET", "/v1/chat/completions", 405, "method_not_supported"],
  ])("%s %s: %i", async (method, path, status, code) => {
    const running = await runRelay();
    const response = await fetch(`${running.origin}${path}`, { method });
    expect([response.status, codeOf(await response.text())]).toEqual([status, code]);
  });

  it("a body that says it is too large: 413 before it is read, and without `100 continue`", async () => {
    const running = await runRelay({ config: () => ({ limits: { bodyBytes: 1024 } }) });
    const head = (more: string): string =>
      `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 2000\r\n${more}\r\n`;
    const text = await rawExchange(running.port, head("expect: 100-continue\r\n"));
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toMatch(/connection: close/i);
    expect(codeOf(text)).toBe("request_too_large");
    const read = await rawExchange(running.port, head(""), (sofar) => sofar.includes("}"));
    expect(read).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("a body that grows too large on the way: 413, readable although the client is still sending", async () => {
    const running = await runRelay({ config: () => ({ limits: { bodyBytes: 100_000 } }) });
    const body = (async function* () {
      for (let i = 0; i < 15; i += 1) yield Buffer.alloc(10_000, "x");
    })();
    const response = await fetch(`${running.baseUrl}/chat/completions`, { method: "POST", body, duplex: "half" });
    expect(response.status).toBe(413);
    expect(running.refused).toEqual([{ route: "chat", reason: "too-large" }]);
    expect(running.upstream.seen).toEqual([]);
  });

  it("a client that goes on sending after a refusal is cut off", async () => {
    const running = await runRelay({ config: () => ({ limits: { bodyBytes: 1024 } }) });
    const socket = connect(running.port, "127.0.0.1");
    socket.on("error", () => {});
    let closed = false;
    socket.on("close", () => {
      closed = true;
    });
    socket.resume();
    socket.write("POST /v1/nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n");
    const timer = setInterval(() => socket.write(Buffer.alloc(10_000)), 5);
    await until(() => closed);
    clearInterval(timer);
  });

  it("a body that is too slow: 408", async () => {
    const running = await runRelay({ config: () => ({ limits: { requestTimeoutMs: 150 } }) });
    const whole = chatRequest('{"model":"gpt-test"}');
    const text = await rawExchange(running.port, whole.slice(0, -5));
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(codeOf(text)).toBe("request_timeout");
    expect(running.refused).toEqual([{ route: "other", reason: "timeout" }]);
  });

  it("headers that are too slow: 408", async () => {
    const running = await runRelay({ config: () => ({ limits: { headersTimeoutMs: 100 } }) });
    const text = await rawExchange(running.port, "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n");
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("headers that are too large: 431", async () => {
    const running = await runRelay({ config: () => ({ limits: { headerBytes: 2048 } }) });
    const text = await rawExchange(running.port, chatRequest("{}", [`x-padding: ${"x".repeat(4000)}`]));
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(text).toMatch(/x-candor-exchange-id: ./);
    expect(codeOf(text)).toBe("headers_too_large");
    expect(running.refused).toEqual([{ route: "other", reason: "too-large" }]);
  });

  it.each([
    ["no HTTP at all", "hello\r\n\r\n"],
    [
      "both lengths",
      "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "two lengths",
      "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n{}  ",
    ],
    [
      "a transfer coding we do not know",
      "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    ],
    ["a blank before the colon", "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length : 2\r\n\r\n{}"],
    ["a folded header", "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\n{}"],
    ["no host", "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"],
  ])("malformed HTTP, %s: one 400 and the connection closes", async (_name, bytes) => {
    const running = await runRelay();
    const text = await rawExchange(running.port, `${bytes}GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(running.upstream.seen).toEqual([]);
  });

  it("nonsense behind pipelined requests never gets into an answer that is under way", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      if (running.upstream.seen.length > 1) return;
      wire.stream();
      wire.event("first");
    });
    const request = chatRequest('{"model":"gpt-test"}');
    let text = "";
    let closed = false;
    const socket = connect(running.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => {
      closed = true;
    });
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.write(request);
    await until(() => text.includes("data: first"));
    socket.write(request);
    await until(() => running.upstream.seen.length === 2);
    socket.write("nonsense\r\n\r\n");
    await until(() => closed);
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text).not.toContain("error");
    await until(() => running.inFlight() === 0);
  });

  it("connections beyond the limit are told so, and those within it are served", async () => {
    const running = await runRelay({ config: () => ({ limits: { maxConnections: 1 } }) });
    const first = connect(running.port, "127.0.0.1");
    await new Promise((resolve) => first.once("connect", resolve));
    const request = chatRequest('{"model":"gpt-test"}');
    const text = await rawExchange(running.port, request);
    expect(text).toMatch(/^HTTP\/1\.1 503 (.|\r\n)*retry-after: 1/);
    expect(codeOf(text)).toBe("overloaded");
    let served = "";
    first.on("data", (chunk) => {
      served += chunk;
    });
    first.write(request);
    await until(() => served.includes('{"ok":true}'));
    first.destroy();
  });

  it("exchanges beyond what an upstream's connections and as many again can take: 503", async () => {
    const running = await runRelay({
      config: ({ baseUrl }) => ({ upstreams: [{ id: "main", baseUrl, connections: 1 }] }),
    });
    let release = (): void => {};
    running.upstream.answer((_seen, wire) => {
      release = () => wire.json(200, {});
    });
    const body = '{"model":"gpt-test"}';
    const waiting = [post(running, body), post(running, body)];
    await until(() => running.inFlight() === 2 && running.upstream.seen.length === 1);
    const refused = await post(running, body);
    expect([refused.status, codeOf(await refused.text())]).toEqual([503, "upstream_busy"]);
    running.upstream.answer((_seen, wire) => wire.json(200, {}));
    release();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await post(running, body)).status).toBe(200);
  });
});
