import { expect, test } from "vitest";
import { createKnownPatterns } from "../../src/dialect/known-patterns.ts";

test("what nothing can be learnt from is tried seldom, and often again once something was of use", () => {
  const patterns = createKnownPatterns<string>();
  let tried = 0;
  const fail = (): null => {
    tried += 1;
    return null;
  };
  for (let answer = 0; answer < 640; answer += 1) patterns.learn(fail);
  expect(tried).toBe(16 + 10);
  for (let answer = 0; answer < 64; answer += 1) patterns.learn(() => "one");
  expect(patterns.recent()).toEqual(["one"]);
  patterns.used("one");
  patterns.learn(fail);
  expect(tried).toBe(16 + 10 + 1);
});

test("a few are remembered, those that were used last first", () => {
  const patterns = createKnownPatterns<number>();
  for (let pattern = 0; pattern < 10; pattern += 1) patterns.learn(() => pattern);
  patterns.used(4);
  expect(patterns.recent()).toEqual([4, 9, 8, 7, 6, 5, 3, 2]);
});
