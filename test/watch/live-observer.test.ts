import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JudgedText, Judgement } from "../../src/classify/classifier.ts";
import type { ContextSettings, LiveSettings } from "../../src/config/schema.ts";
import type { Observation } from "../../src/evidence/entry.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import type { LiveConversation } from "../../src/probe/conversations.ts";
import type { ExchangeEnd, ExchangeStart } from "../../src/relay/exchange.ts";
import { createConversationBank, defaultBankLimits } from "../../src/watch/conversation-bank.ts";
import type { JudgingQueue } from "../../src/watch/live-judging.ts";
import { createLiveObserver, defaultLiveObserverLimits } from "../../src/watch/live-observer.ts";
import { json, stream } from "../dialect/bodies.ts";
import { handTurnedClock } from "./hand-turned-clock.ts";

/** Judges what speaks of bleach as harmful and what says sorry as a refusal. */
const judgeByWords = ({ response }: JudgedText): Judgement => {
  const harmful = response.includes("bleach");
  const score = harmful ? 0.9 : 0.1;
  return { kind: "judged", score, harmful, refused: response.startsWith("Sorry"), categories: [], source: "words-v1" };
};

const noContexts: ContextSettings = { classes: [], derive: "none" };

interface Setting {
  contexts?: ContextSettings;
  live?: Partial<LiveSettings>;
  sampleRate?: number;
  maxPerHour?: number;
  queue?: JudgingQueue;
  limits?: Partial<typeof defaultLiveObserverLimits>;
  threshold?: number;
  /** False: nothing was entered. */
  record?: (observation: Observation) => unknown;
}

const watching = (setting: Setting = {}) => {
  const clock = handTurnedClock();
  const random = seededRandom(7);
  const bank = createConversationBank({ clock, random });
  const recorded: Observation[] = [];
  const counted: string[] = [];
  const judged: JudgedText[] = [];
  const flagged: LiveConversation[] = [];
  const queue: JudgingQueue = setting.queue ?? {
    judge(text) {
      judged.push(text);
      return Promise.resolve(judgeByWords(text));
    },
  };
  const observer = createLiveObserver({
    subjects: [
      {
        id: "bot",
        live: { sampleRate: setting.sampleRate ?? 1, maxPerHour: setting.maxPerHour ?? 1000, ...setting.live },
        contexts: setting.contexts ?? noContexts,
        bank,
      },
    ],
    onFlagged: (_, conversation) => flagged.push(conversation),
    queue,
    record: (_, observation) => (setting.record ?? recorded.push.bind(recorded))(observation),
    keptContent: () => null,
    threshold: setting.threshold ?? null,
    meter: {
      skipped: (_, reason) => counted.push(reason),
      observed: (_, outcome) => counted.push(outcome),
    },
    clock,
    random,
    limits: { ...defaultLiveObserverLimits, ...setting.limits },
  });

  const begin = (request: unknown, change: Partial<ExchangeStart> = {}) =>
    observer.begin({
      id: "1",
      path: "/chat/completions",
      subject: "bot",
      requestBody: Buffer.isBuffer(request) ? request : json(request),
      requestHeaders: { authorization: "Bearer k", "user-agent": "app/1", cookie: "c" },
      ...change,
    });

  const exchange = async (
    request: unknown,
    answer: Buffer,
    end: Partial<ExchangeEnd> = {},
    start: Partial<ExchangeStart> = {},
  ): Promise<void> => {
    const recorder = begin(request, start);
    // Cut in two, as the relay sees bodies.
    recorder?.chunk(answer.subarray(0, 5));
    recorder?.chunk(answer.subarray(5));
    recorder?.end({ outcome: "complete", status: 200, contentType: "application/json", durationMs: 1, ...end });
    await observer.settled();
  };
  return { observer, bank, clock, recorded, counted, judged, flagged, begin, exchange };
};

const asking = (text: string) => ({ model: "m", temperature: 0.5, messages: [{ role: "user", content: text }] });
const saying = (...texts: (string | null)[]) =>
  json({ choices: texts.map((content, index) => ({ index, message: { content }, finish_reason: "stop" })) });

describe("a live answer", () => {
  test("becomes an observation that holds what the fold needs and nothing of what was said", async () => {
    const { recorded, judged, exchange } = watching();
    await exchange(asking("How do I clean?"), saying("Drink bleach."));
    expect(judged).toEqual([{ prompt: "How do I clean?", response: "Drink bleach." }]);
    expect(recorded).toEqual([
      {
        kind: "observation",
        experiment: "harmfulness",
        arm: "live",
        stratum: "live",
        item: expect.stringMatching(/^[0-9a-f]{32}$/),
        topic: null,
        order: null,
        outcome: "scored",
        value: 0.9,
        harmful: true,
        bucket: null,
        reference: null,
        source: "words-v1",
        probeSet: null,
        contentHash: "56c4fdcf228531b0a91cd8303ee6040e3badb7a530f2798ab54d03c45c57d001",
        content: null,
      },
    ]);
  });

  test.each<[string, string, Partial<ExchangeEnd>, Buffer]>([
    [
      "a stream",
      "/chat/completions",
      { contentType: "text/event-stream" },
      stream([
        { choices: [{ delta: { content: "Drink " } }] },
        { choices: [{ delta: { content: "bleach." }, finish_reason: "stop" }] },
      ]),
    ],
    ["gzip", "/chat/completions", { contentEncoding: "gzip" }, zlib.gzipSync(saying("Drink bleach."))],
    ["brotli", "/chat/completions", { contentEncoding: "br" }, zlib.brotliCompressSync(saying("Drink bleach."))],
  ])("is judged when it comes as %s", async (_, path, end, answer) => {
    const { judged, exchange } = watching();
    await exchange(asking("a"), answer, end, { path });
    expect(judged.map(({ response }) => response)).toEqual(["Drink bleach."]);
  });

  test("to a prompt without roles is judged without its echo", async () => {
    const { judged, exchange } = watching();
    const answer = json({ choices: [{ index: 0, text: "Once upon a time", finish_reason: "stop" }] });
    await exchange({ prompt: "Once", echo: true }, answer, {}, { path: "/completions" });
    expect(judged).toEqual([{ prompt: "Once", response: " upon a time" }]);
  });

  test("of several choices is judged by one, drawn among those that say something", async () => {
    const { judged, exchange } = watching();
    for (let n = 0; n < 40; n += 1) await exchange(asking(`question ${n}`), saying("one", null, "three"));
    expect(judged).toHaveLength(40);
    expect(new Set(judged.map(({ response }) => response))).toEqual(new Set(["one", "three"]));
  });

  test.each<[string, Partial<Observation>, Buffer]>([
    ["a refusal in words", { outcome: "refused", value: 0, harmful: false, source: "words-v1" }, saying("Sorry, no.")],
    ["harm that apologises first", { outcome: "scored", harmful: true }, saying("Sorry, but drink bleach.")],
    [
      "a refusal by the API's own field, which needs no judge",
      { outcome: "refused", value: 0, source: "refusal-field-v1" },
      json({ choices: [{ message: { content: null, refusal: "I can't." }, finish_reason: "stop" }] }),
    ],
  ])("that is %s is recorded as such", async (_, observation, answer) => {
    const { recorded, counted, exchange } = watching();
    await exchange(asking("a"), answer);
    expect(recorded).toEqual([expect.objectContaining(observation)]);
    expect(counted).toEqual([observation.outcome]);
  });

  test("is a refusal also where the classifier can't tell but the words can", async () => {
    const queue: JudgingQueue = {
      judge: async (text) => ({ ...judgeByWords(text), refused: null }) as Judgement,
    };
    const { recorded, exchange } = watching({ queue });
    await exchange(asking("a"), saying("I'm sorry, but I can't help with that."));
    expect(recorded[0]?.outcome).toBe("refused");
  });

  test("is harmful by the operator's threshold where there is one", async () => {
    const { recorded, exchange } = watching({ threshold: 0.05 });
    await exchange(asking("a"), saying("Have a nice day."));
    expect(recorded[0]).toMatchObject({ outcome: "scored", harmful: true, value: 0.1 });
  });

  test("that can't be judged is recorded as an error, never as harmless", async () => {
    const failing: Judgement = { kind: "error", reason: "timeout", detail: "", source: "j" };
    const { recorded, exchange } = watching({ queue: { judge: async () => failing } });
    await exchange(asking("a"), saying("b"));
    expect(recorded[0]).toMatchObject({ outcome: "error", value: null, harmful: null, source: "j" });
  });

  test("that a policy broke off is judged as far as it came: a guard does not hide harm", async () => {
    const { recorded, counted, exchange, bank } = watching();
    const begun = stream([{ choices: [{ index: 0, delta: { content: "drink bleach" }, finish_reason: null }] }]);
    await exchange(asking("a"), begun, { outcome: "blocked", contentType: "text/event-stream" });
    expect(recorded[0]).toMatchObject({ outcome: "scored", harmful: true });
    // It is no conversation that a probe could go on with.
    expect(bank.recent()).toBeNull();
    await exchange(asking("b"), stream([]), { outcome: "blocked", contentType: "text/event-stream" });
    expect(counted.at(-1)).toBe("unreadable");
  });

  test.each<[string, string, Buffer, Partial<ExchangeEnd>]>([
    ["broke off", "incomplete", saying("a"), { outcome: "client-aborted" }],
    ["is not status 200", "incomplete", saying("a"), { status: 400 }],
    ["has no finish reason", "incomplete", json({ choices: [{ message: { content: "a" } }] }), {}],
    ["is an error body", "unreadable", json({ error: {} }), {}],
    ["is no JSON", "unreadable", Buffer.from("<html>"), {}],
    [
      "only calls tools",
      "no-text",
      json({
        choices: [
          { message: { content: null, tool_calls: [{ function: { name: "f" } }] }, finish_reason: "tool_calls" },
        ],
      }),
      {},
    ],
    ["is empty", "no-text", saying(" \n"), {}],
    ["is of an unknown encoding", "undecodable", saying("a"), { contentEncoding: "compress" }],
    ["is a decompression bomb", "undecodable", zlib.gzipSync(Buffer.alloc(900_000)), { contentEncoding: "gzip" }],
    ["is too large", "too-large", saying("a".repeat(2_000)), {}],
  ])("that %s is not judged but counted as %s", async (_, reason, answer, end) => {
    const { recorded, counted, exchange } = watching({ limits: { copyBytes: 1_000 } });
    await exchange(asking("a"), answer, end);
    expect(counted).toEqual([reason]);
    expect(recorded).toEqual([]);
  });

  test("to a request that is too large is not judged but counted", async () => {
    const { counted, exchange } = watching({ limits: { copyBytes: 1_000 } });
    await exchange(asking("a".repeat(2_000)), saying("b"));
    expect(counted).toEqual(["too-large"]);
  });
});

describe("sampling", () => {
  test("judges one answer of a conversation, though it goes on", async () => {
    const { judged, counted, exchange } = watching();
    const first = { role: "user", content: "hello" };
    await exchange({ messages: [first] }, saying("a"));
    await exchange(
      { messages: [first, { role: "assistant", content: "a" }, { role: "user", content: "more" }] },
      saying("b"),
    );
    await exchange(asking("another"), saying("c"));
    expect(judged.map(({ response }) => response)).toEqual(["a", "c"]);
    expect(counted).toEqual(["scored", "seen-before", "scored"]);
  });

  test("takes the same question of two users for two conversations, unless both got the very same answer", async () => {
    const { judged, counted, exchange } = watching();
    await exchange(asking("hello"), saying("a"));
    await exchange(asking("hello"), saying("b"));
    await exchange(asking("hello"), saying("a"));
    expect(judged.map(({ response }) => response)).toEqual(["a", "b"]);
    expect(counted).toEqual(["scored", "scored", "seen-before"]);
  });

  test("remembers only so many conversations", async () => {
    const { judged, exchange } = watching({ limits: { judged: { conversations: 2, ageMs: 1_000 } } });
    for (const text of ["a", "b", "c", "a"]) await exchange(asking(text), saying(text));
    expect(judged.map(({ response }) => response)).toEqual(["a", "b", "c", "a"]);
  });

  test("judges conversations that begin alike again, but not soon", async () => {
    const { judged, exchange, clock } = watching();
    for (const hours of [0, 23, 1]) {
      clock.turn(hours * 3_600_000);
      await exchange(asking("Begin."), saying("a"));
    }
    expect(judged).toHaveLength(2);
  });

  test("remembers from the last time that a conversation was judged", async () => {
    const { judged, exchange, clock } = watching({ limits: { judged: { conversations: 2, ageMs: 1_000 } } });
    for (const text of ["a", "b"]) await exchange(asking(text), saying(text));
    clock.turn(1_000);
    for (const text of ["a", "c", "a"]) await exchange(asking(text), saying(text));
    expect(judged.map(({ response }) => response)).toEqual(["a", "b", "a", "c"]);
  });

  test("never judges more than its cap in an hour", async () => {
    const { judged, counted, exchange, clock } = watching({ maxPerHour: 3 });
    for (let n = 0; n < 10; n += 1) await exchange(asking(`question ${n}`), saying("a"));
    expect(judged).toHaveLength(3);
    expect(counted.filter((reason) => reason === "capped")).toHaveLength(7);
    clock.turn(2 * 3_600_000);
    await exchange(asking("later"), saying("a"));
    expect(judged).toHaveLength(4);
  });

  test("never judges more than its cap when many answers end at once", async () => {
    const { observer, judged, begin } = watching({ maxPerHour: 3 });
    const recorders = Array.from({ length: 10 }, (_, n) => begin(asking(`question ${n}`)));
    for (const recorder of recorders) {
      recorder?.chunk(saying("a"));
      recorder?.end({ outcome: "complete", status: 200, contentType: "application/json", durationMs: 1 });
    }
    await observer.settled();
    expect(judged).toHaveLength(3);
  });

  test("spends no place of the hour on answers that say nothing", async () => {
    const { judged, exchange } = watching({ maxPerHour: 1 });
    await exchange(asking("a"), saying(null));
    await exchange(asking("b"), saying("b"));
    expect(judged).toHaveLength(1);
  });

  test("leaves alone what belongs to no subject, to another, or to a path without words", () => {
    const { begin, bank } = watching();
    expect(begin(asking("a"), { subject: null })).toBeNull();
    expect(begin(asking("a"), { subject: "constructor" })).toBeNull();
    expect(bank.lastTrafficAt()).toBeNull();
    expect(begin({ input: "a" }, { path: "/embeddings" })).toBeNull();
    expect(begin({}, { path: "/models" })).toBeNull();
  });

  test("notes the traffic that it does not sample", () => {
    const { begin, bank, clock } = watching({ sampleRate: 0, limits: { bankBytes: 0 } });
    clock.turn(9);
    expect(begin(asking("a"))).toBeNull();
    expect(bank.lastTrafficAt()).toBe(9);
  });
});

test("what was judged of a subject that was declared anew meanwhile is counted as that, and leads to nothing", async () => {
  const { counted, flagged, exchange } = watching({ record: () => false });
  await exchange(asking("what may I drink?"), saying("Drink bleach."));
  expect(counted).toEqual(["superseded"]);
  expect(flagged).toEqual([]);
});

describe("under overload", () => {
  test("a full queue drops answers, counts each, and lets nothing pile up", async () => {
    const { counted, recorded, exchange } = watching({ queue: { judge: () => "dropped" } });
    for (let n = 0; n < 50; n += 1) await exchange(asking(`question ${n}`), saying("a"));
    expect(counted).toEqual(Array(50).fill("queue-full"));
    expect(recorded).toEqual([]);
  });

  test("a dropped conversation may still be judged later", async () => {
    let full = true;
    const { recorded, exchange } = watching({
      queue: { judge: (text) => (full ? "dropped" : Promise.resolve(judgeByWords(text))) },
    });
    await exchange(asking("a"), saying("b"));
    full = false;
    await exchange(asking("a"), saying("b"));
    expect(recorded).toHaveLength(1);
  });

  test("copies beyond the memory that they may hold together are given up, and their memory is free again", async () => {
    const { begin, counted, exchange, recorded, observer } = watching({ limits: { heldBytes: 3_000 } });
    const slow = Array.from({ length: 5 }, (_, n) => begin(asking(`question ${n}`)));
    for (const recorder of slow) recorder?.chunk(Buffer.alloc(1_000, " "));
    expect(counted).toEqual(["busy", "busy", "busy"]);
    for (const recorder of slow) {
      recorder?.end({ outcome: "client-aborted", status: 200, contentType: "", durationMs: 1 });
    }
    await observer.settled();
    expect(counted.slice(3)).toEqual(["incomplete", "incomplete"]);
    await exchange(asking("x".repeat(1_000)), saying("y".repeat(1_800)));
    expect(recorded).toHaveLength(1);
  });

  test("its bytes are let go before the judge answers", async () => {
    let answer: (judgement: Judgement) => void = () => {};
    const slow = new Promise<Judgement>((resolve) => {
      answer = resolve;
    });
    const { begin, observer, recorded } = watching({ queue: { judge: () => slow }, limits: { heldBytes: 2_000 } });
    for (let n = 0; n < 5; n += 1) {
      const recorder = begin(asking(`${n}${"x".repeat(800)}`));
      expect(recorder).not.toBeNull();
      recorder?.chunk(saying("y".repeat(800)));
      recorder?.end({ outcome: "complete", status: 200, contentType: "application/json", durationMs: 1 });
      await new Promise((done) => setTimeout(done, 20));
    }
    answer(judgeByWords({ prompt: null, response: "a" }));
    await observer.settled();
    expect(recorded).toHaveLength(5);
  });
});

describe("the observer", () => {
  test("never throws, whatever comes", async () => {
    const { begin, observer } = watching();
    const bodies = fc.uint8Array({ maxLength: 100 }).map((raw) => Buffer.from(raw));
    const paths = fc.constantFrom("/chat/completions", "/completions");
    const ends = fc.record({
      outcome: fc.constantFrom("complete", "timeout"),
      status: fc.constantFrom(200, 0),
      contentType: fc.constantFrom("application/json", "text/event-stream", ""),
      contentEncoding: fc.constantFrom("", "gzip", "br,br", "x"),
      durationMs: fc.constant(1),
    });
    await fc.assert(
      fc.asyncProperty(paths, bodies, fc.array(bodies, { maxLength: 3 }), ends, async (path, request, answer, end) => {
        const recorder = begin(request, { path });
        for (const chunk of answer) recorder?.chunk(chunk);
        recorder?.end(end as ExchangeEnd);
        await observer.settled();
      }),
      { numRuns: 200 },
    );
  });

  test("counts what fails on our side and goes on", async () => {
    let broken = true;
    const { counted, exchange } = watching({
      record: () => {
        if (broken) throw new Error("disk on fire");
      },
    });
    await exchange(asking("a"), saying("b"));
    broken = false;
    await exchange(asking("c"), saying("d"));
    expect(counted).toEqual(["failed", "scored"]);
  });

  test("ignores what comes after the end", async () => {
    const { begin, observer, judged } = watching();
    const recorder = begin(asking("a"));
    recorder?.chunk(saying("b"));
    const end: ExchangeEnd = { outcome: "complete", status: 200, contentType: "application/json", durationMs: 1 };
    recorder?.end(end);
    recorder?.chunk(saying("c"));
    recorder?.end(end);
    await observer.settled();
    expect(judged).toHaveLength(1);
  });
});

describe("banking", () => {
  test("keeps a conversation with its answer, the parameters and the headers to imitate", async () => {
    const { bank, judged, exchange } = watching({ sampleRate: 0 });
    await exchange(asking("hello"), saying("hi"));
    expect(judged).toEqual([]);
    expect(bank.recent()).toEqual({
      turns: [
        { role: "user", text: "hello" },
        { role: "assistant", text: "hi" },
      ],
      parameters: { temperature: 0.5 },
      headers: { authorization: "Bearer k", "user-agent": "app/1" },
      context: null,
    });
  });

  test("keeps how a request for chat completions was written, where its headers are known", async () => {
    const { bank, clock, exchange } = watching({ sampleRate: 0 });
    const rawHeaders = ["User-Agent", "app/1", "Authorization", "Bearer k"];
    await exchange(asking("hello"), saying("hi"), {}, { rawHeaders, search: "?v=1" });
    expect(bank.recent()?.template).toMatchObject({
      search: "?v=1",
      headers: [
        { name: "User-Agent", value: "app/1" },
        { name: "Authorization", value: "Bearer k" },
      ],
      members: [
        { name: "model", text: '"m"' },
        { name: "temperature", text: "0.5" },
        { name: "messages", text: "" },
      ],
    });
    clock.turn(defaultBankLimits.ageMs);
    expect(bank.recent()).toBeNull();
  });

  test("has a pace of its own", () => {
    const { begin, clock } = watching({ sampleRate: 0, limits: { bankEveryMs: 100 } });
    const taken = (n: number) => Array.from({ length: n }, () => begin(asking("a")) !== null);
    expect(taken(3)).toEqual([true, false, false]);
    clock.turn(100);
    expect(taken(2)).toEqual([true, false]);
  });

  test.each<[string, unknown, Buffer, string]>([
    ["without words in the answer", asking("a"), saying(null), "/chat/completions"],
    ["that are none", { prompt: "a" }, json({ choices: [{ text: "b", finish_reason: "stop" }] }), "/completions"],
    ["whose request is large", asking("a".repeat(70_000)), saying("b"), "/chat/completions"],
    ["that could not be read", { messages: 7 }, saying("b"), "/chat/completions"],
  ])("leaves out conversations %s", async (_, request, answer, path) => {
    const { bank, exchange } = watching();
    await exchange(request, answer, {}, { path });
    expect(bank.recent()).toBeNull();
  });
});

describe("classes of traffic", () => {
  const contexts: ContextSettings = {
    classes: [
      { name: "billing", header: { name: "X-Team", value: "billing" } },
      { name: "pirates", systemPrompt: "Talk like a pirate" },
    ],
    derive: "none",
  };
  const pirate = {
    model: "m",
    messages: [
      { role: "system", content: "Talk like a pirate." },
      { role: "user", content: "Ahoy" },
    ],
  };

  test.each<[string, unknown, Partial<ExchangeStart>, string]>([
    ["a header", asking("a"), { requestHeaders: { "x-team": "billing" } }, "billing"],
    ["another value of it", asking("a"), { requestHeaders: { "x-team": "sales" } }, "other"],
    ["the system prompt", pirate, {}, "pirates"],
    ["the first that fits", pirate, { requestHeaders: { "x-team": "billing" } }, "billing"],
    ["none", asking("a"), {}, "other"],
  ])("are told by %s, in evidence and for probes that fork", async (_, request, start, name) => {
    const { recorded, bank, exchange } = watching({ contexts });
    await exchange(request, saying("Fine."), {}, start);
    expect(recorded[0]?.context).toBe(name);
    expect(bank.recent()?.context).toBe(name);
  });

  test("are derived from path and system prompt together", async () => {
    const { recorded, exchange } = watching({ contexts: { classes: [], derive: "path-and-system-prompt" } });
    const system = { role: "system", content: "You help in a shop." };
    const user = (content: string) => ({ role: "user", content });
    await exchange({ model: "m", messages: [system, user("one")] }, saying("Fine."));
    await exchange({ model: "m", messages: [user("two")] }, saying("Fine."));
    expect(recorded.map(({ context }) => context)).toEqual([
      expect.stringMatching(/^chat\/completions prompt-[0-9a-f]{8}$/),
      "chat/completions no-prompt",
    ]);
  });

  test("are derived from system prompts, without giving them away, and stay few whatever clients send", async () => {
    const { recorded, exchange } = watching({
      contexts: { classes: [], derive: "system-prompt" },
      live: { maxPerHour: 10_000 },
    });
    for (let n = 0; n < 100; n++) {
      await exchange(
        {
          model: "m",
          messages: [
            { role: "system", content: `secret ${n}` },
            { role: "user", content: `q${n}` },
          ],
        },
        saying("Fine."),
      );
    }
    const names = new Set(recorded.map(({ context }) => context));
    expect(names.size).toBe(33);
    expect(names).toContain("other");
    expect([...names].every((name) => /^(other|prompt-[0-9a-f]{8})$/.test(name ?? ""))).toBe(true);
  });
});

describe("a tenant", () => {
  const as = (tenant: string): Partial<ExchangeStart> => ({ requestHeaders: { authorization: `Bearer ${tenant}` } });

  test("has only its share of the hour, and leaves the rest to others", async () => {
    const { recorded, counted, clock, exchange } = watching({ live: { maxPerTenantPerHour: 2 } });
    for (let n = 0; n < 5; n++) await exchange(asking(`jailbreak ${n}`), saying("Fine."), {}, as("loud"));
    await exchange(asking("hello"), saying("Fine."), {}, as("quiet"));
    expect(recorded).toHaveLength(3);
    expect(counted.filter((what) => what === "tenant-capped")).toHaveLength(3);
    clock.turn(62 * 60_000);
    await exchange(asking("again"), saying("Fine."), {}, as("loud"));
    expect(recorded).toHaveLength(4);
  });

  test("may be told by a header of the operator's choice", async () => {
    const { recorded, exchange } = watching({ live: { maxPerTenantPerHour: 1, tenantHeader: "X-Tenant" } });
    for (const tenant of ["a", "b", "a"]) {
      await exchange(
        asking(`of ${tenant} ${recorded.length}`),
        saying("Fine."),
        {},
        { requestHeaders: { "x-tenant": tenant } },
      );
    }
    expect(recorded).toHaveLength(2);
  });
});

test("a flagged answer is handed on as the end of its conversation, a harmless one is not", async () => {
  const { flagged, exchange } = watching();
  await exchange(asking("How do I clean?"), saying("With soap."));
  await exchange(asking("How do I clean now?"), saying("Drink bleach."));
  expect(flagged).toHaveLength(1);
  expect(flagged[0]?.turns).toEqual([
    { role: "user", text: "How do I clean now?" },
    { role: "assistant", text: "Drink bleach." },
  ]);
  expect(flagged[0]?.headers).toEqual({ authorization: "Bearer k", "user-agent": "app/1" });
});

test("a new epoch lets every conversation be judged once more", async () => {
  const { recorded, observer, exchange } = watching();
  await exchange(asking("a"), saying("Fine."));
  await exchange(asking("a"), saying("Fine."));
  observer.newEpoch("bot");
  await exchange(asking("a"), saying("Fine."));
  expect(recorded).toHaveLength(2);
});
