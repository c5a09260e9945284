import { createServer, type Server } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import type { Script } from "./mock-upstream.ts";
import { chatRequest, type RunningRelay, rawExchange, runRelay, until } from "./running-relay.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Accepts connections and never says a word. */
const startMute = async (): Promise<number> => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    servers[0]?.once("close", () => socket.destroy());
    socket.unref();
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const ask = ({ baseUrl }: RunningRelay): Promise<Response> =>
  fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    body: '{"model":"gpt-test"}',
    headers: { authorization: "Bearer sk-canary-7f3a" },
  });

const runAgainst = (settings: Record<string, unknown>): Promise<RunningRelay> =>
  runRelay({ config: ({ baseUrl }) => ({ upstreams: [{ id: "main", baseUrl, ...settings }] }) });

const errorOf = async (response: Response) => {
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("x-candor-exchange-id")).toMatch(/./);
  const text = await response.text();
  expect(text).not.toMatch(/127\.0\.0\.1|localhost|ECONN|canary/);
  const { error } = JSON.parse(text);
  expect(error).toEqual({ message: expect.any(String), type: "api_error", param: null, code: expect.any(String) });
  return error.code;
};

describe("an upstream that does not answer", () => {
  it("refuses connections: 502 upstream_unreachable", async () => {
    const running = await runRelay();
    await running.upstream.close();
    const response = await ask(running);
    expect([response.status, await errorOf(response)]).toEqual([502, "upstream_unreachable"]);
    await until(() => running.finished.length === 1);
    expect(running.finished[0]?.end).toMatchObject({ outcome: "upstream-error", status: 502 });
    expect(running.copies[0]?.end).toMatchObject({ outcome: "upstream-error" });
    expect(running.inFlight()).toBe(0);
  });

  it("is logged once for a row of failures, and once when it answers again; with a code, without an address", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => wire.reset());
    for (let i = 0; i < 3; i += 1) await ask(running);
    running.upstream.answer((_seen, wire) => wire.json(200, {}));
    for (let i = 0; i < 2; i += 1) await ask(running);
    expect(running.logged).toEqual([
      [{ upstream: "main", code: "upstream_closed", cause: expect.stringMatching(/^[A-Z_]+$/) }, expect.any(String)],
      [{ upstream: "main" }, expect.any(String)],
    ]);
  });

  it("has no address: 502 upstream_unreachable", async () => {
    const running = await runAgainst({ baseUrl: "http://candor-test.invalid/v1" });
    const response = await ask(running);
    expect([response.status, await errorOf(response)]).toEqual([502, "upstream_unreachable"]);
  });

  it("never completes a TLS handshake: 502 when the connect timeout is over", async () => {
    const port = await startMute();
    const running = await runAgainst({ baseUrl: `https://127.0.0.1:${port}/v1`, connectTimeoutMs: 1_200 });
    const start = performance.now();
    const response = await ask(running);
    expect([response.status, await errorOf(response)]).toEqual([502, "upstream_unreachable"]);
    expect(performance.now() - start).toBeGreaterThan(1_150);
  });

  it("accepts and stays silent: 504 upstream_timeout", async () => {
    const port = await startMute();
    const running = await runAgainst({ baseUrl: `http://127.0.0.1:${port}/v1`, headersTimeoutMs: 100 });
    const response = await ask(running);
    expect([response.status, await errorOf(response)]).toEqual([504, "upstream_timeout"]);
    await until(() => running.finished.length === 1);
    expect(running.finished[0]?.end).toMatchObject({ outcome: "timeout", status: 504 });
  });

  it.each([
    ["closes the connection instead", (_seen, wire) => wire.socket.end(), "upstream_closed"],
    ["resets the connection instead", (_seen, wire) => wire.reset(), "upstream_closed"],
    ["answers something else than HTTP", (_seen, wire) => wire.raw("hello\r\n\r\n"), "upstream_invalid_answer"],
    [
      "answers with two lengths",
      (_seen, wire) => wire.raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
      "upstream_invalid_answer",
    ],
    [
      "answers with endless headers",
      (_seen, wire) => wire.raw(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n`),
      "upstream_invalid_answer",
    ],
  ] satisfies [string, Script, string][])("%s: 502", async (_name, script, code) => {
    const running = await runRelay();
    running.upstream.answer(script);
    const response = await ask(running);
    expect([response.status, await errorOf(response)]).toEqual([502, code]);
    expect(running.upstream.seen).toHaveLength(1);
  });

  it("closes an idle connection between two requests: the second one uses another", async () => {
    const running = await runRelay();
    expect((await ask(running)).status).toBe(200);
    running.upstream.answer((_seen, wire) => wire.json(200, {}));
    await running.upstream.dropIdle();
    expect((await ask(running)).status).toBe(200);
    expect(running.upstream.seen).toHaveLength(2);
  });
});

const closing = chatRequest('{"model":"gpt-test","stream":true}', ["connection: close"]);

/** True if the answer ended as HTTP says, so that a client could take it for complete. */
const endedProperly = (text: string): boolean => {
  const head = text.slice(0, text.indexOf("\r\n\r\n") + 4);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return length === undefined ? text.endsWith("\r\n0\r\n\r\n") : text.length - head.length === Number(length);
};

describe("an answer that breaks off", () => {
  it.each([
    ["LF", "data: {}\n\n"],
    ["CRLF", "data: {}\r\n\r\n"],
    ["CR", "data: {}\r\r"],
    ["nothing yet", ""],
  ])("between two events (%s) ends in an error event, never in [DONE]", async (_name, sent) => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.response.write(sent);
      setTimeout(wire.reset, 20);
    });
    const text = await rawExchange(running.port, closing);
    const event = /data: (\{"error".*\})\n\n/.exec(text)?.[1] ?? "";
    expect(JSON.parse(event).error).toMatchObject({ type: "api_error", code: "upstream_aborted" });
    expect(text).not.toContain("[DONE]");
    await until(() => running.finished.length === 1);
    expect(running.finished[0]?.end).toMatchObject({ outcome: "upstream-aborted", status: 200 });
    expect(running.copies[0]?.end).toMatchObject({ outcome: "upstream-aborted" });
  });

  it.each([
    ["in the middle of an event", { "content-type": "text/event-stream" }, Buffer.from('data: {}\n\ndata: {"half')],
    [
      "in a compressed stream",
      { "content-type": "text/event-stream", "content-encoding": "gzip" },
      gzipSync("data: 1\n\n"),
    ],
    [
      "in a stream of known length",
      { "content-type": "text/event-stream", "content-length": "99" },
      Buffer.from("data: {}\n\n"),
    ],
    ["in a JSON answer", { "content-type": "application/json" }, Buffer.from('{"choices":[')],
    [
      "in a JSON answer of known length",
      { "content-type": "application/json", "content-length": "99" },
      Buffer.from("{"),
    ],
  ])("%s closes the connection, and what came is neither changed nor complete", async (_name, headers, sent) => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.response.writeHead(200, headers);
      wire.response.write(sent);
      setTimeout(wire.reset, 20);
    });
    const text = await rawExchange(running.port, closing);
    expect(text).toContain(sent.toString("latin1"));
    expect(endedProperly(text)).toBe(false);
    expect(text).not.toContain("error");
    await until(() => running.finished.length === 1);
    expect(running.finished[0]?.end.outcome).toBe("upstream-aborted");
  });

  it.each([
    ["event stream", "text/event-stream", "data: {}\n\n", true],
    ["JSON answer", "application/json", "{", false],
  ])("by falling silent, a %s, is ended with the idle timeout", async (_name, type, sent, says) => {
    const running = await runAgainst({ idleTimeoutMs: 150 });
    running.upstream.answer((_seen, wire) => {
      wire.response.writeHead(200, { "content-type": type });
      wire.response.write(sent);
    });
    const text = await rawExchange(running.port, closing);
    expect(text.includes("upstream_timeout")).toBe(says);
    if (!says) expect(endedProperly(text)).toBe(false);
    await until(() => running.finished.length === 1 && running.upstream.aborted() === 1);
    expect(running.finished[0]?.end).toMatchObject({ outcome: "timeout", status: 200 });
  });

  it("is never reported complete, in 100 streams that are reset", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event({ choices: [] });
      setImmediate(wire.reset);
    });
    const texts = await Promise.all(Array.from({ length: 100 }, () => rawExchange(running.port, closing)));
    await until(() => running.finished.length === 100);
    expect(new Set(running.finished.map(({ end }) => end.outcome))).not.toContain("complete");
    for (const text of texts) {
      expect(text).not.toContain("[DONE]");
      if (endedProperly(text)) expect(text).toContain('"error"');
    }
  });
});
