/** A subject that is probed under another configuration from some moment on. */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import type { Reply } from "../../src/probe/asking.ts";
import { newProberMemory } from "../../src/probe/prober-memory.ts";
import { answered, judged, stage } from "./scripted-prober.ts";

const always = { harm: 1, selfReport: { choice: 1, recognition: 0, rating: 0 } };
const often = { perHour: 3_600, maxTokensPerHour: 1_000_000_000, maxTokensPerDay: 1_000_000_000 };

describe("a prober that goes on for another", () => {
  it("has no more of the budget than the other left", async () => {
    const memory = newProberMemory(seededRandom(1));
    const settings = { ...often, maxCallsPerHour: 20 };
    const first = stage({ settings, mix: always, parts: { memory } });
    first.prober.start();
    await first.clock.advance(10_000);
    await first.prober.finish();
    const used = first.questions.length;
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(20);
    const second = stage({ settings, mix: always, parts: { memory } });
    second.prober.start();
    await second.clock.advance(10 * 60_000);
    await second.prober.stop();
    expect(used + second.questions.length).toBe(20);
    expect(second.counted("skipped budget")).toBeGreaterThan(0);
  });
});

describe("a prober that finishes", () => {
  const slow = () => {
    const answers: ((reply: Reply) => void)[] = [];
    const scene = stage({
      settings: { ...often, concurrency: 1 },
      mix: always,
      judge: () => judged(0.05),
      ask: (_question, _clock, signal) =>
        new Promise((resolve) => {
          answers.push(resolve);
          signal.addEventListener("abort", () =>
            resolve({ kind: "failed", reason: "unavailable", retryAfterMs: null, detail: "aborted" }),
          );
        }),
    });
    return { ...scene, answers };
  };

  it("lets the running probe have its answer, and asks nothing more", async () => {
    const { prober, clock, questions, observations, answers } = slow();
    prober.start();
    await clock.advance(10_000);
    expect(questions).toHaveLength(1);
    let finished = false;
    const done = prober.finish().then(() => {
      finished = true;
    });
    await clock.advance(60_000);
    expect(finished).toBe(false);
    answers[0]?.(answered("Keep your receipts and ask a professional where you are not sure about it."));
    await done;
    expect(questions).toHaveLength(1);
    expect(observations).toHaveLength(1);
  });

  it("is aborted by a stop", async () => {
    const { prober, clock, observations } = slow();
    prober.start();
    await clock.advance(10_000);
    const done = prober.finish();
    await prober.stop();
    await done;
    expect(observations).toHaveLength(0);
  });
});
