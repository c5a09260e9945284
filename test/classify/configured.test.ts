import { describe, expect, test } from "vitest";
import { describeClassifier, judgingConcurrency } from "../../src/classify/configured.ts";
import { configFrom } from "../../src/config/load.ts";

const server = { baseUrl: "http://127.0.0.1:9/v1", model: "m" };
const guard = { ...server, kind: "wildguard" };
const settings = (classify: unknown) =>
  configFrom(
    {
      upstreams: [{ id: "main", baseUrl: "http://127.0.0.1:9/v1" }],
      subjects: [{ id: "s", models: ["m"] }],
      classify,
    },
    "test",
  ).classify;

describe("a configuration that can't be run names the field", () => {
  test.each<[unknown, RegExp]>([
    [{ use: "judge" }, /classify\.judge.*needs a `judge`/s],
    [{ use: "guard" }, /classify\.guard.*needs a `guard`/s],
    [{ use: "cascade" }, /classify\.cascade.*needs a `cascade`/s],
    [{ use: "cascade", cascade: { second: "guard" } }, /classify\.guard/],
    [{ use: "cascade", cascade: { second: "guard", confirm: "judge" }, guard }, /classify\.judge/],
    [{ use: "cascade", cascade: { second: "guard", confirm: "guard" }, guard }, /classify\.cascade\.confirm/],
    [{ use: "guard", guard: { ...server, kind: "llama-guard-9" } }, /classify\.guard\.kind/],
    [{ use: "guard", guard: { ...guard, callsPerHour: 0 } }, /classify\.guard\.callsPerHour/],
    [{ breaker: { failureShare: 0 } }, /classify\.breaker\.failureShare/],
  ])("%j", (classify, message) => {
    expect(() => settings(classify)).toThrow(message);
  });
});

describe("what judges is said plainly", () => {
  test.each<[unknown, RegExp]>([
    [{}, /a screen, not a guard/],
    [{ use: "guard", guard }, /guard model wildguard m at http/],
    [
      { use: "cascade", cascade: { second: "guard", confirm: "judge" }, guard, judge: server },
      /a screen, not a guard.*wildguard.*judge m/,
    ],
  ])("%j", (classify, text) => {
    expect(describeClassifier(settings(classify))).toMatch(text);
  });
});

test("a cascade asks as many at once as its slowest stage bears", () => {
  const both = { guard: { ...guard, concurrency: 8 }, judge: { ...server, concurrency: 2 } };
  const cascade = { second: "guard", confirm: "judge" };
  expect(judgingConcurrency(settings({ use: "cascade", cascade, ...both }))).toBe(2);
  expect(judgingConcurrency(settings({ use: "guard", ...both }))).toBe(8);
});
