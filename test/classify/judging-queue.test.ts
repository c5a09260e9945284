import { expect, test } from "vitest";
import { cached } from "../../src/classify/cached.ts";
import type { Classifier, Judgement } from "../../src/classify/classifier.ts";
import { createJudgingQueue } from "../../src/classify/judging-queue.ts";

const fine = (score = 0): Judgement => ({
  kind: "judged",
  score,
  harmful: false,
  refused: null,
  categories: [],
  source: "s",
});
const text = (response: string) => ({ prompt: null, response });

const held = () => {
  const releases: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const classifier: Classifier = {
    source: "s",
    async judge() {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((release) => releases.push(release));
      running -= 1;
      return fine();
    },
  };
  return { classifier, releases, most: () => most };
};

test("a queue judges so many at once, keeps so many waiting, and turns the rest away", async () => {
  const { classifier, releases, most } = held();
  const queue = createJudgingQueue({ classifier, concurrency: 2, capacity: 3 });
  const given = Array.from({ length: 7 }, (_, n) => queue.judge(text(`${n}`)));
  expect(given.filter((one) => one === "dropped")).toHaveLength(2);
  expect(await queue.asClassifier.judge(text("late"))).toMatchObject({
    kind: "error",
    reason: "overloaded",
    source: "s",
  });
  for (let done = 0; done < 5; done++) {
    while (releases.length === 0) await new Promise((turn) => setImmediate(turn));
    releases.shift()?.();
    await new Promise((turn) => setImmediate(turn));
  }
  expect(await Promise.all(given.filter((one) => one !== "dropped"))).toHaveLength(5);
  expect(most()).toBe(2);
});

test("a place is given back when a classifier breaks its promise and throws", async () => {
  let calls = 0;
  const queue = createJudgingQueue({
    classifier: {
      source: "s",
      async judge() {
        calls += 1;
        if (calls === 1) throw new Error("bug");
        return fine();
      },
    },
    concurrency: 1,
    capacity: 1,
  });
  await expect(queue.judge(text("a"))).rejects.toThrow("bug");
  expect(await queue.judge(text("b"))).toEqual(fine());
});

const caching = (reply: () => Judgement, entries = 2) => {
  const asked: string[] = [];
  const counted: string[] = [];
  let now = 0;
  const classifier = cached(
    {
      source: "s",
      async judge({ response }) {
        asked.push(response);
        now += 5;
        return reply();
      },
    },
    {
      entries,
      meter: {
        judged: (judgement, ms) => void counted.push(`${judgement.kind} ${ms}`),
        cacheHit: (source) => void counted.push(`hit ${source}`),
      },
      clock: { monotonic: () => now },
    },
  );
  return {
    judge: (response: string, prompt: string | null = null) => classifier.judge({ prompt, response }),
    asked,
    counted,
  };
};

test("a judgement is remembered for the very same prompt and answer, as many as fit", async () => {
  const { judge, asked, counted } = caching(() => fine());
  for (const response of ["a", "a", "b", "c", "a"]) await judge(response);
  await judge("c", "another question");
  expect(asked).toEqual(["a", "b", "c", "a", "c"]);
  expect(counted.slice(0, 2)).toEqual(["judged 5", "hit s"]);
});

test("prompt and answer cannot be shifted into each other", async () => {
  const { judge, asked } = caching(() => fine(), 10);
  await judge("b", "a");
  await judge("ab", "");
  await judge("ab", null);
  expect(asked).toHaveLength(3);
});

test("an error is never remembered", async () => {
  const { judge, asked } = caching(() => ({ kind: "error", reason: "timeout", detail: "", source: "s" }));
  await judge("a");
  await judge("a");
  expect(asked).toHaveLength(2);
});

test("with no room nothing is remembered", async () => {
  const { judge, asked } = caching(() => fine(), 0);
  await judge("a");
  await judge("a");
  expect(asked).toHaveLength(2);
});
