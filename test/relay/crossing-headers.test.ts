import { describe, expect, it } from "vitest";
import { chatRequest, rawExchange, runRelay } from "./running-relay.ts";

const body = '{"model":"gpt-test"}';
const answered = (text: string): boolean => /\r\n\r\n(?:.|\r\n)*}/.test(text);

describe("headers on their way up", () => {
  it("pass if they are listed, with their spelling and every byte of their values", async () => {
    const running = await runRelay({ config: () => ({ relay: { requestHeaders: ["X-Tenant", "x-lab-*"] } }) });
    const listed = [
      "Authorization: Bearer sk-app",
      "OpenAI-Organization: org-1",
      "x-stainless-lang: js",
      "Idempotency-Key: k-1",
      "traceparent: 00-1-2-01",
      "X-Request-ID: mine",
      "x-tenant: caf\u00e9",
      "X-Lab-Run: 7",
    ];
    await rawExchange(running.port, Buffer.from(chatRequest(body, listed), "latin1"), answered);
    const { rawHeaders, headers } = running.upstream.seen[0] ?? { rawHeaders: [], headers: {} };
    const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
    for (const line of listed) expect(lines).toContain(line);
    expect(headers.host).toBe(`127.0.0.1:${running.upstream.port}`);
    expect(headers["content-length"]).toBe(String(body.length));
  });

  it("are dropped if they belong to one hop, to us, or to nobody we know", async () => {
    const running = await runRelay({
      config: () => ({ relay: { requestHeaders: ["x-*", "connection", "te", "x-candor-*", "proxy-authorization"] } }),
    });
    const dropped = [
      "Connection: keep-alive, X-Named, OpenAI-Project",
      "X-Named: by the connection header",
      "OpenAI-Project: named too",
      "Keep-Alive: timeout=5",
      "Proxy-Authorization: Basic eDp5",
      "TE: trailers",
      "Upgrade: h2c",
      "X-Candor-Decision: allow",
      "x-candor-exchange-id: mine",
      "Cookie: a=b",
      "Forwarded: for=1.2.3.4",
    ];
    await rawExchange(running.port, chatRequest(body, [...dropped, "x-kept: yes"]), answered);
    const seen = running.upstream.seen[0]?.headers ?? {};
    expect(Object.keys(seen).sort()).toEqual(["connection", "content-length", "content-type", "host", "x-kept"]);
    expect(seen.connection).toBe("keep-alive");
  });

  it("carry the configured key instead of every credential of the caller", async () => {
    const running = await runRelay({ keys: new Map([["main", "sk-operator"]]) });
    const own = [
      "authorization: Bearer sk-app",
      "API-Key: sk-app",
      "X-Api-Key: sk-app",
      "Authorization: Bearer sk-app2",
    ];
    await rawExchange(running.port, chatRequest(body, own), answered);
    const raw = running.upstream.seen[0]?.rawHeaders ?? [];
    expect(raw.join("\n")).not.toContain("sk-app");
    expect(raw.filter((_, i) => raw[i - 1]?.toLowerCase() === "authorization")).toEqual(["Bearer sk-operator"]);
  });
});

describe("headers on their way down", () => {
  it("pass if they are listed, with their spelling and values; others, cookies and addresses do not", async () => {
    const running = await runRelay({ config: () => ({ relay: { responseHeaders: ["x-lab-*"] } }) });
    running.upstream.answer((_seen, wire) =>
      wire.raw(
        [
          "HTTP/1.1 200 Fine",
          "Content-Type: application/json",
          "Content-Length: 2",
          "X-Request-ID: req_1",
          "OpenAI-Processing-MS: 12",
          "x-RateLimit-Limit-Requests: 9",
          "Retry-After-Ms: 5",
          "X-Lab-Run: caf\u00e9",
          "Set-Cookie: a=b",
          "Set-Cookie: c=d",
          "Server: secret/1.0",
          "Location: http://internal.example/",
          "X-Candor-Exchange-Id: forged",
          "Connection: keep-alive, X-Foo",
          "Keep-Alive: timeout=1",
          "",
          "{}",
        ].join("\r\n"),
      ),
    );
    const text = await rawExchange(running.port, chatRequest(body), answered);
    const [status, ...lines] = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n");
    expect(status).toBe("HTTP/1.1 200 Fine");
    expect(lines).toEqual([
      "Content-Type: application/json",
      "Content-Length: 2",
      "X-Request-ID: req_1",
      "OpenAI-Processing-MS: 12",
      "x-RateLimit-Limit-Requests: 9",
      "Retry-After-Ms: 5",
      expect.stringMatching(/^X-Lab-Run: caf/),
      expect.stringMatching(/^x-candor-exchange-id: [0-9a-f]{24}$/),
      expect.stringMatching(/^Date: /),
      "Connection: keep-alive",
      "Keep-Alive: timeout=75",
    ]);
  });

  it.each(["Tout \u00e9tait bien", "\u2192 fine", ""])(
    "follow a reason phrase such as %j without harm",
    async (phrase) => {
      const running = await runRelay();
      running.upstream.answer((_seen, wire) => wire.raw(`HTTP/1.1 200 ${phrase}\r\ncontent-length: 2\r\n\r\n{}`));
      const text = await rawExchange(running.port, chatRequest(body), answered);
      expect(text).toMatch(/^HTTP\/1\.1 200 [ -~]*\r\n/);
      expect(text).toMatch(/\{\}$/);
    },
  );

  it("of a redirect are passed without its target, and it is not followed", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) =>
      wire.json(302, {}, { location: `${running.upstream.baseUrl}/models?elsewhere` }),
    );
    const response = await fetch(`${running.baseUrl}/models`, { redirect: "manual" });
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBeNull();
    expect(running.upstream.seen).toHaveLength(1);
  });
});

describe("answers without a body", () => {
  it.each([204, 304])("%i has neither length nor chunks", async (status) => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.response.writeHead(status, { etag: '"1"', ...(status === 304 ? { "content-length": "5" } : {}) });
      wire.response.end();
    });
    const text = await rawExchange(running.port, chatRequest(body, ["connection: close"]));
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).not.toMatch(/content-length|transfer-encoding/i);
    expect(text).toMatch(/etag: "1"/);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  it("HEAD gives the headers, length included", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => wire.json(200, {}, { "content-length": "2" }));
    const request = "HEAD /v1/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    const text = await rawExchange(running.port, request);
    expect(text).toMatch(/content-length: 2\r\n/);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
    expect(running.finished[0]?.end.outcome).toBe("complete");
  });

  it("informational answers and trailers are not passed on", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.raw("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n");
      wire.raw(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\n{}\r\n0\r\nx-sum: 1\r\n\r\n",
      );
    });
    const text = await rawExchange(running.port, chatRequest(body, ["connection: close"]));
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).not.toMatch(/x-sum|early|link/i);
    expect(text.endsWith("2\r\n{}\r\n0\r\n\r\n")).toBe(true);
  });
});

describe("client connections", () => {
  it("are kept for the next request, also a pipelined one", async () => {
    const running = await runRelay();
    running.upstream.answer(({ body: sent }, wire) => wire.json(200, { n: JSON.parse(String(sent)).n }));
    const two =
      chatRequest('{"model":"gpt-test","n":1}') + chatRequest('{"model":"gpt-test","n":2}', ["connection: close"]);
    const text = await rawExchange(running.port, two);
    expect(text.match(/\{"n":.\}/g)).toEqual(['{"n":1}', '{"n":2}']);
  });

  it("get `100 continue` when they wait for it", async () => {
    const running = await runRelay();
    const whole = chatRequest(body, ["expect: 100-continue", "connection: close"]);
    const text = await rawExchange(running.port, whole);
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(String(running.upstream.seen[0]?.body)).toBe(body);
    expect(running.upstream.seen[0]?.headers.expect).toBeUndefined();
  });
});
