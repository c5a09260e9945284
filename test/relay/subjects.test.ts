import { request as httpRequest } from "node:http";
import { describe, expect, it } from "vitest";
import { startMockUpstream } from "./mock-upstream.ts";
import { chatRequest, rawExchange, runRelay, until } from "./running-relay.ts";

const post = (url: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: "POST", body, headers });

describe("subjects", () => {
  it("are told by model and by path prefix, and each has its own upstream", async () => {
    const second = await startMockUpstream();
    const running = await runRelay({
      config: ({ baseUrl }) => ({
        upstreams: [
          { id: "main", baseUrl },
          { id: "second", baseUrl: `${second.baseUrl}/deep/` },
        ],
        subjects: [
          { id: "a", models: ["gpt-a"] },
          { id: "b", models: ["gpt-b", "gpt-b2"], upstream: "second" },
          { id: "c", models: ["gpt-a"], upstream: "second", route: "/support" },
        ],
      }),
    });
    const { origin } = running;
    await post(`${origin}/v1/chat/completions`, '{ "model" : "gpt-a" }');
    await post(`${origin}/v1/chat/completions`, '{"model":"gpt-b2"}');
    await post(`${origin}/support/v1/embeddings`, '{"model":"gpt-a"}');
    await post(`${origin}/support/v1/chat/completions`, '{"model":"unheard-of"}');
    await post(`${origin}/v1/chat/completions`, '{"model":"unheard-of"}');
    await fetch(`${origin}/support/v1/models`);
    await until(() => running.finished.length === 6);
    expect(running.copies.map(({ start }) => `${start.subject} ${start.path}`)).toEqual([
      "a /chat/completions",
      "b /chat/completions",
      "c /embeddings",
      "null /chat/completions",
      "null /chat/completions",
    ]);
    expect(running.finished.map(({ subject }) => subject)).toEqual(["a", "b", "c", "other", "other", "other"]);
    expect(running.upstream.seen.map(({ url }) => url)).toEqual(["/v1/chat/completions", "/v1/chat/completions"]);
    expect(second.seen.map(({ url }) => url)).toEqual([
      "/v1/deep/chat/completions",
      "/v1/deep/embeddings",
      "/v1/deep/chat/completions",
      "/v1/deep/models",
    ]);
    await second.close();
  });

  it("are found by the parsed field only: not in a string, not in a nested object", async () => {
    const running = await runRelay();
    const url = `${running.baseUrl}/chat/completions`;
    await post(url, '{"metadata":{"model":"gpt-test"},"user":"\\"model\\":\\"gpt-test\\""}');
    await post(url, '{\n  "stream" : true,\n  "model"\t:\n"gpt-test"\n}');
    await until(() => running.finished.length === 2);
    expect(running.copies.map(({ start }) => start.subject)).toEqual([null, "support-bot"]);
  });

  it("and routes are the only labels, whatever clients send", async () => {
    const running = await runRelay({ config: () => ({ relay: { passThrough: ["/files/*"] } }) });
    for (let i = 0; i < 30; i += 1) {
      await post(`${running.baseUrl}/chat/completions`, JSON.stringify({ model: `random-${i}` }));
      await fetch(`${running.baseUrl}/files/random-${i}`);
      await fetch(`${running.baseUrl}/random-${i}`);
    }
    await until(() => running.finished.length === 60);
    const labels = running.finished.map(({ subject, route }) => `${subject} ${route}`);
    expect(new Set(labels)).toEqual(new Set(["other chat", "other pass-through"]));
    expect(new Set(running.refused.map(({ route }) => route))).toEqual(new Set(["other"]));
  });
});

describe("declared paths", () => {
  const declared = { relay: { passThrough: ["/audio/*"] } };

  it("are relayed unread, any method and body, without a copy", async () => {
    const running = await runRelay({ config: () => declared });
    const bytes = new Uint8Array(200_000).map((_, i) => i * 7);
    const response = await post(`${running.baseUrl}/audio/transcriptions?x=1%202`, bytes, {
      "content-type": "multipart/form-data; boundary=b",
    });
    expect(response.status).toBe(200);
    await fetch(`${running.baseUrl}/audio/voices/one`, { method: "DELETE" });
    const [first, second] = running.upstream.seen;
    expect(first?.url).toBe("/v1/audio/transcriptions?x=1%202");
    expect(first?.body.equals(bytes)).toBe(true);
    expect(first?.headers["content-length"]).toBe("200000");
    expect(first?.headers["content-type"]).toBe("multipart/form-data; boundary=b");
    expect([second?.method, second?.url]).toEqual(["DELETE", "/v1/audio/voices/one"]);
    expect(running.copies).toEqual([]);
    await until(() => running.finished.length === 2);
    expect(running.bytes.up).toBe(200_000);
  });

  it("stream the body up while it is still being sent", async () => {
    const running = await runRelay({ config: () => declared });
    let first = "";
    running.upstream.receive((chunk) => {
      first += chunk;
    });
    const outgoing = httpRequest(`${running.baseUrl}/audio/x`, { method: "PUT" });
    const answered = new Promise((resolve) => outgoing.on("response", resolve));
    outgoing.write("begin");
    await until(() => first === "begin");
    outgoing.end("end");
    await answered;
    expect(String(running.upstream.seen[0]?.body)).toBe("beginend");
  });

  it("pass an early answer on although the body is still coming", async () => {
    const running = await runRelay({ config: () => declared });
    running.upstream.early((wire) => wire.json(401, { error: { code: "no_key" } }));
    const head = "POST /v1/audio/x HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n";
    const text = await rawExchange(running.port, `${head}start`, (sofar) => sofar.includes("no_key"));
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
  });

  it("have the same limit on bodies, declared or not", async () => {
    const running = await runRelay({ config: () => ({ ...declared, limits: { bodyBytes: 2_000 } }) });
    const long = "x".repeat(3_000);
    const sized = await post(`${running.baseUrl}/audio/x`, long);
    expect(sized.status).toBe(413);
    const chunked = `POST /v1/audio/x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nbb8\r\n${long}\r\n`;
    const text = await rawExchange(running.port, chunked, (sofar) => sofar.includes("}"));
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    await until(() => running.inFlight() === 0);
    expect(running.upstream.seen).toEqual([]);
  });

  it("end the upstream's request when the client leaves in the middle of the body", async () => {
    const running = await runRelay({ config: () => declared });
    let got = 0;
    running.upstream.receive((chunk) => {
      got += chunk.length;
    });
    const outgoing = httpRequest(`${running.baseUrl}/audio/x`, { method: "POST" });
    outgoing.on("error", () => {});
    outgoing.write("x".repeat(1_000));
    await until(() => got === 1_000);
    outgoing.destroy();
    await until(() => running.upstream.aborted() === 1 && running.inFlight() === 0);
    expect(running.finished[0]?.end.outcome).toBe("client-aborted");
  });
});

describe("an observer", () => {
  it.each([
    [
      "at the beginning",
      () => {
        throw new Error("bug");
      },
    ],
    [
      "at a chunk",
      () => ({
        chunk() {
          throw new Error("bug");
        },
        end() {},
      }),
    ],
    [
      "at the end",
      () => ({
        chunk() {},
        end() {
          throw new Error("bug");
        },
      }),
    ],
  ])("that throws %s harms no exchange, and is logged once", async (_name, begin) => {
    const running = await runRelay({ observer: { begin, beginUnread: begin } });
    for (let i = 0; i < 3; i += 1) {
      const response = await post(`${running.baseUrl}/chat/completions`, '{"model":"gpt-test"}');
      expect(await response.json()).toEqual({ ok: true });
      expect((await fetch(`${running.baseUrl}/models`)).status).toBe(200);
    }
    await until(() => running.finished.length === 6);
    expect(running.logged).toHaveLength(1);
  });

  it("is told of what is passed on unread by its route, if it wants to be", async () => {
    const begun: unknown[] = [];
    const told: string[] = [];
    const running = await runRelay({
      observer: {
        begin: () => null,
        beginUnread({ route, requestHeaders }) {
          begun.push([route, requestHeaders.traceparent]);
          return { chunk: (bytes) => void told.push(`${bytes.length > 0}`), end: (end) => void told.push(end.outcome) };
        },
      },
    });
    await (await fetch(`${running.baseUrl}/models`, { headers: { traceparent: "t" } })).text();
    await until(() => running.finished.length === 1);
    expect(begun).toEqual([["models", "t"]]);
    expect(told).toEqual(["true", "complete"]);
  });

  it("and the log never see a key in what the relay itself says", async () => {
    const running = await runRelay({ config: () => ({ limits: { bodyBytes: 1024 } }) });
    const canary = "sk-canary-51c9";
    const headers = [`authorization: Bearer ${canary}`, "connection: close"];
    const texts = [
      await rawExchange(running.port, chatRequest("{", headers)),
      await rawExchange(running.port, chatRequest("x".repeat(2_000), headers)),
      await rawExchange(running.port, `GET /v1/${canary} HTTP/1.1\r\nhost: a\r\n${headers.join("\r\n")}\r\n\r\n`),
      await rawExchange(running.port, `GET /v1//${canary} HTTP/1.1\r\nhost: a\r\n${headers.join("\r\n")}\r\n\r\n`),
      await rawExchange(running.port, `${canary}\r\n\r\n`),
    ];
    await running.upstream.close();
    texts.push(await rawExchange(running.port, chatRequest('{"model":"gpt-test"}', headers)));
    for (const text of texts) expect(text).toMatch(/^HTTP\/1\.1 [45]/);
    const said = JSON.stringify([texts, running.finished, running.refused, running.logged]);
    expect(said).not.toContain(canary);
  });
});
