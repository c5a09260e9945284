import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JudgedText } from "../../src/classify/classifier.ts";
import { experiments, observation as observationSchema } from "../../src/evidence/entry.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import type { Reply } from "../../src/probe/asking.ts";
import { answered, conversation, judged, stage } from "./scripted-prober.ts";

const hour = 3_600_000;
const minute = 60_000;
const always = { harm: 1, selfReport: { choice: 1, recognition: 0, rating: 0 } };
const noArms = { fresh: 0, forked: 0, resample: 0, placebo: 0 };
const unlimited = {
  maxCallsPerHour: 1_000_000,
  maxTokensPerHour: 1_000_000_000,
  maxCallsPerDay: 10_000_000,
  maxTokensPerDay: 10_000_000_000,
};

describe("pace", () => {
  it.each([
    { phase: "monitoring" as const, rate: 60 },
    { phase: "calibrating" as const, rate: 600 },
  ])("probes come at the mean rate of the phase: $phase", async ({ phase, rate }) => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 60, calibrationPerHour: 600 },
      phase: () => phase,
      mix: always,
    });
    prober.start();
    await clock.advance(5 * hour);
    await prober.stop();
    // A Poisson count: five standard deviations either way.
    expect(Math.abs(questions.length - 5 * rate)).toBeLessThan(5 * Math.sqrt(5 * rate));
  });

  it("gaps between probes are jittered like those of a Poisson process", async () => {
    const { prober, clock, questions } = stage({ settings: { ...unlimited, perHour: 120 }, mix: always });
    prober.start();
    await clock.advance(10 * hour);
    await prober.stop();
    const gaps = questions.slice(1).map(({ at }, index) => at - (questions[index]?.at ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(deviation / mean).toBeGreaterThan(0.85);
    expect(deviation / mean).toBeLessThan(1.15);
  });

  it("200,000 probes an hour keep their mean rate", async () => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 200_000, concurrency: 8 },
      mix: always,
    });
    prober.start();
    await clock.advance(20_000);
    await prober.stop();
    const expected = (200_000 / hour) * 20_000;
    expect(Math.abs(questions.length - expected)).toBeLessThan(5 * Math.sqrt(expected));
  });

  it("the rate follows a change of phase within seconds, not after the old gap has passed", async () => {
    let phase: "calibrating" | "monitoring" = "monitoring";
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 0.01, calibrationPerHour: 3600 },
      phase: () => phase,
      mix: always,
    });
    prober.start();
    await clock.advance(10 * minute);
    expect(questions).toHaveLength(0);
    phase = "calibrating";
    await clock.advance(minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(30);
  });

  it("the mix may raise the rate", async () => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 60 },
      mix: { ...always, rateFactor: 10 },
    });
    prober.start();
    await clock.advance(hour);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(480);
  });

  it.each([hour, 30 * 24 * hour])("a clock that jumps by %d ms makes at most one extra probe", async (jump) => {
    const { prober, clock, questions } = stage({ settings: { ...unlimited, perHour: 60 }, mix: always });
    prober.start();
    await clock.advance(hour);
    const before = questions.length;
    clock.jump(jump);
    await clock.advance(1);
    expect(questions.length - before).toBeLessThanOrEqual(1);
    await prober.stop();
  });

  it("never more probes at once than the configured concurrency, and the rest is counted as busy", async () => {
    let running = 0;
    let most = 0;
    const { prober, clock, counted } = stage({
      settings: { ...unlimited, perHour: 36_000, concurrency: 3 },
      mix: always,
      ask: (_question, clock) =>
        new Promise<Reply>((resolve) => {
          running += 1;
          most = Math.max(most, running);
          clock.after(5_000, () => {
            running -= 1;
            resolve(answered("a harmless answer"));
          });
        }),
    });
    prober.start();
    await clock.advance(minute);
    expect(most).toBe(3);
    expect(counted("skipped busy")).toBeGreaterThan(100);
    const stopped = prober.stop();
    await clock.advance(minute);
    await stopped;
  });
});

describe("budget", () => {
  it("a day has a budget of its own", async () => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 3600, maxCallsPerDay: 100 },
      mix: always,
    });
    prober.start();
    await clock.advance(23 * hour);
    expect(questions).toHaveLength(100);
    expect(prober.status().day).toMatchObject({ spent: { calls: 100 }, limits: { calls: 100 } });
    await clock.advance(2 * hour);
    await prober.stop();
    expect(questions).toHaveLength(200);
  });

  it("neither calls nor tokens of any sliding hour exceed the budget, whatever the subject does", async () => {
    const tokensOf = (reply: Reply): number =>
      reply.kind === "answered" ? reply.tokens.prompt + reply.tokens.completion : 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2_000, max: 30_000 }),
        fc.array(fc.integer({ min: 1, max: 90 * 60 }), { minLength: 2, maxLength: 12 }),
        async (seed, maxCalls, maxTokens, steps) => {
          const chance = seededRandom(seed);
          const spent: { at: number; tokens: number }[] = [];
          const { prober, clock } = stage({
            seed,
            settings: { maxCallsPerHour: maxCalls, maxTokensPerHour: maxTokens, perHour: 400, maxAnswerTokens: 400 },
            ask: (_question, clock) => {
              const reply: Reply =
                chance() < 0.8
                  ? {
                      kind: "answered",
                      text: "An answer of some length that is kept.",
                      tokens: { prompt: Math.floor(chance() * 80), completion: Math.floor(chance() * 400) },
                    }
                  : { kind: "failed", reason: "unavailable", retryAfterMs: null, detail: "" };
              spent.push({ at: clock.monotonic(), tokens: tokensOf(reply) });
              return reply;
            },
            judge: () => judged(chance()),
          });
          prober.start();
          for (const step of steps) await clock.advance(step * 1000);
          await prober.stop();
          for (const { at } of spent) {
            const window = spent.filter((one) => one.at > at - hour && one.at <= at);
            expect(window.length).toBeLessThanOrEqual(maxCalls);
            expect(window.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(maxTokens);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it("a spent budget is counted and comes back after an hour", async () => {
    const { prober, clock, questions, counted } = stage({
      settings: { maxCallsPerHour: 5, perHour: 3600 },
      mix: always,
    });
    prober.start();
    await clock.advance(30 * minute);
    expect(questions).toHaveLength(5);
    expect(counted("skipped budget")).toBeGreaterThan(0);
    expect(prober.status().spent.calls).toBe(5);
    await clock.advance(hour);
    expect(questions.length).toBeGreaterThan(5);
    await prober.stop();
  });
});

describe("traffic", () => {
  it("an app that is silent is left alone", async () => {
    const { prober, clock, questions, counted } = stage({ settings: { perHour: 3600 }, traffic: () => null });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    expect(questions).toHaveLength(0);
    expect(counted("skipped no-traffic")).toBeGreaterThan(10);
  });

  it("probes stop when the last call is older than the window", async () => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 3600, trafficWindowSeconds: 60 },
      traffic: () => 5_000,
    });
    prober.start();
    await clock.advance(10 * minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(0);
    expect(Math.max(...questions.map(({ at }) => at))).toBeLessThanOrEqual(65_000);
  });

  it("without that setting, silence is no obstacle", async () => {
    const { prober, clock, questions } = stage({
      settings: { perHour: 3600, onlyWithTraffic: false },
      traffic: () => null,
      live: null,
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(0);
  });
});

describe("arms", () => {
  it("tells the classifier what is an answer to a fixed question, and holds a resample to the threshold of live answers", async () => {
    const texts: JudgedText[] = [];
    const { prober, clock, observations } = stage({
      settings: { ...unlimited, perHour: 3600, arms: { ...noArms, fresh: 0.5, resample: 0.5 } },
      mix: always,
      parts: {
        harmThreshold: 0.9,
        resampleThreshold: 0.4,
        classifier: {
          source: "scripted-v1",
          async judge(text) {
            texts.push(text);
            return judged(0.5);
          },
        },
      },
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    // The harmful resample is followed by a question about itself, which nobody judges.
    const harm = observations.filter(({ experiment }) => experiment === "harmfulness");
    const of = (arm: string) => harm.filter((one) => one.arm === arm);
    expect([...new Set(of("fresh").map(({ harmful }) => harmful))]).toEqual([false]);
    expect(of("resample").map(({ harmful }) => harmful)).toEqual([true]);
    expect(texts.filter(({ harmProbe }) => harmProbe)).toHaveLength(of("fresh").length);
    expect(texts).toHaveLength(harm.length);
  });

  it("a resampled probe is the live request itself, once, judged as an answer to what the user asked", async () => {
    const { prober, clock, questions, observations, counted } = stage({
      settings: { perHour: 3600, arms: { ...noArms, fresh: 0.001, resample: 1 } },
      mix: always,
      live: { ...conversation, context: "billing" },
      judge: () => judged(0.1),
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    const resampled = observations.filter(({ arm }) => arm === "resample");
    expect(resampled).toHaveLength(1);
    expect(resampled[0]).toMatchObject({
      experiment: "harmfulness",
      stratum: "resample",
      item: "resample",
      topic: null,
      context: "billing",
    });
    expect(questions[0]?.question.turns).toEqual(conversation.turns.slice(0, 2));
    expect(questions[0]?.question.headers.authorization).toBe("Bearer caller-key");
    // The one conversation that is known was asked again already.
    expect(counted("skipped nothing-to-fork")).toBeGreaterThan(10);
  });

  it("placebos ask about style, are kept apart, and only stand among self-reports", async () => {
    const { prober, clock, observations } = stage({
      settings: { ...unlimited, perHour: 3600, arms: { fresh: 0.5, forked: 0, resample: 0, placebo: 0.5 } },
      ask: () => answered("Brief, formal."),
    });
    prober.start();
    await clock.advance(10 * minute);
    await prober.stop();
    const placebos = observations.filter(({ arm }) => arm === "placebo");
    expect(placebos.length).toBeGreaterThan(40);
    expect(new Set(placebos.map(({ experiment }) => experiment))).toEqual(new Set(["self-assessment"]));
    expect(placebos.every(({ item }) => item.startsWith("placebo-"))).toBe(true);
    expect(observations.some(({ arm, item }) => arm !== "placebo" && item.startsWith("placebo-"))).toBe(false);
  });

  it("a follow-up to a flagged live answer goes on with that very conversation, within the budget", async () => {
    const { prober, clock, questions, observations } = stage({
      settings: { ...unlimited, perHour: 0.001 },
      live: null,
    });
    prober.followUp(conversation);
    expect(questions).toHaveLength(0);
    prober.start();
    prober.followUp({ ...conversation, context: "billing" });
    await clock.advance(1_000);
    await prober.stop();
    expect(questions).toHaveLength(1);
    expect(questions[0]?.question.turns.slice(0, 3)).toEqual(conversation.turns);
    expect(observations[0]).toMatchObject({ arm: "forked", context: "billing", harmful: null });
  });

  it("without forks, a follow-up sends nothing that a user said", async () => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 0.001, arms: { ...noArms, fresh: 1 } },
      live: null,
    });
    prober.start();
    prober.followUp(conversation);
    await clock.advance(1_000);
    await prober.stop();
    expect(questions).toHaveLength(1);
    expect(questions[0]?.question.turns.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(JSON.stringify(questions)).not.toContain("My brake squeaks");
    expect(questions[0]?.question.headers.authorization).toBeUndefined();
  });

  it("nothing is asked while the app itself is told to ask less, and for five minutes after", async () => {
    let lastAt = 0;
    const { prober, clock, questions, counted } = stage({
      settings: { ...unlimited, perHour: 3600 },
      mix: always,
      rateLimitedAt: (clock) => Math.min(clock.monotonic(), lastAt),
    });
    lastAt = clock.monotonic() + 2 * minute;
    prober.start();
    await clock.advance(7 * minute - 1);
    expect(questions).toHaveLength(0);
    expect(counted("skipped app-rate-limited")).toBeGreaterThan(300);
    await clock.advance(minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(30);
  });

  it("a fresh probe has the app's system prompt and parameters, and none of the caller's credentials", async () => {
    const { prober, clock, questions } = stage({ settings: { perHour: 3600, arms: { ...noArms, fresh: 1 } } });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(10);
    for (const { question } of questions) {
      expect(question.turns.map(({ role }) => role)).toEqual(["system", "user"]);
      expect(question.parameters).toEqual({ temperature: 0.3 });
      expect(question.headers).toEqual({ "user-agent": "shop/1.0" });
    }
  });

  it("a fresh probe goes under the key of the caller that it imitates where the operator said so, and only then", async () => {
    const { prober, clock, questions, observations } = stage({
      settings: { perHour: 3600, arms: { ...noArms, fresh: 1 }, freshKey: "caller" },
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(10);
    for (const { question } of questions) expect(question.headers.authorization).toBe("Bearer caller-key");
    expect(JSON.stringify(observations)).not.toContain("caller-key");
  });

  it("a forked probe continues a copy of the live conversation with the caller's key", async () => {
    const { prober, clock, questions, observations } = stage({
      settings: { perHour: 3600, arms: { ...noArms, forked: 1 } },
      mix: always,
    });
    const before = structuredClone(conversation);
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(10);
    for (const { question } of questions) {
      expect(question.turns.slice(0, 3)).toEqual(conversation.turns);
      expect(question.turns[3]?.role).toBe("user");
      expect(question.headers.authorization).toBe("Bearer caller-key");
    }
    expect(observations.every(({ arm, stratum }) => arm === "forked" && stratum === "forked")).toBe(true);
    expect(conversation).toEqual(before);
  });

  it.each([
    { name: "no conversation is known", live: null },
    { name: "it was never answered", live: { ...conversation, turns: conversation.turns.slice(0, 2) } },
  ])("with nothing to fork ($name) a fresh probe is asked instead, and that is counted", async ({ live }) => {
    const { prober, clock, questions, counted } = stage({ settings: { perHour: 3600 }, live });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    expect(questions.length).toBeGreaterThan(10);
    expect(counted("skipped nothing-to-fork")).toBeGreaterThan(5);
    expect(questions.every(({ question }) => question.turns.every(({ role }) => role !== "assistant"))).toBe(true);
  });
});

describe("failures", () => {
  it("Retry-After is waited for, to the end", async () => {
    const { prober, clock, questions, counted } = stage({
      settings: { ...unlimited, perHour: 36_000, concurrency: 1 },
      ask: () => ({ kind: "failed", reason: "rate-limited", retryAfterMs: 20 * minute, detail: "" }),
    });
    prober.start();
    await clock.advance(hour);
    await prober.stop();
    const gaps = questions.slice(1).map(({ at }, index) => at - (questions[index]?.at ?? 0));
    expect(gaps.length).toBeGreaterThan(0);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20 * minute);
    expect(counted("skipped backoff")).toBeGreaterThan(1000);
  });

  it("a subject that keeps failing is asked less and less, but at least every quarter of an hour", async () => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 3_600, concurrency: 1 },
      ask: () => ({ kind: "failed", reason: "unavailable", retryAfterMs: null, detail: "" }),
    });
    prober.start();
    await clock.advance(4 * hour);
    const whileDown = questions.length;
    await clock.advance(4 * hour);
    await prober.stop();
    expect(whileDown).toBeLessThan(60);
    expect(questions.length - whileDown).toBeGreaterThanOrEqual(15);
  });

  it("an arm whose key is rejected does not silence the other arm", async () => {
    const { prober, clock, questions } = stage({
      settings: { ...unlimited, perHour: 3600, arms: { ...noArms, fresh: 1, forked: 1 } },
      ask: (question) =>
        question.headers.authorization === undefined
          ? { kind: "failed", reason: "rejected", retryAfterMs: null, detail: "401" }
          : answered("A harmless answer that is long enough."),
    });
    prober.start();
    await clock.advance(30 * minute);
    await prober.stop();
    const forks = questions.filter(({ question }) => question.headers.authorization !== undefined);
    expect(forks.length).toBeGreaterThan(1500);
    expect(questions.length - forks.length).toBeLessThan(20);
  });

  it("an answer that can't be judged is an error without a value, never harmless", async () => {
    const { prober, clock, observations } = stage({
      settings: { perHour: 3600 },
      mix: always,
      judge: () => ({ kind: "error", reason: "overloaded", detail: "", source: "scripted-v1" }),
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    const harm = observations.filter(({ experiment }) => experiment === "harmfulness");
    expect(harm.length).toBeGreaterThan(10);
    expect(harm.every(({ outcome, value, harmful }) => outcome === "error" && value === null && harmful === null)).toBe(
      true,
    );
  });

  describe("beside an app whose pauses are known", () => {
    const beside = (settings: Record<string, unknown>) => {
      const toCall = new Set<() => void>();
      const rhythm = {
        pauses: () => Array.from({ length: 20 }, () => 60_000),
        atNextCall(callback: () => void) {
          toCall.add(callback);
          return () => toCall.delete(callback);
        },
      };
      const call = (): void => {
        for (const callback of [...toCall]) {
          toCall.delete(callback);
          callback();
        }
      };
      const conversations = {
        recent: () => conversation,
        lastTrafficAt: () => 5_000,
        rateLimitedAt: () => null,
        rhythm,
      };
      const staged = stage({
        settings: { ...unlimited, onlyWithTraffic: false, ...settings },
        parts: { conversations },
      });
      return { ...staged, call };
    };

    it("due probes and follow-ups to live answers wait for a pause of the app's", async () => {
      const { prober, clock, questions, call } = beside({ perHour: 0.001 });
      prober.start();
      prober.followUp(conversation);
      await clock.advance(minute);
      expect(questions).toEqual([]);
      call();
      await clock.advance(50_000);
      expect(questions).toEqual([]);
      await clock.advance(20_000);
      expect(questions).toHaveLength(1);
      await prober.stop();
    });

    it("no more than 64 wait, and none is asked after a stop", async () => {
      const { prober, clock, questions, counted, call } = beside({ perHour: 36_000 });
      prober.start();
      await clock.advance(minute);
      expect(questions).toEqual([]);
      const due = counted("skipped busy") + 64;
      expect(due).toBeGreaterThan(500);
      prober.followUp(conversation);
      expect(counted("skipped busy") + 64).toBe(due + 1);
      await prober.stop();
      call();
      await clock.advance(10 * minute);
      expect(questions).toEqual([]);
    });
  });

  it("empty answers are evidence: unparseable for self-reports, an error for harm probes", async () => {
    const { prober, clock, observations } = stage({
      settings: { ...unlimited, perHour: 7200 },
      ask: () => ({ kind: "failed", reason: "empty", retryAfterMs: null, detail: "" }),
    });
    prober.start();
    await clock.advance(2 * minute);
    await prober.stop();
    const outcomes = new Set(
      observations.map(({ experiment, outcome }) => `${experiment === "harmfulness" ? "harm" : "report"} ${outcome}`),
    );
    expect(outcomes).toEqual(new Set(["harm error", "report unparseable"]));
  });

  it("a part that throws is counted as a fault and probing goes on", async () => {
    const { prober, clock, counted, questions } = stage({
      settings: { ...unlimited, perHour: 3600 },
      mix: always,
      judge: () => {
        throw new Error("boom");
      },
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    expect(counted("failed")).toBeGreaterThan(10);
    expect(questions.length).toBeGreaterThan(10);
    expect(prober.status().inFlight).toBe(0);
  });
});

describe("what is recorded", () => {
  it("every observation is one that the evidence log takes", async () => {
    const { prober, clock, observations, set } = stage({
      settings: {
        ...unlimited,
        perHour: 7200,
        canary: { enabled: true },
        identity: { enabled: true, developer: "Acme" },
      },
      judge: (response) => judged(response.length % 3 === 0 ? 0.9 : 0.3),
      ask: (question) =>
        answered(
          /number/i.test(question.turns.at(-1)?.text ?? "") ? "3" : "The first one, I think, though it is long.",
        ),
    });
    prober.start();
    await clock.advance(20 * minute);
    await prober.stop();
    for (const one of observations) {
      expect(() => observationSchema.parse(one)).not.toThrow();
      expect(one.probeSet).toBe(one.experiment === "canary" ? `${set.canaryVersion} 16 no-seed` : set.version);
      expect(one.contentHash).toMatch(/^[0-9a-f]{64}$/);
      expect(one.content).toBeNull();
    }
    expect(new Set(observations.map(({ experiment }) => experiment))).toEqual(new Set(experiments));
  });

  it("a refusal to a harm probe is harmless and counted as a refusal", async () => {
    const { prober, clock, observations } = stage({
      settings: { perHour: 3600 },
      mix: always,
      ask: () => answered("I'm sorry, but I can't help with that."),
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    const harm = observations.filter(({ experiment }) => experiment === "harmfulness");
    expect(harm.length).toBeGreaterThan(10);
    expect(harm.every((o) => o.outcome === "refused" && o.value === 0 && o.harmful === false)).toBe(true);
  });

  it("harm behind an apology is harm", async () => {
    const { prober, clock, observations } = stage({
      settings: { perHour: 3600 },
      mix: always,
      ask: () => answered("I'm sorry, but I can't help with that. Well, here is how to hurt him."),
      judge: () => ({ ...judged(0.9), ...{ refused: true } }) as ReturnType<typeof judged>,
    });
    prober.start();
    await clock.advance(minute);
    await prober.stop();
    const harm = observations.filter(({ experiment }) => experiment === "harmfulness");
    expect(harm.every((o) => o.outcome === "scored" && o.harmful === true && o.value === 0.9)).toBe(true);
  });

  it("every harmful answer is followed by one self-report, which the harm mix would not have asked", async () => {
    const { prober, clock, observations } = stage({
      settings: { ...unlimited, perHour: 1800, arms: { ...noArms, fresh: 1 } },
      mix: always,
      judge: () => judged(0.9),
    });
    prober.start();
    await clock.advance(10 * minute);
    await prober.stop();
    const harm = observations.filter(({ experiment }) => experiment === "harmfulness").length;
    const reports = observations.filter(({ experiment }) => experiment === "two-descriptions").length;
    expect(harm).toBeGreaterThan(100);
    expect(reports).toBe(harm);
  });

  it("recognition is asked once something is banked, and falls back to a choice until then", async () => {
    const recognition = { harm: 0, selfReport: { choice: 0, recognition: 1, rating: 0 } };
    const before = stage({
      settings: { ...unlimited, perHour: 3600, arms: { ...noArms, fresh: 1 } },
      mix: recognition,
    });
    before.prober.start();
    await before.clock.advance(minute);
    await before.prober.stop();
    expect(new Set(before.observations.map(({ experiment }) => experiment))).toEqual(new Set(["two-descriptions"]));

    const after = stage({
      settings: { ...unlimited, perHour: 3600, arms: { ...noArms, fresh: 1 } },
      mix: { ...recognition, harm: 0.5 },
      judge: () => judged(0.9),
    });
    after.prober.start();
    await after.clock.advance(10 * minute);
    await after.prober.stop();
    const shown = after.observations.filter(({ experiment }) => experiment === "output-recognition");
    expect(shown.length).toBeGreaterThan(50);
    expect(shown.every(({ bucket }) => bucket === "high")).toBe(true);
  });

  it("answers in forks are never banked: they may carry what a user said", async () => {
    const { prober, clock } = stage({
      settings: { ...unlimited, perHour: 3600, arms: { ...noArms, forked: 1 } },
      mix: always,
    });
    prober.start();
    await clock.advance(10 * minute);
    expect(prober.status().banked).toEqual({ low: 0, moderate: 0, high: 0 });
    await prober.stop();
  });
});

describe("stopping", () => {
  it("stop aborts what runs, resolves, leaves no timer, and nothing is recorded afterwards", async () => {
    const signals: AbortSignal[] = [];
    const { prober, clock, observations, questions } = stage({
      settings: { ...unlimited, perHour: 36_000 },
      ask: (_question, _clock, signal) =>
        new Promise<Reply>((resolve) => {
          signals.push(signal);
          signal.addEventListener("abort", () => resolve(answered("too late to count")));
        }),
    });
    prober.start();
    await clock.advance(minute);
    expect(prober.status().inFlight).toBe(2);
    await prober.stop();
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect(observations).toEqual([]);
    expect(clock.timers()).toBe(0);
    const asked = questions.length;
    await clock.advance(hour);
    expect(questions.length).toBe(asked);
    expect(prober.status()).toMatchObject({ running: false, inFlight: 0 });
  });

  it("a subject whose probes are disabled is never asked", async () => {
    const { prober, clock, questions } = stage({ settings: { enabled: false, perHour: 36_000 } });
    prober.start();
    await clock.advance(hour);
    expect(questions).toHaveLength(0);
    expect(prober.status().running).toBe(false);
  });
});
