import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chatRequest, rawExchange, runRelay, until } from "./running-relay.ts";

/** The bytes of a raw HTTP answer's body, whatever its framing. */
const bodyOf = (text: string): string => {
  const start = text.indexOf("\r\n\r\n") + 4;
  if (!/transfer-encoding: chunked/i.test(text.slice(0, start))) return text.slice(start);
  let body = "";
  for (let at = start; ; ) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) return body;
    if (Number.isNaN(size)) throw new Error(`no chunk at ${at}`);
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
};

const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length]
    .map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
    .filter(({ length }) => length > 0);
};

const line = fc.oneof(
  fc.constantFrom(": comment", "event: error", "data: [DONE]", "id: 7", "retry: 5", "", "data:", "\u{FEFF}data: x"),
  fc
    .string({ unit: "grapheme", maxLength: 40 })
    .map((text) => `data: ${JSON.stringify({ unknown: text, z: "Zürich 🧀" })}`),
);
const eventStream = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.constantFrom("\n", "\r\n", "\r"))
  .map(([lines, eol]) => Buffer.from(lines.map((one) => one + eol).join("")));
const anyBytes = fc.uint8Array({ maxLength: 4_000 }).map((bytes) => Buffer.from(bytes));
const places = fc.array(fc.nat(), { maxLength: 12 });

const blanks = fc.constantFrom("", " ", "\n  ", "\t", "\r\n");
const requestBody = fc
  .tuple(fc.object({ maxDepth: 3 }), blanks, blanks, fc.constantFrom(undefined, 2, 7))
  .map(([fields, before, after, indent]) => {
    const json = JSON.stringify({ ...fields, model: "gpt-test", "\u007f": "\ud83d" }, null, indent);
    return Buffer.from(before + json.replaceAll('"model"', '"mod\\u0065l"') + after);
  });

describe("bytes", () => {
  it("of answers reach the client and the observer as the upstream sent them, however they are cut", async () => {
    const running = await runRelay();
    const answers = fc.record({
      bytes: fc.oneof(eventStream, anyBytes),
      places,
      type: fc.constantFrom("text/event-stream", "text/event-stream; charset=utf-8", "application/json", "x/y"),
      sized: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(answers, async ({ bytes, places: at, type, sized }) => {
        running.upstream.answer(async (_seen, { response }) => {
          response.writeHead(200, { "content-type": type, ...(sized ? { "content-length": bytes.length } : {}) });
          for (const chunk of cut(bytes, at)) {
            response.write(chunk);
            await new Promise(setImmediate);
          }
          response.end();
        });
        const before = running.finished.length;
        const text = await rawExchange(running.port, chatRequest('{"model":"gpt-test"}', ["connection: close"]));
        expect(Buffer.from(bodyOf(text), "latin1").equals(bytes)).toBe(true);
        await until(() => running.finished.length > before);
        const copy = running.copies.at(-1);
        expect(Buffer.concat(copy?.chunks ?? []).equals(bytes)).toBe(true);
        expect(copy?.end).toMatchObject({ outcome: "complete", status: 200, contentType: type });
      }),
      { numRuns: 120 },
    );
  });

  it("of requests reach the upstream as the client sent them: blanks, escapes, unknown fields", async () => {
    const running = await runRelay();
    await fc.assert(
      fc.asyncProperty(requestBody, places, async (bytes, at) => {
        const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`;
        const chunks = cut(bytes, at).map((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, "\r\n"]);
        const all = [head, ...chunks.flat(), "0\r\n\r\n"].map((part) => Buffer.from(part));
        await rawExchange(running.port, Buffer.concat(all));
        const seen = running.upstream.seen.at(-1);
        expect(seen?.body.equals(bytes)).toBe(true);
        expect(running.copies.at(-1)?.start.subject).toBe("support-bot");
        expect(running.copies.at(-1)?.start.requestBody.equals(bytes)).toBe(true);
      }),
      { numRuns: 80 },
    );
  });

  it("of a compressed answer stay compressed, and the observer is told how", async () => {
    const running = await runRelay();
    const zipped = gzipSync('{"choices":[]}');
    running.upstream.answer((_seen, { response }) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(zipped);
    });
    const request = chatRequest('{"model":"gpt-test"}', ["accept-encoding: gzip, br", "connection: close"]);
    const text = await rawExchange(running.port, request);
    expect(Buffer.from(bodyOf(text), "latin1").equals(zipped)).toBe(true);
    expect(running.upstream.seen[0]?.headers["accept-encoding"]).toBe("gzip, br");
    await until(() => running.finished.length === 1);
    expect(running.copies[0]?.end).toMatchObject({ contentEncoding: "gzip" });
    expect(running.bytes).toEqual({ up: 20, down: zipped.length });
  });

  it("of an event stream arrive when they are sent, headers first", async () => {
    const running = await runRelay();
    const steps: (() => void)[] = [];
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      steps.push(
        () => wire.event("one"),
        () => wire.event("[DONE]"),
        () => void wire.response.end(),
      );
    });
    const response = await fetch(`${running.baseUrl}/chat/completions`, {
      method: "POST",
      body: '{"model":"gpt-test","stream" : true}',
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    steps[0]?.();
    expect(await reader?.read()).toEqual({ done: false, value: "data: one\n\n" });
    steps[1]?.();
    expect(await reader?.read()).toEqual({ done: false, value: "data: [DONE]\n\n" });
    steps[2]?.();
    expect(await reader?.read()).toMatchObject({ done: true });
  });
});
