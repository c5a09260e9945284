import { expect, test } from "vitest";
import { logBeta, logMeanExp, logSumExp, softplus } from "../../src/persona/log-space.ts";

test.each([-700, -40, -35, -1, 0, 1, 35])("softplus(%d) is log(1 + exp(a))", (a) => {
  expect(softplus(a)).toBeCloseTo(Math.log1p(Math.exp(a)), 14);
});

test("softplus neither overflows nor loses minus infinity", () => {
  expect(softplus(1e6)).toBe(1e6);
  expect(softplus(Number.NEGATIVE_INFINITY)).toBe(0);
});

test("sums of exponentials hold where the exponentials overflow", () => {
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
  expect(logMeanExp([-1000, -1000, -1000])).toBeCloseTo(-1000, 12);
});

test("the sum of nothing is nothing", () => {
  expect(logSumExp([])).toBe(Number.NEGATIVE_INFINITY);
  expect(logSumExp([Number.NEGATIVE_INFINITY, 3])).toBe(3);
  expect(logMeanExp([])).toBe(Number.NEGATIVE_INFINITY);
});

test.each([
  [1, 1, 0],
  [2, 3, Math.log(1 / 12)],
  [0.5, 0.5, Math.log(Math.PI)],
  [1, 1000, Math.log(1 / 1000)],
  [10, 1, Math.log(1 / 10)],
])("logBeta(%d, %d) is its closed form", (a, b, exact) => {
  expect(logBeta(a, b)).toBeCloseTo(exact, 11);
});
