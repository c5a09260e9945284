/** Rows 5, 10, 19, 20 and 21 of the fault matrix: what is sent, by upstreams, judges and clients that mean harm. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer as createPlainServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createQuestionJudge } from "../../src/classify/question-judge.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { realGuard } from "../relay/real-guard.ts";
import { type RunningRelay, runRelay } from "../relay/running-relay.ts";
import { ms, quantile, report, sized } from "./measured.ts";
import { metricIn, newFolder, serveReal, startUpstream } from "./real-candor.ts";

const marker = "zeppelin";
const chat = (content: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ model: "gpt-test", messages: [{ role: "user", content }], ...more });
const post = (baseUrl: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${baseUrl}/chat/completions`, { method: "POST", body, headers });

test("a stream is decided as its whole text is, however it is cut, padded or broken off", {
  timeout: 300_000,
}, async (context) => {
  const random = seededRandom(5);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(of: readonly T[], otherwise: T): T => of[below(of.length)] ?? otherwise;
  const guard = realGuard([{ stage: "response", match: { terms: [marker] } }]);
  const relay = await runRelay({ guard, holding: { streamBytes: 4 * 1024 * 1024 } });
  const words = ["über", "日本", "😀", "calm", "\\n", '"quoted"', "a"];
  /** What is said, and the bytes that say it. */
  const makeCase = () => {
    const said = Array.from({ length: 1 + below(12) }, () => pick(words, "a"));
    const isForbidden = random() < 0.5;
    if (isForbidden) said.splice(below(said.length + 1), 0, marker);
    const text = said.join(" ");
    const end = pick(["\n", "\r\n", "\r"], "\n");
    const events: string[] = [];
    let isUnreadable = false;
    const characters = [...text];
    while (characters.length > 0) {
      const content = characters.splice(0, 1 + below(6)).join("");
      if (random() < 0.1) events.push(`: a comment${end}`);
      if (random() < 0.02) events.push(`event: ping${end}data: {}${end}${end}`);
      if (random() < 0.02) {
        isUnreadable = true;
        events.push(`data: {${end}${end}`);
      }
      events.push(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}${end}${end}`);
    }
    if (random() < 0.01) events.splice(below(events.length), 0, `: ${"x".repeat(1024 * 1024)}${end}${end}`);
    events.push(`data: [DONE]${end}${end}`);
    const bytes = Buffer.from(events.join(""));
    const isCut = random() < 0.2;
    return { text, isForbidden, isUnreadable, isCut, bytes: isCut ? bytes.subarray(0, below(bytes.length)) : bytes };
  };
  let current = makeCase();
  relay.upstream.answer(async (_seen, wire) => {
    const { bytes, isCut } = current;
    wire.socket.setNoDelay(true);
    wire.stream();
    const size = bytes.length > 10_000 ? 64 * 1024 : pick([1, 7, 50, 1_000], 7);
    for (let at = 0; at < bytes.length; at += size) {
      wire.response.write(bytes.subarray(at, at + size));
      if (at < 40 * size) await new Promise((resolve) => setImmediate(resolve));
    }
    // A reset at once would take with it what was not read yet.
    if (isCut) setTimeout(wire.reset, 2);
    else wire.response.end();
  });
  const count = sized(300, 10_000);
  let [leaked, differing, failed] = [0, 0, 0];
  for (let index = 0; index < count; index += 1) {
    current = makeCase();
    let text = "";
    try {
      const answer = await post(relay.baseUrl, chat("go on", { stream: true }));
      for await (const piece of answer.body ?? []) text += Buffer.from(piece).toString("latin1");
    } catch {
      // Cut off, as a stream that breaks within an event must be.
      if (!current.isCut) failed += 1;
    }
    const received = Buffer.from(text, "latin1").toString();
    const said = [...received.matchAll(/"delta":\{"content":("(?:[^"\\]|\\.)*")\}/g)]
      .map(([, content]) => String(JSON.parse(content ?? '""')))
      .join("");
    if (said.includes(marker)) leaked += 1;
    const wasBlocked = relay.decided.at(-1)?.decision.action === "block";
    // What can't be read is withheld under a policy that blocks.
    const shouldBlock = current.isForbidden || current.isUnreadable;
    if (!current.isCut && (wasBlocked !== shouldBlock || (!wasBlocked && said !== current.text))) {
      differing += 1;
    }
  }
  const cut = relay.finished.filter(({ end }) => end.outcome !== "complete").length;
  report(context, {
    row: 5,
    fault: `${count} streams: any line ends, comments, events that are no JSON, a comment of 1 MB, 1-byte pieces, characters cut in two, broken off at any byte`,
    target: "the verdict of the whole text; 0 crashes; nothing forbidden gets out",
    seen: `${leaked} leaked, ${differing} decided otherwise, ${failed} whole ones failed; ${cut} did not end as complete`,
    isMet: leaked + differing + failed === 0,
  });
  expect({ leaked, differing, failed }).toEqual({ leaked: 0, differing: 0, failed: 0 });
});

const judgeAt = async (answer: RequestListener, timeoutMs: number) => {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return createQuestionJudge({
    baseUrl: `http://127.0.0.1:${port}/v1`,
    key: null,
    fetch,
    timeoutMs,
    model: "judge",
    maxAnswerChars: 4_000,
  });
};

test.for<[string, RequestListener]>([
  ["never answers", () => {}],
  ["answers 429", (_request, response) => void response.writeHead(429, { "retry-after": "1" }).end("{}")],
  ["answers garbage", (_request, response) => void response.end("SAFE")],
])(
  "where policies let pass what can't be judged, a judge that %s costs its timeout at most",
  async ([name, answer], context) => {
    const timeoutMs = 400;
    const question = { judge: { question: "Is anything in this text forbidden to be said?" } };
    const judge = await judgeAt(answer, 20_000);
    const guard = realGuard([{ stage: "response", match: question, onError: "allow", timeoutMs }], { judge });
    const message = { role: "assistant", content: "an ordinary answer" };
    const took = async (relay: RunningRelay): Promise<number[]> => {
      relay.upstream.answer((_seen, wire) =>
        wire.json(200, { choices: [{ index: 0, message, finish_reason: "stop" }] }),
      );
      const times: number[] = [];
      for (let index = 0; index < 5; index += 1) {
        const from = performance.now();
        const response = await post(relay.baseUrl, chat("hello"));
        expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("an ordinary answer")]);
        times.push(performance.now() - from);
      }
      return times;
    };
    const without = await took(await runRelay());
    const beside = await took(await runRelay({ guard }));
    const added = (rank: number): number => quantile(beside, rank) - quantile(without, 0);
    report(context, {
      row: 10,
      fault: `the judge ${name}, under a policy with onError: allow and a timeout of ${timeoutMs} ms`,
      target: "every answer passes; at most the timeout is added",
      seen: `${beside.length} of ${beside.length} passed; ${ms(added(0))} to ${ms(added(1))} added`,
      // A timer is late by a turn of the loop.
      isMet: added(1) <= timeoutMs + 10,
    });
    expect(added(0.5)).toBeLessThanOrEqual(timeoutMs + 50);
  },
);

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const tool = { type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } };
const stalling: [string, string][] = [
  ["a text of 1 MB", chat("tell me more ".repeat(80_000))],
  ["a text on which patterns with backtracking never end", chat(`${"ignore ".repeat(10_000)}!`)],
  ["arrays nested 10,000 deep", `{"model":"gpt-test","messages":[],"x":${nested(10_000)}}`],
  ["10,000 tools", chat("hello", { tools: Array.from({ length: 10_000 }, () => tool) })],
];

test.for(stalling)(
  "%s under the shipped policies keeps others waiting for 50 ms at most",
  { timeout: 60_000 },
  async ([name, body], context) => {
    const upstream = await startUpstream();
    const shipped = ["secrets", "personal-data", "prompt-injection", "hidden-text", "system-prompt-leak"];
    const candor = await serveReal(upstream.baseUrl, { policies: shipped.map((file) => `policies/${file}.yaml`) });
    const ask = async (): Promise<number> => {
      const answer = await post(candor.baseUrl, body);
      await answer.text();
      return answer.status;
    };
    // Code is compiled on first use, and that is no fault of the input.
    for (let index = 0; index < 3; index += 1) await ask();
    await candor.memory();
    const statuses = new Set<number>();
    let over = false;
    const others: number[] = [];
    const beside = (async () => {
      while (!over) {
        const from = performance.now();
        await (await post(candor.baseUrl, chat("hello"))).text();
        others.push(performance.now() - from);
        await sleep(5);
      }
    })();
    const times = sized(3, 50);
    for (let index = 0; index < times; index += 1) statuses.add(await ask());
    over = true;
    await beside;
    const { late } = await candor.memory();
    report(context, {
      row: 19,
      fault: `${name}, ${times} times, under five shipped policies`,
      target: "refused, or read in time that grows with its size; p99.9 of the event loop's delay at most 50 ms",
      seen: `${[...statuses].join(", ")}; event loop late by ${ms(late.p999)} (p99.9), ${ms(late.longest)} at most; a request beside it took ${ms(Math.max(...others))} at most`,
      isMet: late.p999 <= 50,
    });
    expect([...statuses].every((status) => status === 200 || status === 400)).toBe(true);
    // No input stops the loop for long, whatever else the machine does; the page says how long it was.
    expect(late.longest).toBeLessThanOrEqual(2_000);
  },
);

const freePort = async (): Promise<number> => {
  const server = createPlainServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

const opens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

/** haproxy in front of the port, with its connections to it shared by all clients; null where there is none. */
const startHaproxy = async (to: number): Promise<number | null> => {
  const port = await freePort();
  const file = join(newFolder(), "haproxy.cfg");
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  http-reuse always
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server candor 127.0.0.1:${to}
`,
  );
  const [program = "", ...args] = `haproxy -db -f ${file}`.split(" ");
  const child = spawn(program, args, { stdio: "ignore" });
  let isGone = false;
  child.once("error", () => {
    isGone = true;
  });
  child.once("exit", () => {
    isGone = true;
  });
  onTestFinished(() => void child.kill());
  while (!isGone && !(await opens(port))) await sleep(20);
  return isGone ? null : port;
};

/** What comes back until the connection closes, or for as long as an answer may take. */
const hear = async (port: number, bytes: string): Promise<string> => {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.write(bytes);
  await Promise.race([once(socket, "close"), sleep(300)]);
  socket.destroy();
  return text;
};

const smuggled = `GET /v1/models?smuggled=1 HTTP/1.1\r\nhost: a\r\n\r\n`;
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const body = chat("outer");
const framings: [string, string[], string][] = [
  ["a length and chunks", [`content-length: ${body.length}`, "transfer-encoding: chunked"], `0\r\n\r\n${smuggled}`],
  ["chunks and a length", ["transfer-encoding: chunked", "content-length: 4"], `${chunk(body)}${smuggled}`],
  ["two lengths", [`content-length: ${body.length}`, "content-length: 4"], body + smuggled],
  ["a list of lengths", [`content-length: ${body.length}, 4`], body + smuggled],
  ["a signed length", [`content-length: +${body.length}`], body + smuggled],
  ["a length with an exponent", ["content-length: 1e2"], body + smuggled],
  ["a length in hexadecimal digits", [`content-length: 0x${body.length.toString(16)}`], body + smuggled],
  ["an unknown coding", ["transfer-encoding: xchunked"], `${chunk(body)}${smuggled}`],
  ["chunks, then identity", ["transfer-encoding: chunked, identity"], `${chunk(body)}${smuggled}`],
  ["chunks twice", ["transfer-encoding: chunked", "transfer-encoding: chunked"], `${chunk(body)}${smuggled}`],
  ["a vertical tab before chunked", ["transfer-encoding: \u000bchunked"], `${chunk(body)}${smuggled}`],
  ["a space before the colon", ["transfer-encoding : chunked"], `${chunk(body)}${smuggled}`],
  ["a folded header", ["transfer-encoding:\r\n chunked"], `${chunk(body)}${smuggled}`],
  ["a bare line feed in a header", ["x: a\ntransfer-encoding: chunked"], `${chunk(body)}${smuggled}`],
  ["a chunk whose size overflows", ["transfer-encoding: chunked"], `10000000000000000\r\n${smuggled}`],
  ["a chunk size with a sign", ["transfer-encoding: chunked"], `-1\r\n${smuggled}`],
  [
    "a chunk that ends in a bare line feed",
    ["transfer-encoding: chunked"],
    `${chunk(body).replaceAll("\r\n", "\n")}${smuggled}`,
  ],
  [
    "an extension behind a chunk's size",
    ["transfer-encoding: chunked"],
    `${body.length.toString(16)};\n${smuggled}\r\n${body}\r\n0\r\n\r\n`,
  ],
];

test.for(["directly", "through haproxy"] as const)(
  "framing that two readers would read differently gets nothing smuggled in, %s",
  { timeout: 60_000 },
  async (way, context) => {
    const relay = await runRelay();
    const port = way === "directly" ? relay.port : await startHaproxy(relay.port);
    if (port === null) return context.skip("haproxy can't be run");
    relay.upstream.answer(({ body: asked }, wire) => wire.json(200, { echo: asked.toString() }));
    let desynchronised = 0;
    const statuses = new Map<string, number>();
    for (const [index, [, headers, sent]] of framings.entries()) {
      const before = relay.upstream.seen.length;
      const head = ["POST /v1/chat/completions HTTP/1.1", "host: a", "content-type: application/json", ...headers];
      const text = await hear(port, `${head.join("\r\n")}\r\n\r\n${sent}`);
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? "silence";
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const next = await (await post(`http://127.0.0.1:${port}/v1`, chat(`after ${index}`))).text();
      const forwarded = relay.upstream.seen.slice(before);
      // haproxy may take what follows for a second request, openly: then it is answered as one.
      const answered = text.split("HTTP/1.1 200 ").length - 1;
      const isHidden = forwarded.length !== answered + 1;
      if (isHidden || !next.includes(`after ${index}`)) desynchronised += 1;
    }
    report(context, {
      row: 20,
      fault: `${framings.length} framings that two readers would read differently, each with a second request hidden in it, ${way}`,
      target: "0 hidden requests reach the upstream, 0 requests get another's answer",
      seen: `${desynchronised} out of step; ${[...statuses].map(([status, count]) => `${count} x ${status}`).join(", ")}`,
      isMet: desynchronised === 0,
    });
    expect(desynchronised).toBe(0);
  },
);

test("names that clients make up make no new series", { timeout: 240_000 }, async (context) => {
  const upstream = await startUpstream();
  upstream.answer((_seen, wire) => wire.json(200, { ok: true }));
  const live = { tenantHeader: "x-tenant", sampleRate: 1 };
  const candor = await serveReal(upstream.baseUrl, {
    subjects: [{ id: "support-bot", models: ["gpt-test"], live, probes: { enabled: false } }],
  });
  const seriesOf = (metrics: string): number => metrics.split("\n").filter((line) => !line.startsWith("#")).length;
  let next = 0;
  const send = async (count: number): Promise<void> => {
    const end = next + count;
    const worker = async (): Promise<void> => {
      while (next < end) {
        next += 1;
        const name = `made-up-${next}`;
        const model = next % 2 === 0 ? name : "gpt-test";
        const answer = await post(candor.baseUrl, JSON.stringify({ model, messages: [] }), { "x-tenant": name });
        await answer.text();
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  };
  // Series that are there from the first request of each kind on.
  await send(20);
  const before = await candor.metrics();
  const count = sized(600, 100_000);
  await send(count);
  const after = await candor.metrics();
  report(context, {
    row: 21,
    fault: `${count} requests, each with a model or a tenant that nobody knows`,
    target: "the number of series stays as it is",
    seen: `${seriesOf(before)} series before, ${seriesOf(after)} after; ${metricIn(after, "candor_requests_total")} requests counted`,
    isMet: seriesOf(after) === seriesOf(before),
  });
  expect(seriesOf(after)).toBe(seriesOf(before));
  expect(after).not.toContain("made-up");
  expect(metricIn(after, "candor_requests_total")).toBe(next);
});
