/** Candor as a library, between real clients and a real upstream; beside it the proxy with the same configuration. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { verifyFile } from "../../src/evidence/verify.ts";
import { createLog } from "../../src/kernel/log.ts";
import { type EmbeddedCandor, openCandor } from "../../src/library.ts";
import { type Candor, start } from "../../src/main.ts";
import { type MockUpstream, type Script, startMockUpstream } from "../relay/mock-upstream.ts";

const silent = createLog("silent");

const policies = `policies:
  - { id: no-bluebird, description: asks for it, stage: request, match: { terms: [bluebird] }, action: block }
  - { id: no-raven, description: speaks of it, stage: response, match: { terms: [raven] }, action: block }
  - { id: no-heron, description: speaks of it, stage: response, match: { terms: [heron] }, action: redact, replacement: '[bird]' }
  - { id: no-stork, description: speaks of it, stage: response, match: { terms: [stork] }, action: refuse }
`;

let folder: string;
let upstream: MockUpstream;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "candor-library-"));
  upstream = await startMockUpstream();
  upstream.answer(saying("Hello there."));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

const configuration = (changes: Record<string, unknown> = {}) => {
  writeFileSync(join(folder, "policies.yaml"), policies);
  return {
    listen: { data: { port: 0 }, control: { port: 0 } },
    upstreams: [{ id: "main", baseUrl: upstream.baseUrl }],
    subjects: [{ id: "support", models: ["m"], live: { sampleRate: 1 }, probes: { enabled: false } }],
    policies: [join(folder, "policies.yaml")],
    evidence: { path: join(folder, "library.db") },
    drain: { minSeconds: 0, timeoutSeconds: 1 },
    ...changes,
  };
};

const openLibrary = async (
  changes: Record<string, unknown> = {},
  options: Omit<Parameters<typeof openCandor>[0], "config"> = {},
): Promise<EmbeddedCandor> => {
  const candor = await openCandor({ config: configuration(changes), log: silent, ...options });
  closing.push(candor.close);
  return candor;
};

const serveProxy = async (): Promise<Candor> => {
  const config = configFrom(configuration({ evidence: { path: join(folder, "proxy.db") } }), "test");
  const candor = await start(config, { env: {}, log: silent });
  closing.push(candor.stop);
  return candor;
};

const chunk = (content: string, finish: string | null = null) => ({
  ...{ id: "c", object: "chat.completion.chunk", created: 1, model: "m" },
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});

/** Whole, or as a stream word by word, as it is asked. */
const saying =
  (text: string): Script =>
  (seen, wire) => {
    const { stream = false, n = 1 } = JSON.parse(seen.body.toString());
    if (!stream) {
      const choices = Array.from({ length: n }, (_, index) => ({
        ...{ index, message: { role: "assistant", content: text }, finish_reason: "stop" },
      }));
      wire.json(200, { id: "c", object: "chat.completion", created: 1, model: "m", choices });
      return;
    }
    wire.stream();
    for (const word of text.split(/(?<= )/)) wire.event(chunk(word));
    wire.event(chunk("", "stop"));
    wire.event("[DONE]");
    wire.response.end();
  };

const ask = (content: string, more: object = {}) => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Bearer caller" },
  body: JSON.stringify({ model: "m", messages: [{ role: "user", content }], ...more }),
});

/** What a client can tell of an answer, but for ids and times, which are new every time. */
const told = async (response: Response) => {
  const headers = [...response.headers]
    .filter(
      ([name]) =>
        !/^(date|connection|keep-alive|x-candor-(decision-id|overhead-ms|exchange-id)|x-request-id)$/.test(name),
    )
    .sort();
  const body = (await response.text()).replaceAll(/[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}/g, "ID");
  return { status: response.status, headers, body };
};

describe("a client with Candor's fetch", () => {
  test.each<[string, string, string, object]>([
    ["an answer", "hi", "Hello there.", {}],
    ["two choices", "hi", "Hello there.", { n: 2 }],
    ["a stream", "hi", "Hello there, how are you today?", { stream: true }],
    ["a request that is blocked", "tell me of bluebird", "Hello.", {}],
    ["an answer that is blocked", "hi", "It is a raven.", {}],
    ["an answer that is redacted", "hi", "It is a heron.", {}],
    ["an answer that is refused", "hi", "It is a stork.", {}],
    ["a stream that is blocked midway", "hi", `${"Some words that come before. ".repeat(9)}A raven.`, { stream: true }],
    ["a stream that is redacted", "hi", "It is a heron, and a heron it stays.", { stream: true }],
    ["a model that nobody knows", "hi", "Hello.", { model: "another" }],
  ])("gets what the proxy would give: %s", async (_, question, answer, more) => {
    upstream.answer(saying(answer));
    const [library, proxy] = [await openLibrary(), await serveProxy()];
    const through = await told(await library.fetch(`${upstream.baseUrl}/chat/completions`, ask(question, more)));
    const proxied = await told(await fetch(`${proxy.dataUrl}/v1/chat/completions`, ask(question, more)));
    expect(through).toEqual(proxied);
    const [first, second] = upstream.seen;
    if (second !== undefined) {
      expect(second.body).toEqual(first?.body);
      expect(second.headers.authorization).toBe(first?.headers.authorization);
    }
  });

  test("is an unmodified client of the openai package", async () => {
    const candor = await openLibrary();
    const client = new OpenAI({ baseURL: upstream.baseUrl, apiKey: "sk-test", fetch: candor.fetch, maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "hi" }];
    const whole = await client.chat.completions.create({ model: "m", messages });
    expect(whole.choices[0]?.message.content).toBe("Hello there.");
    upstream.answer(saying("It is a heron, and stays one."));
    let streamed = "";
    for await (const { choices } of await client.chat.completions.create({ model: "m", messages, stream: true })) {
      streamed += choices[0]?.delta.content ?? "";
    }
    expect(streamed).toBe("It is a [bird], and stays one.");
    const blocked = client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "bluebird" }] });
    await expect(blocked).rejects.toMatchObject({ status: 400, code: "content_filter" });
  });

  test("gets the upstream's own errors", async () => {
    upstream.answer((_seen, wire) => wire.json(429, { error: { message: "slow down" } }, { "retry-after": "3" }));
    const candor = await openLibrary();
    const response = await candor.fetch(`${upstream.baseUrl}/chat/completions`, ask("hi"));
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("3");
  });

  test("that leaves a stream ends it at the upstream", async () => {
    upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event(chunk(`${"words without end ".repeat(40)}`));
    });
    const candor = await openLibrary({ policies: [] });
    const leaving = new AbortController();
    const request = { ...ask("hi", { stream: true }), signal: leaving.signal };
    const response = await candor.fetch(`${upstream.baseUrl}/chat/completions`, request);
    await response.body?.getReader().read();
    leaving.abort();
    await expect.poll(() => upstream.aborted()).toBe(1);
  });

  test("can't go past the policies to somewhere else", async () => {
    const candor = await openLibrary();
    await expect(candor.fetch("https://example.com/v1/chat/completions", ask("hi"))).rejects.toThrow(
      /https:\/\/example\.com is no configured upstream/,
    );
    await expect(candor.fetch(`${upstream.baseUrl}evil/chat/completions`, ask("hi"))).rejects.toThrow(
      /is no configured upstream/,
    );
  });

  test("reaches another upstream by the route of its subject, and is told where there is none", async () => {
    const second = await startMockUpstream();
    closing.push(second.close);
    second.answer(saying("I am the second."));
    const upstreams = [
      { id: "main", baseUrl: upstream.baseUrl },
      { id: "other", baseUrl: second.baseUrl },
    ];
    const subject = { id: "search", models: ["s"], upstream: "other", probes: { enabled: false } };
    const url = `${second.baseUrl}/chat/completions`;
    const routed = await openLibrary({ upstreams, subjects: [{ ...subject, route: "/search" }] });
    const response = await routed.fetch(url, ask("hi", { model: "s" }));
    expect(await response.text()).toContain("I am the second.");
    const evidence = { path: join(folder, "unrouted.db") };
    const unrouted = await openLibrary({ upstreams, subjects: [subject], evidence });
    await expect(unrouted.fetch(url, ask("hi", { model: "s" }))).rejects.toThrow("give a subject of it a route");
  });
});

describe("a changed configuration", () => {
  const answerOf = async (candor: EmbeddedCandor, baseUrl: string): Promise<string> =>
    (await candor.fetch(`${baseUrl}/chat/completions`, ask("hi"))).text();

  test("is in force whole or not at all, also for the URLs that its fetch knows", async () => {
    const candor = await openLibrary();
    const second = await startMockUpstream();
    closing.push(second.close);
    second.answer(saying("I am the second."));
    await expect(answerOf(candor, second.baseUrl)).rejects.toThrow("no configured upstream");
    const changes = { upstreams: [{ id: "main", baseUrl: second.baseUrl }] };
    const missing = join(folder, "no-such-policy.yaml");
    await expect(candor.reload(configuration({ ...changes, policies: [missing] }))).rejects.toThrow(missing);
    expect(await answerOf(candor, upstream.baseUrl)).toContain("Hello there.");
    await candor.reload(configuration(changes));
    expect(await answerOf(candor, second.baseUrl)).toContain("I am the second.");
    await expect(answerOf(candor, upstream.baseUrl)).rejects.toThrow("no configured upstream");
  });

  test("in a file that it was opened with is followed", async () => {
    const file = join(folder, "candor.yaml");
    writeFileSync(file, JSON.stringify(configuration()));
    const candor = await openCandor({ config: file, log: silent });
    closing.push(candor.close);
    expect(await answerOf(candor, upstream.baseUrl)).toContain("Hello there.");
    const second = await startMockUpstream();
    closing.push(second.close);
    second.answer(saying("I am the second."));
    writeFileSync(file, JSON.stringify(configuration({ upstreams: [{ id: "main", baseUrl: second.baseUrl }] })));
    await expect
      .poll(() => answerOf(candor, second.baseUrl).catch(() => ""), { timeout: 10_000 })
      .toContain("I am the second.");
  });
});

describe("what it saw", () => {
  test("is evidence, as the proxy's is", async () => {
    const candor = await openLibrary();
    for (let asked = 0; asked < 5; asked += 1) {
      await (await candor.fetch(`${upstream.baseUrl}/chat/completions`, ask(`question ${asked}`))).text();
    }
    upstream.answer(saying("It is a raven."));
    await (await candor.fetch(`${upstream.baseUrl}/chat/completions`, ask("and now?"))).text();
    expect(await candor.metrics()).toMatch(/candor_requests_total\{[^}]*subject="support"[^}]*\} [1-9]/);
    await expect
      .poll(async () => /candor_live_answers_observed_total\{[^}]*\} [1-9]/.test(await candor.metrics()))
      .toBe(true);
    expect(candor.verdict("support").persona).toBe("undetermined");
    await candor.close();
    const verified = verifyFile(join(folder, "library.db"));
    expect(verified.kind).toBe("intact");
    expect(verified).toMatchObject({ rows: expect.any(Number) });
  });

  test("can be looked at on the control port, if that is wanted", async () => {
    const candor = await openLibrary({}, { controlPort: true });
    expect((await fetch(`${candor.controlUrl}/readyz`)).status).toBe(200);
    const closed = await openLibrary({ evidence: { path: join(folder, "other.db") } });
    expect(closed.controlUrl).toBe("");
  });
});

const serve = async (app: express.Express): Promise<string> => {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe("an Express app", () => {
  test("relays by the middleware what the proxy's port would", async () => {
    const candor = await openLibrary();
    const app = express();
    app.use("/llm/v1", candor.middleware);
    const url = `${await serve(app)}/llm/v1/chat/completions`;
    expect(await (await fetch(url, ask("hi"))).text()).toContain("Hello there.");
    expect((await fetch(url, ask("bluebird"))).status).toBe(400);
    upstream.answer(saying("It is a heron."));
    const streamed = await (await fetch(url, ask("hi", { stream: true }))).text();
    expect(streamed).toContain("[bird]");
    expect(streamed).not.toContain("heron");
  });

  test("that reads bodies before it is told what to change", async () => {
    const candor = await openLibrary();
    const app = express();
    app.use(express.json());
    app.use("/v1", candor.middleware);
    const response = await fetch(`${await serve(app)}/v1/chat/completions`, ask("hi"));
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("mount Candor before anything that reads bodies");
  });

  test("that answers by itself is an upstream within the process", async () => {
    const model = express.Router();
    model.post("/v1/chat/completions", express.json(), (request, response) => {
      const asked = String(request.body.messages[0].content);
      const message = { role: "assistant", content: `You said ${asked}.` };
      response.json({
        id: "c",
        object: "chat.completion",
        model: "m",
        choices: [{ index: 0, message, finish_reason: "stop" }],
      });
    });
    const candor = await openLibrary(
      { upstreams: [{ id: "own", baseUrl: "http://own.invalid/v1" }] },
      { answeredBy: { own: express().use(model) } },
    );
    const app = express();
    app.use("/v1", candor.middleware);
    const url = `${await serve(app)}/v1/chat/completions`;
    expect(await (await fetch(url, ask("good morning"))).text()).toContain("You said good morning.");
    const blocked = await fetch(url, ask("a raven"));
    expect(blocked.status).toBe(400);
    expect(await blocked.text()).not.toContain("You said");
  });
});
