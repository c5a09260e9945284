import { describe, expect, test } from "vitest";
import type { Classifier, Judgement } from "../../src/classify/classifier.ts";
import { withBreaker } from "../../src/classify/with-breaker.ts";
import { createBreaker } from "../../src/kernel/breaker.ts";

const fine: Judgement = { kind: "judged", score: 0, harmful: false, refused: null, categories: [], source: "s" };
const failed = (reason: Extract<Judgement, { kind: "error" }>["reason"]): Judgement => ({
  kind: "error",
  reason,
  detail: "",
  source: "s",
});

const setUp = (failures = 3, restMs = 1_000) => {
  let now = 0;
  let next: () => Promise<Judgement> = async () => fine;
  let calls = 0;
  const logged: string[] = [];
  const inner: Classifier = {
    source: "s",
    judge() {
      calls += 1;
      return next();
    },
  };
  const breaker = withBreaker(inner, {
    failures,
    share: 1,
    window: 100,
    restMs,
    clock: { monotonic: () => now },
    log: {
      warn: (_: unknown, text?: string) => void logged.push(`${text}`),
      info: (_: unknown, text?: string) => void logged.push(`${text}`),
    },
  });
  return {
    ask: (signal?: AbortSignal) => breaker.judge({ prompt: null, response: "x" }, signal),
    replies: (judgement: Judgement) => {
      next = async () => judgement;
    },
    hangs: () => {
      let release: (judgement: Judgement) => void = () => {};
      next = () =>
        new Promise((resolve) => {
          release = resolve;
        });
      return (judgement: Judgement) => release(judgement);
    },
    wait: (ms: number) => {
      now += ms;
    },
    calls: () => calls,
    logged,
  };
};

test("after failures in a row the server is left alone, and what is not asked is an error", async () => {
  const { ask, replies, calls, logged } = setUp();
  replies(failed("timeout"));
  for (let n = 0; n < 10; n++) expect((await ask()).kind).toBe("error");
  expect(calls()).toBe(3);
  expect(logged).toEqual(["a classifier does not answer"]);
});

test("one text tries whether it is back, and only one; when it is, all are judged again", async () => {
  const { ask, replies, hangs, wait, calls, logged } = setUp();
  replies(failed("unavailable"));
  for (let n = 0; n < 3; n++) await ask();
  wait(999);
  await ask();
  expect(calls()).toBe(3);
  wait(1);
  const release = hangs();
  const tried = ask();
  expect(await ask()).toMatchObject({ kind: "error", reason: "unavailable" });
  expect(calls()).toBe(4);
  release(fine);
  expect(await tried).toEqual(fine);
  replies(fine);
  expect(await ask()).toEqual(fine);
  expect(logged.at(-1)).toBe("a classifier answers again");
});

test("a try that fails leaves it alone for another while", async () => {
  const { ask, replies, wait, calls } = setUp();
  replies(failed("rate-limited"));
  for (let n = 0; n < 3; n++) await ask();
  wait(1_000);
  await ask();
  wait(999);
  await ask();
  expect(calls()).toBe(4);
  wait(1);
  await ask();
  expect(calls()).toBe(5);
});

test("a success in between, replies that can't be read, and callers who gave up do not count", async () => {
  const { ask, replies, calls } = setUp();
  for (const judgement of [failed("timeout"), failed("timeout"), fine, failed("timeout"), failed("unparseable")]) {
    replies(judgement);
    await ask();
  }
  replies(failed("unavailable"));
  for (let n = 0; n < 5; n++) await ask(AbortSignal.abort());
  replies(fine);
  expect(await ask()).toEqual(fine);
  expect(calls()).toBe(11);
});

test("a budget that is used up neither opens it nor closes it, and the next text tries again", async () => {
  const { ask, replies, wait, calls } = setUp();
  replies(failed("overloaded"));
  for (let n = 0; n < 9; n++) await ask();
  expect(calls()).toBe(9);
  replies(failed("timeout"));
  for (let n = 0; n < 3; n++) await ask();
  wait(1_000);
  replies(failed("overloaded"));
  await ask();
  replies(failed("timeout"));
  await ask();
  await ask();
  expect(calls()).toBe(14);
});

test("a call from before it opened does not decide for the one that tries", async () => {
  const { ask, replies, hangs, wait } = setUp(1);
  const releaseOld = hangs();
  const old = ask();
  replies(failed("timeout"));
  await ask();
  wait(1_000);
  const releaseTry = hangs();
  const tried = ask();
  releaseOld(fine);
  await old;
  expect(await ask()).toMatchObject({ kind: "error", detail: "left alone after too many failures" });
  releaseTry(fine);
  expect(await tried).toEqual(fine);
});

describe("by its share of failures", () => {
  const byShare = () =>
    createBreaker({ failures: 100, share: 0.5, window: 4, restMs: 1, clock: { monotonic: () => 0 } });

  test.each<[string, boolean[], string]>([
    ["half of the last calls open it", [true, false, true, false], "open"],
    ["fewer calls than the window do not", [false, false, false], "closed"],
    ["a smaller share does not", [true, true, false, true, true, true, false], "closed"],
    ["calls before the window are forgotten", [false, true, true, true, true, false], "closed"],
  ])("%s", (_, outcomes, state) => {
    const breaker = byShare();
    for (const ok of outcomes) breaker.report(ok);
    expect(breaker.state()).toBe(state);
  });
});

test("a server that says when to come back is left alone until then, and no longer than ten minutes", async () => {
  const { ask, replies, wait, calls } = setUp(3, 1_000);
  const asksFor = (ms: number): Judgement => ({
    kind: "error",
    reason: "rate-limited",
    detail: "",
    source: "s",
    retryAfterMs: ms,
  });
  replies(asksFor(30_000));
  await ask();
  replies(fine);
  wait(29_999);
  expect(await ask()).toMatchObject({ reason: "unavailable" });
  expect(calls()).toBe(1);
  wait(1);
  expect(await ask()).toBe(fine);
  replies(asksFor(86_400_000));
  await ask();
  replies(fine);
  wait(600_000);
  expect(await ask()).toBe(fine);
});
