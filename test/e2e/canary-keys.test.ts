/**
 * Every kind of key that Candor is given, each unlike anything else, sent through a real process with all of its exits
 * open, servers that repeat keys in their errors, and a crash in the middle; then looked for in all that came out.
 */
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCandor, type Serving, serveCandor } from "./running-candor.ts";

const keys = {
  caller: "sk-canary-caller-5f3d91c2a7",
  upstream: "sk-canary-upstream-84a1b0c9",
  probe: "sk-canary-probe-17d2e6f403",
  judge: "sk-canary-judge-c05a9e7b1d",
  token: "canary-control-token-6b2f8d0e91",
  wrongToken: "canary-wrong-token-3e7c5a1f82",
  pepper: "canary-pepper-9d4b2c6a0e",
  alertmanager: "canary-alertmanager-2a8e4f6c1b",
  alertmanagerPassword: "canary-password-7c1d9b3e5f",
  webhook: `whsec_${Buffer.from("canary-webhook-secret-0a1b2c3d4e").toString("base64")}`,
  telemetry: "canary-telemetry-f8e6d4c2b0",
};
type KeyName = keyof typeof keys;

/** A key as it is, and as it would look in an encoding; at any offset within what was encoded together. */
const formsOf = (key: string): string[] => {
  const inner = [0, 1, 2].map((offset) =>
    Buffer.from(" ".repeat(offset) + key)
      .toString("base64")
      .replaceAll("=", "")
      .slice(offset === 0 ? 0 : 4, -2),
  );
  return [key, encodeURIComponent(key), Buffer.from(key).toString("hex"), ...inner];
};
const keysIn = (text: string | Buffer): KeyName[] =>
  (Object.keys(keys) as KeyName[]).filter((name) => formsOf(keys[name]).some((form) => text.includes(form)));

const folder = mkdtempSync(join(tmpdir(), "candor-canary-keys-"));
const ends: (() => unknown)[] = [];

/** A server that keeps what it was sent, credentials and all. */
const startServer = async (answer: (request: IncomingMessage, body: string, response: ServerResponse) => void) => {
  const heads: string[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await new Response(request).text();
    heads.push(request.rawHeaders.join("\n"));
    bodies.push(body);
    answer(request, body, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heads, bodies };
};

/** Says in its error which key it was given, as some do. */
const repeatKey = (request: IncomingMessage, _body: string, response: ServerResponse): void => {
  response.writeHead(401, { "content-type": "application/json", "x-given": request.headers.authorization ?? "" });
  response.end(JSON.stringify({ error: { message: `Incorrect API key provided: ${request.headers.authorization}` } }));
};

const completion = { choices: [{ index: 0, message: { role: "assistant", content: "Leek." }, finish_reason: "stop" }] };
const answerAsModel = (request: IncomingMessage, body: string, response: ServerResponse): void => {
  if (request.headers.authorization?.includes(keys.probe)) repeatKey(request, body, response);
  else if (body.includes("never end")) response.writeHead(200, { "content-type": "text/event-stream" }).write(":\n\n");
  else response.setHeader("content-type", "application/json").end(JSON.stringify(completion));
};

type Server = Awaited<ReturnType<typeof startServer>>;
let servers: Record<"passing" | "keyed" | "judge" | "am" | "amBasic" | "hook" | "otlp", Server>;
let candor: Serving;
const answers: string[] = [];
const logs: string[] = [];

const configFile = join(folder, "candor.yaml");
const evidence = join(folder, "data.db");
const env: Record<string, string> = {
  UPSTREAM_KEY: keys.upstream,
  PROBE_KEY: keys.probe,
  JUDGE_KEY: keys.judge,
  CONTROL_TOKEN: keys.token,
  PEPPER: keys.pepper,
  AM_KEY: keys.alertmanager,
  AM_PASSWORD: keys.alertmanagerPassword,
  HOOK_SECRET: keys.webhook,
  OTLP_KEY: `Bearer ${keys.telemetry}`,
};

const start = async (): Promise<void> => {
  // Node's own way of being told to fall over: an error that nobody catches.
  const bomb = join(folder, "bomb.mjs");
  writeFileSync(bomb, 'process.on("SIGUSR2", () => { setImmediate(() => { throw new Error("a bug"); }); });');
  candor = await serveCandor(["--config", configFile], { ...env, NODE_OPTIONS: `--import ${bomb}` });
};

const ask = async (path: string, init: RequestInit = {}, base = candor.dataUrl): Promise<number> => {
  const headers = { authorization: `Bearer ${keys.caller}`, "x-api-key": keys.caller, ...init.headers };
  const response = await fetch(base + path, { ...init, headers });
  answers.push(JSON.stringify([...response.headers]), await response.text());
  return response.status;
};
const chat = (model: string, content = "Name a vegetable.", more: object = {}): Promise<number> =>
  ask("/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify({ model, messages: [{ role: "user", content }], ...more }),
  });
const operate = (path: string, token: string, body: object): Promise<number> =>
  ask(
    path,
    {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    },
    candor.controlUrl,
  );

const statuses: number[] = [];
let atTheCrash: Map<string, Buffer>;
const filesNow = (): Map<string, Buffer> =>
  new Map(
    readdirSync(folder)
      .filter((name) => name.startsWith("data.db"))
      .map((name) => [name, readFileSync(join(folder, name))]),
  );

beforeAll(async () => {
  servers = {
    passing: await startServer(answerAsModel),
    keyed: await startServer(answerAsModel),
    judge: await startServer(repeatKey),
    am: await startServer(repeatKey),
    amBasic: await startServer((_request, _body, response) => void response.end()),
    hook: await startServer((_request, _body, response) => void response.end()),
    otlp: await startServer((_request, _body, response) => void response.end()),
  };
  const policy = {
    id: "asks-the-judge",
    description: "asks a judge that can't answer",
    stage: "response",
    where: { subjects: ["keyed"] },
    match: { judge: { question: "Would following this answer put somebody in danger?" } },
    action: "block",
  };
  writeFileSync(join(folder, "policies.yaml"), JSON.stringify({ policies: [policy] }));
  const often = {
    perHour: 60_000,
    calibrationPerHour: 60_000,
    onlyWithTraffic: false,
    key: { env: "PROBE_KEY" },
    arms: { fresh: 1, forked: 0, resample: 0, placebo: 0 },
  };
  const config = {
    listen: { data: { port: 0 }, control: { port: 0 } },
    upstreams: [
      { id: "passing", baseUrl: `${servers.passing.url}/v1` },
      { id: "keyed", baseUrl: `${servers.keyed.url}/v1`, key: { env: "UPSTREAM_KEY" } },
      { id: "dead", baseUrl: "http://127.0.0.1:9/v1", key: { env: "UPSTREAM_KEY" } },
    ],
    subjects: [
      { id: "passing", models: ["p"], upstream: "passing", live: { sampleRate: 1 }, probes: { enabled: false } },
      { id: "keyed", models: ["k"], upstream: "keyed", live: { sampleRate: 1 }, probes: often },
      { id: "dead", models: ["d"], upstream: "dead", probes: { enabled: false } },
    ],
    policies: [join(folder, "policies.yaml")],
    limits: { bodyBytes: 64 * 1024 },
    classify: {
      use: "judge",
      judge: { baseUrl: `${servers.judge.url}/v1`, model: "j", key: { env: "JUDGE_KEY" } },
    },
    evidence: { path: evidence, content: "full" },
    control: { token: { env: "CONTROL_TOKEN" }, pepper: { env: "PEPPER" } },
    alerting: {
      alertmanagers: [
        { id: "am", url: servers.am.url, key: { env: "AM_KEY" } },
        { id: "am-basic", url: servers.amBasic.url, username: "candor", key: { env: "AM_PASSWORD" } },
      ],
      webhooks: [{ id: "hook", url: servers.hook.url, secret: { env: "HOOK_SECRET" } }],
      resendSeconds: 1,
    },
    telemetry: {
      genAiMetrics: true,
      otlp: {
        endpoint: servers.otlp.url,
        encoding: "json",
        sampleShare: 1,
        metricsSeconds: 1,
        headers: { authorization: { env: "OTLP_KEY" } },
      },
    },
    drain: { minSeconds: 0, timeoutSeconds: 1 },
    log: { level: "debug" },
  };
  writeFileSync(configFile, JSON.stringify(config));
  await start();

  statuses.push(await chat("p"), await chat("p", "Another?", { stream: true }), await chat("k"), await chat("d"));
  statuses.push(await chat("nobody-knows-this-model"));
  statuses.push(await ask("/v1/chat/completions", { method: "POST", body: "{" }));
  statuses.push(await ask("/v1/chat/completions", { method: "POST", body: "x".repeat(70_000) }));
  statuses.push(await ask(`/v1/unknown/${keys.caller}`), await ask(`/v1//${keys.caller}`));
  statuses.push(await operate("/api/subjects/keyed/acknowledge", keys.wrongToken, { note: "n" }));
  statuses.push(await operate("/api/subjects/keyed/acknowledge", keys.token, { note: "n" }));
  statuses.push(await operate("/api/subjects/keyed/epoch", keys.token, { reason: "r" }));
  const due = () =>
    servers.hook.bodies.length > 0 &&
    servers.am.bodies.length > 0 &&
    servers.amBasic.bodies.length > 0 &&
    servers.otlp.bodies.some((body) => body.includes("resourceMetrics")) &&
    servers.otlp.bodies.some((body) => body.includes("resourceSpans")) &&
    servers.keyed.heads.some((head) => head.includes(keys.probe));
  for (const end = performance.now() + 30_000; !due() && performance.now() < end; ) await sleep(50);
  for (const path of [
    "/metrics",
    "/livez",
    "/readyz",
    "/api/version",
    "/api/subjects",
    "/api/subjects/keyed",
    "/api/subjects/keyed/trace",
    "/api/verdicts",
    "/api/observations",
    "/api/decisions",
    "/api/policies",
    `/api/${keys.caller}`,
  ])
    await ask(path, {}, candor.controlUrl);

  // It falls over while an answer is under way.
  const hanging = ask("/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify({ model: "p", stream: true, messages: [{ role: "user", content: "never end" }] }),
  }).catch(() => 0);
  for (const end = performance.now() + 10_000; performance.now() < end; await sleep(20))
    if (servers.passing.bodies.some((body) => body.includes("never end"))) break;
  const code = await candor.end("SIGUSR2");
  await hanging;
  logs.push(candor.logged());
  atTheCrash = filesNow();
  expect(code).not.toBe(0);

  await start();
  statuses.push(await chat("p"));
  expect(await candor.end()).toBe(0);
  logs.push(candor.logged());
}, 120_000);
afterAll(async () => {
  for (const end of ends) end();
  rmSync(folder, { recursive: true, force: true });
});

describe("the way of the keys", () => {
  test("was walked to its end: answers, refusals, failures, alerts, exports, a crash and a restart", () => {
    expect(statuses).toEqual([200, 200, 503, 502, 200, 400, 413, 404, 400, 401, 409, 201, 200]);
    expect(logs[0]).toContain("Error: a bug");
    expect([...atTheCrash.keys()]).toEqual(expect.arrayContaining(["data.db", "data.db-shm", "data.db-wal"]));
    expect(atTheCrash.get("data.db-wal")?.length).toBeGreaterThan(0);
    expect(servers.hook.bodies.join()).toContain("CandorGuardErrors");
    expect(servers.am.bodies.join()).toContain("CandorGuardErrors");
    expect(runCandor(["verify", evidence]).stdout).toContain("intact");
  });

  test("leads each key to its own server, and to no other", () => {
    const went = Object.fromEntries(
      Object.entries(servers).map(([name, { heads }]) => [name, keysIn(heads.join("\n"))]),
    );
    expect(went).toEqual({
      passing: ["caller"],
      keyed: ["upstream", "probe"],
      judge: ["judge"],
      am: ["alertmanager"],
      amBasic: ["alertmanagerPassword"],
      // Signed with, never sent.
      hook: [],
      otlp: ["telemetry"],
    });
  });
});

describe("no key is in", () => {
  test.each<[string, () => string | Buffer]>([
    ["the log, whatever is logged, nor in what is said at a crash", () => logs.join("\n")],
    ["answers of either port, errors among them, nor in metrics", () => answers.join("\n")],
    ["the database, its write-ahead log and its index at the crash", () => Buffer.concat([...atTheCrash.values()])],
    ["the database after it", () => Buffer.concat([...filesNow().values()])],
    ["webhooks", () => [...servers.hook.bodies, ...servers.hook.heads].join("\n")],
    ["what Alertmanagers are told", () => [...servers.am.bodies, ...servers.amBasic.bodies].join("\n")],
    ["traces and metrics that are exported", () => servers.otlp.bodies.join("\n")],
    ["what models and judges are asked", () => [...servers.keyed.bodies, ...servers.judge.bodies].join("\n")],
  ])("%s", (_place, read) => {
    const text = read();
    expect(text.length).toBeGreaterThan(100);
    expect(keysIn(text)).toEqual([]);
  });

  test("and nothing that was said is told to anybody, or logged", () => {
    const { hook, am, amBasic, otlp } = servers;
    const told = [...logs, ...[hook, am, amBasic, otlp].flatMap(({ bodies }) => bodies)].join("\n");
    expect(servers.keyed.bodies.join()).toContain("Name a vegetable.");
    expect(told.match(/vegetable|Leek|Another\?|never end/g)).toBeNull();
  });

  test.each(Object.entries(keys))("a place where the search would miss it: %s", (name, key) => {
    const encoded = Buffer.from(`candor:${key}`).toString("base64");
    for (const text of [`x${key}y`, encoded, Buffer.from(key).toString("hex")]) expect(keysIn(text)).toContain(name);
  });
});
