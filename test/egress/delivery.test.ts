import { describe, expect, it } from "vitest";
import { deliver, retryDelayMs } from "../../src/egress/delivery.ts";

const now = Date.parse("2026-03-01T12:00:00Z");

const outcomeOf = (status: number, retryAfter?: string) =>
  deliver({
    fetch: async () =>
      new Response(null, { status, headers: retryAfter === undefined ? {} : { "retry-after": retryAfter } }),
    url: "http://receiver.example/",
    headers: {},
    body: "",
    timeoutMs: 1_000,
    isPassing: (status) => status === 503,
    clock: { now: () => now, after: () => () => {} },
  });

describe("when a receiver wants to be asked again", () => {
  it.each([
    ["120", 120_000],
    ["0", 0],
    ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
    ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
    ["999999999", 3_600_000],
    ["soon", null],
    [undefined, null],
  ])("is read from Retry-After: %s", async (header, retryAfterMs) => {
    expect(await outcomeOf(503, header)).toEqual({ kind: "failed", reason: "status 503", retryAfterMs });
  });
});

it.each([
  [200, "delivered"],
  [202, "delivered"],
  [304, "refused"],
  [400, "refused"],
  [503, "failed"],
])("an answer of %i is %s", async (status, kind) => {
  expect((await outcomeOf(status)).kind).toBe(kind);
});

describe("the pause before another attempt", () => {
  const pause = (failures: number, drawn: number, retryAfterMs: number | null = null) =>
    retryDelayMs({ failures, longestMs: 60_000, retryAfterMs }, () => drawn);

  it("grows twofold from a second, with jitter downwards, up to a bound", () => {
    expect([1, 2, 3, 4].map((failures) => pause(failures, 1))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(pause(1, 0)).toBe(500);
    expect(pause(1_000, 1)).toBe(60_000);
  });

  it("is never shorter than the receiver asked for", () => {
    expect(pause(1, 0, 90_000)).toBe(90_000);
    expect(pause(4, 1, 100)).toBe(8_000);
  });
});
