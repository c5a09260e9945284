import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import {
  type CanaryPlan,
  canaryQuestion,
  canaryVersion,
  createCanaryDeck,
  readCanary,
} from "../../src/probe/canary.ts";
import type { LiveConversation } from "../../src/probe/conversations.ts";
import { firstTokenProbability } from "../../src/probe/first-token.ts";
import { type ImitationOptions, imitatedRequest, mostTokens } from "../../src/probe/imitated-request.ts";
import { loadProbeSet } from "../../src/probe/load-probe-set.ts";
import { requestTemplate } from "../../src/probe/request-template.ts";
import { answered, conversation, stage } from "./scripted-prober.ts";

const set = await loadProbeSet("builtin");
const minute = 60_000;

const settingsOf = (canary: Record<string, unknown> = {}) => {
  const config = configSchema.parse({
    upstreams: [{ id: "one", baseUrl: "http://127.0.0.1:1/v1" }],
    subjects: [{ id: "bot", models: ["m"], probes: { canary: { enabled: true, ...canary } } }],
  });
  const settings = config.subjects[0]?.probes.canary;
  if (settings === undefined) throw new Error("the configuration has a subject");
  return settings;
};

const plan: CanaryPlan = { experiment: "canary", item: "sea", kind: "exact", text: "One word for the sea?" };

const options: ImitationOptions = {
  model: "served-model",
  key: "probe-key",
  passCallerKey: true,
  maxAnswerTokens: 300,
  random: seededRandom(5),
  now: () => 1_790_000_000_000,
};

const liveOf = (body: Record<string, unknown>): LiveConversation => ({
  ...conversation,
  template: requestTemplate({
    path: "/chat/completions",
    search: "",
    rawHeaders: ["User-Agent", "app/1", "Authorization", "Bearer caller-key", "X-Tenant", "acme"],
    body: Buffer.from(JSON.stringify(body)),
  }),
});

const sent = (live: LiveConversation | null, canary: Record<string, unknown> = {}, callersKey = false) =>
  imitatedRequest(canaryQuestion(plan, live, settingsOf(canary), callersKey), options);

describe("a canary question", () => {
  const messages = [{ role: "user", content: "Hello" }];
  it.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    [
      "keeps the app's layout and order, and sets what makes an answer repeat itself",
      { max_tokens: 900, temperature: 0.7, messages, model: "other", stream: true, tools: [{}], top_p: 0.5 },
      {},
      '{"max_tokens":16,"temperature":0,"messages":[{"role":"user","content":"One word for the sea?"}],"model":"served-model","stream":true}',
    ],
    [
      "adds what the app leaves out",
      { model: "m", messages, response_format: { type: "json_object" }, presence_penalty: 1, n: 3 },
      { seed: 7, logprobs: true, maxTokens: 4 },
      '{"model":"served-model","messages":[{"role":"user","content":"One word for the sea?"}],"n":1,"temperature":0,"max_tokens":4,"seed":7,"logprobs":true}',
    ],
    [
      "bounds reasoning models by the name that these take",
      { model: "m", messages, reasoning_effort: "low", seed: 3 },
      { maxTokens: 400 },
      '{"model":"served-model","messages":[{"role":"user","content":"One word for the sea?"}],"reasoning_effort":"low","temperature":0,"max_completion_tokens":400}',
    ],
  ])("%s", (_, body, canary, expected) => {
    expect(sent(liveOf(body), canary).body).toBe(expected);
  });

  it("is asked under the probes' key, without the app's instructions and tenant", () => {
    const { headers, body } = sent(liveOf({ model: "m", messages }));
    expect(headers).toEqual(["User-Agent", "app/1", "Authorization", "Bearer probe-key"]);
    expect(JSON.parse(body).messages).toHaveLength(1);
  });

  it("is asked under the caller's key where the operator said so", () => {
    expect(sent(liveOf({ model: "m", messages }), {}, true).headers).toContain("Bearer caller-key");
  });

  it("is plain where no request of the app is known", () => {
    expect(JSON.parse(sent(null, { seed: 1 }).body)).toEqual({
      model: "served-model",
      messages: [{ role: "user", content: "One word for the sea?" }],
      temperature: 0,
      max_tokens: 16,
      seed: 1,
    });
  });

  it("counts for the budget with its own short bound", () => {
    const question = canaryQuestion(plan, liveOf({ model: "m", messages, max_tokens: 4_000 }), settingsOf(), false);
    expect(mostTokens(question, { maxAnswerTokens: 300, answerBound: "imitate" })).toBeLessThan(80);
  });
});

describe("an answer to a canary question", () => {
  const asked = { arm: "fresh", context: null, probeSet: "set", answer: " Grey.\n", content: " Grey.\n" } as const;

  it("is kept as a hash alone, without blanks around it, whatever may be kept of others", () => {
    const read = readCanary(plan, asked, "v1", 0.75);
    expect(read).toMatchObject({ content: null, value: 0.75, probeSet: "v1", topic: "exact", item: "sea" });
    expect(read.contentHash).toBe(readCanary(plan, { ...asked, answer: "Grey." }, "v1", null).contentHash);
    expect(read.contentHash).not.toBe(readCanary(plan, { ...asked, answer: "grey." }, "v1", null).contentHash);
  });

  const token = (logprob: unknown) => ({ choices: [{ logprobs: { content: [{ token: "G", logprob }] } }] });
  it.each<[string, Parameters<typeof firstTokenProbability>[0], number | null]>([
    ["whole", { kind: "whole", json: token(-Math.LN2) }, 0.5],
    [
      "streamed",
      { kind: "stream", chunks: [{ choices: [{ delta: {} }] }, token(-Math.LN2), token(-1)], ended: true },
      0.5,
    ],
    ["a server's rounding", { kind: "whole", json: token(1e-9) }, 1],
    ["none asked for", { kind: "whole", json: { choices: [{ logprobs: null }] } }, null],
    ["something else", { kind: "whole", json: token("high") }, null],
    ["no answer", { kind: "whole", json: undefined }, null],
  ])("tells its first token's probability: %s", (_, body, probability) => {
    const told = firstTokenProbability(body);
    if (probability === null) expect(told).toBeNull();
    else expect(told).toBeCloseTo(probability, 8);
  });
});

describe("which is asked", () => {
  it("is every one once before any comes again, those of no use left out", () => {
    const deck = createCanaryDeck(set.canary, seededRandom(2));
    const ids = set.canary.map(({ id }) => id);
    expect(new Set(ids.map(() => deck.draw([])?.item))).toEqual(new Set(ids));
    const useful = ["surname", "either-tea"];
    const useless = ids.filter((id) => !useful.includes(id));
    for (let n = 0; n < 20; n += 1) expect(useful).toContain(deck.draw(useless)?.item);
    expect(deck.draw(ids)).toBeNull();
    expect(ids).toContain(deck.draw([])?.item);
  });

  it.each([
    [{ maxTokens: 16 }, { maxTokens: 17 }],
    [{}, { seed: 1 }],
  ])("answers to questions that are asked otherwise are not compared: %j, %j", (one, other) => {
    expect(canaryVersion("v", settingsOf(one))).not.toBe(canaryVersion("v", settingsOf(other)));
    expect(canaryVersion("v", settingsOf(one))).toBe(canaryVersion("v", settingsOf({ ...one, share: 0.1 })));
  });
});

describe("the prober", () => {
  const settings = { perHour: 600, arms: { fresh: 1, forked: 0, resample: 0, placebo: 0 } };

  it("asks none unless they are switched on", async () => {
    const { prober, clock, counted } = stage({ settings });
    prober.start();
    await clock.advance(60 * minute);
    await prober.stop();
    expect(counted("asked canary")).toBe(0);
    expect(counted("asked identity")).toBe(0);
  });

  it("asks as many as their share says, within the same rate", async () => {
    const { prober, clock, questions, counted } = stage({
      settings: { ...settings, canary: { enabled: true, share: 0.2 }, identity: { enabled: true, developer: "Acme" } },
    });
    prober.start();
    await clock.advance(120 * minute);
    await prober.stop();
    expect(counted("asked canary") / questions.length).toBeGreaterThan(0.14);
    expect(counted("asked canary") / questions.length).toBeLessThan(0.26);
    expect(counted("asked identity") / questions.length).toBeGreaterThan(0.02);
    expect(counted("asked identity") / questions.length).toBeLessThan(0.09);
  });

  it("asks none while a harmful subject has no name yet, which needs every probe", async () => {
    const { prober, clock, questions, counted } = stage({
      settings: { ...settings, canary: { enabled: true, share: 0.5 } },
      mix: { harm: 0, selfReport: { choice: 1, recognition: 0, rating: 0 } },
    });
    prober.start();
    await clock.advance(20 * minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(100);
    expect(counted("asked canary")).toBe(0);
  });

  it("backs off from canaries alone where an upstream rejects their parameters", async () => {
    const { prober, clock, counted } = stage({
      settings: { ...settings, canary: { enabled: true, share: 0.5 } },
      ask: (question) =>
        question.repeatable === undefined
          ? answered("A short and harmless answer, but one that is long enough to keep.")
          : { kind: "failed", reason: "rejected", retryAfterMs: null, detail: "status 400" },
    });
    prober.start();
    await clock.advance(60 * minute);
    const { backingOff } = prober.status();
    await prober.stop();
    expect(backingOff).toEqual([]);
    expect(counted("asked canary")).toBeLessThan(20);
    expect(counted("asked harmfulness")).toBeGreaterThan(200);
  });

  it("asks nothing in the app's budget, as little as other probes do", async () => {
    const { prober, clock, questions, counted } = stage({
      settings: { ...settings, maxCallsPerHour: 10, canary: { enabled: true, share: 0.5 } },
    });
    prober.start();
    await clock.advance(59 * minute);
    await prober.stop();
    expect(questions.length).toBe(10);
    expect(counted("skipped budget")).toBeGreaterThan(100);
  });
});
