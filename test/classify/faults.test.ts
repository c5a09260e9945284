/** What a judging server can do to us, forced on real sockets: every one is an error in time, and none is harmless. */
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import type { Classifier } from "../../src/classify/classifier.ts";
import { createGuard } from "../../src/classify/guards/registry.ts";
import { createJudge } from "../../src/classify/judge.ts";
import { createModeration } from "../../src/classify/moderation.ts";
import { sendJson, startFakeServer } from "./fake-server.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const timeoutMs = 300;
const classifiers: [string, (baseUrl: string) => Classifier][] = [
  [
    "the judge",
    (baseUrl) => createJudge({ baseUrl, model: "m", key: "secret-key", fetch, timeoutMs, maxAnswerChars: 500 }),
  ],
  [
    "a guard",
    (baseUrl) =>
      createGuard({
        guard: "llama-guard-3",
        baseUrl,
        model: "m",
        key: "secret-key",
        fetch,
        timeoutMs,
        maxAnswerChars: 500,
      }),
  ],
  [
    "moderation",
    (baseUrl) => createModeration({ baseUrl, model: "m", key: "secret-key", fetch, timeoutMs, maxAnswerChars: 500 }),
  ],
];

const drip = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 20);
  closers.push(() => clearInterval(timer));
};

const faults: [string, (response: ServerResponse) => void, string][] = [
  [
    "429",
    (response) => {
      response.writeHead(429, { "retry-after": "7" });
      response.end('{"error":{"message":"secret-key is out of quota"}}');
    },
    "rate-limited",
  ],
  ["500", (response) => sendJson(response, { error: { message: "secret-key" } }, 500), "unavailable"],
  [
    "401 that repeats the key",
    (response) => sendJson(response, { error: { message: "bad key secret-key" } }, 401),
    "unavailable",
  ],
  ["no answer at all", () => {}, "timeout"],
  ["a slow drip", drip, "timeout"],
  [
    "garbage",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end("{not json");
    },
    "unparseable",
  ],
  [
    "a web page",
    (response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<html>Sign in</html>");
    },
    "unparseable",
  ],
  [
    "a connection closed within the answer",
    (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write("{");
      setTimeout(() => response.destroy(), 20);
    },
    "unavailable",
  ],
  ["a connection reset before it", (response) => void response.socket?.destroy(), "unavailable"],
  [
    "an answer without end",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const flood = (): void => {
        while (!response.destroyed && response.write(" ".repeat(1024 * 1024)));
      };
      response.on("drain", flood);
      flood();
    },
    "unparseable",
  ],
];

describe.each(classifiers)("%s", (_, build) => {
  test.each(faults)("%s", async (_, fault, reason) => {
    const server = await startFakeServer((__, response) => fault(response));
    closers.push(server.close);
    const began = performance.now();
    const judgement = await build(server.baseUrl).judge({ prompt: null, response: "x" });
    // A flood may be met by the deadline on a slow machine before it is met by the limit on size.
    const reasons = reason === "unparseable" ? [reason, "timeout"] : [reason];
    expect(judgement).toMatchObject({ kind: "error" });
    expect(reasons).toContain(judgement.kind === "error" ? judgement.reason : "");
    expect(JSON.stringify(judgement)).not.toContain("secret-key");
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(server.asked.length).toBe(1);
  });

  test("nobody there", async () => {
    const judgement = await build("http://127.0.0.1:9/v1").judge({ prompt: null, response: "x" });
    expect(judgement).toMatchObject({ kind: "error", reason: "unavailable" });
  });

  test("a caller who gives up", async () => {
    const server = await startFakeServer(() => {});
    closers.push(server.close);
    const judgement = await build(server.baseUrl).judge({ prompt: null, response: "x" }, AbortSignal.timeout(30));
    expect(judgement).toMatchObject({ kind: "error", reason: "unavailable", detail: "cancelled" });
  });
});
