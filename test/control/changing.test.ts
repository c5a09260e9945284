import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { changeResult, errorView } from "../../src/control/api-schema.ts";
import { pepper, type Running, run, token } from "./running-control.ts";
import { sampleVerdict } from "./sample-verdict.ts";

let running: Running;
beforeEach(async () => {
  running = await run();
  running.world.verdict = sampleVerdict({ severity: "page", persona: "inverted" });
});
afterEach(() => running.control.close());

const authorization = { authorization: `Bearer ${token}`, "content-type": "application/json" };
const post = (path: string, body: unknown, headers: Record<string, string> = authorization) =>
  running.call(path, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });

/** base32 of the first 60 bits, by way of a number: another route to the same 12 characters. */
const expectedActor = (): string => {
  const bits = createHmac("sha256", pepper).update(token).digest().readBigUInt64BE() >> 4n;
  return Array.from(
    { length: 12 },
    (_, at) => "abcdefghijklmnopqrstuvwxyz234567"[Number((bits >> BigInt(55 - 5 * at)) & 31n)],
  ).join("");
};

describe("a change by the holder of the token", () => {
  test.each([
    ["acknowledge", { note: " rolled back " }, { actor: expectedActor(), text: "rolled back" }],
    ["epoch", { reason: " new model " }, { actor: "", text: `new model (by key ${expectedActor()})` }],
  ])("%s is entered with the id of the key", async (kind, body, entered) => {
    const { status, json } = await post(`/api/subjects/support/${kind}`, body);
    expect(status).toBe(201);
    const actor = expectedActor();
    expect(changeResult.parse(json)).toEqual({ subject: "support", position: 77, at: 1_790_000_000_000, actor });
    expect(running.world.changes).toEqual([{ kind, subject: "support", ...entered }]);
  });

  test("probes are paused and resumed, and not twice", async () => {
    const probes = (paused: boolean) => post("/api/subjects/support/probes", { paused, note: "load test" });
    expect((await probes(false)).status).toBe(409);
    expect((await probes(true)).status).toBe(201);
    const twice = await probes(true);
    expect({ status: twice.status, code: errorView.parse(twice.json).error.code }).toEqual({
      status: 409,
      code: "nothing_to_change",
    });
    expect((await probes(false)).status).toBe(201);
    expect(running.world.changes.map(({ kind, text }) => [kind, text])).toEqual([
      ["pause", "load test"],
      ["resume", "load test"],
    ]);
  });

  test("probes that are switched off can't be paused", async () => {
    const { status, json } = await post("/api/subjects/search/probes", { paused: true, note: "x" });
    expect({ status, message: errorView.parse(json).error.message }).toEqual({
      status: 409,
      message: "the probes of subject search are switched off in the configuration",
    });
  });

  test("acknowledging without an alarm is refused, as it would only throw evidence away", async () => {
    running.world.verdict = sampleVerdict({ severity: "none" });
    const { status, json } = await post("/api/subjects/support/acknowledge", { note: "all good" });
    expect({ status, code: errorView.parse(json).error.code }).toEqual({ status: 409, code: "nothing_to_acknowledge" });
    expect(running.world.changes).toEqual([]);
  });
});

describe("a change is refused", () => {
  const path = "/api/subjects/support/epoch";
  const body = { reason: "new model" };
  test.each([
    ["without a token", path, body, { "content-type": "application/json" }, 401, "missing_token"],
    ["with another token", path, body, { ...authorization, authorization: `Bearer ${token}x` }, 401, "wrong_token"],
    ["with an empty token", path, body, { ...authorization, authorization: "Bearer " }, 401, "missing_token"],
    ["with another scheme", path, body, { ...authorization, authorization: `Basic ${token}` }, 401, "missing_token"],
    [
      "as a form",
      path,
      "reason=x",
      { ...authorization, "content-type": "application/x-www-form-urlencoded" },
      415,
      "unsupported_media_type",
    ],
    ["with broken JSON", path, "{", authorization, 400, "invalid_json"],
    ["with a body over 4 KiB", path, { reason: "x".repeat(5000) }, authorization, 413, "body_too_large"],
    ["without a reason", path, {}, authorization, 400, "invalid_value"],
    ["with a blank reason", path, { reason: "  " }, authorization, 400, "invalid_value"],
    ["with a reason of 1001 characters", path, { reason: "x".repeat(1001) }, authorization, 400, "invalid_value"],
    ["with a field of its own", path, { reason: "x", actor: "root" }, authorization, 400, "invalid_value"],
    ["with a list for a body", path, [], authorization, 400, "invalid_value"],
    ["for an unknown subject", "/api/subjects/nobody/epoch", body, authorization, 404, "not_found"],
    ["without a body", path, "", authorization, 400, "invalid_value"],
  ])("%s", async (_, target, sent, headers, status, code) => {
    const { json, ...answer } = await post(target, sent, headers);
    expect({ status: answer.status, code: errorView.parse(json).error.code }).toEqual({ status, code });
    expect(running.world.changes).toEqual([]);
  });

  test("with GET, naming the method to use", async () => {
    const { status, headers } = await running.call(path);
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: "POST" });
  });

  test("when no token is configured, with the way to configure one", async () => {
    const closed = await run([], { token: () => null });
    const { status, json } = await closed.call(path, {
      method: "POST",
      headers: authorization,
      body: JSON.stringify(body),
    });
    await closed.control.close();
    expect(status).toBe(403);
    expect(errorView.parse(json).error.message).toContain("control.token");
    expect(closed.world.changes).toEqual([]);
  });

  test("after 20 attempts at once, until time has passed", async () => {
    const attempt = async () => (await post(path, body, { ...authorization, authorization: "Bearer guess" })).status;
    const statuses: number[] = [];
    for (let tried = 0; tried < 21; tried++) statuses.push(await attempt());
    expect(statuses).toEqual([...Array(20).fill(401), 429]);
    running.world.monotonic += 3_000;
    expect(await attempt()).toBe(401);
    expect(await attempt()).toBe(429);
  });
});

test("the token is in no answer and no log line, whatever goes wrong", async () => {
  const failing = await run();
  failing.world.failing = true;
  const answers = [
    await failing.call("/api/subjects/support/epoch", {
      method: "POST",
      headers: authorization,
      body: '{"reason":"new model"}',
    }),
    await post("/api/subjects/support/epoch", { reason: "x" }),
    await post("/api/subjects/support/epoch", "{"),
    await running.call("/nowhere", { headers: authorization }),
  ];
  await failing.control.close();
  expect(answers.map(({ status }) => status)).toEqual([500, 201, 400, 404]);
  for (const { text, headers } of answers) expect(text + JSON.stringify(headers)).not.toContain(token);
  expect(JSON.stringify(failing.world.logged)).toContain("disk on fire");
  expect(JSON.stringify(failing.world.logged)).not.toContain(token);
});
