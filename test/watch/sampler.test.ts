import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { createSampler, noSamplesTaken } from "../../src/watch/sampler.ts";
import { handTurnedClock } from "./hand-turned-clock.ts";

const hour = 3_600_000;

const samplerOf = (rate: number, maxPerHour: number, seed = 1) => {
  const clock = handTurnedClock();
  return { clock, sampler: createSampler({ rate, maxPerHour, random: seededRandom(seed), clock }) };
};

describe("the sampler", () => {
  test("takes its share, and with the same seed the same exchanges", () => {
    const draws = () => {
      const { sampler } = samplerOf(0.3, 1_000);
      return Array.from({ length: 10_000 }, () => sampler.draw());
    };
    const sampled = draws().filter((draw) => draw === "sampled").length;
    expect(sampled).toBeGreaterThan(2_800);
    expect(sampled).toBeLessThan(3_200);
    expect(draws()).toEqual(draws());
  });

  test.each([
    [0, "passed-over"],
    [1, "sampled"],
  ])("of rate %d only says %s", (rate, draw) => {
    const { sampler } = samplerOf(rate, 10);
    for (let n = 0; n < 100; n += 1) expect(sampler.draw()).toBe(draw);
  });

  test("that may take nothing takes nothing", () => {
    const { sampler } = samplerOf(1, 0);
    expect(sampler.draw()).toBe("capped");
    expect(sampler.claim()).toBe(false);
  });

  test("looks at no more than ten exchanges for a place", () => {
    const { sampler, clock } = samplerOf(1, 2);
    const draws = () => Array.from({ length: 25 }, () => sampler.draw()).filter((draw) => draw === "sampled").length;
    expect(draws()).toBe(20);
    clock.turn(2 * hour);
    expect(draws()).toBe(20);
  });

  test("gives places back as the hour slides on", () => {
    const { sampler, clock } = samplerOf(1, 2);
    expect([sampler.claim(), sampler.claim(), sampler.claim()]).toEqual([true, true, false]);
    expect(sampler.draw()).toBe("capped");
    clock.turn(hour - 1);
    expect(sampler.claim()).toBe(false);
    clock.turn(61_000);
    expect(sampler.draw()).toBe("sampled");
    expect(sampler.claim()).toBe(true);
  });

  test("counts a place to the last second of its hour", () => {
    const { sampler, clock } = samplerOf(1, 1);
    clock.turn(59_000);
    expect(sampler.claim()).toBe(true);
    clock.turn(hour - 1_000);
    expect(sampler.claim()).toBe(false);
  });

  test("never gives more places than allowed in any 60 minutes, and waits no more than a minute too long", () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 20 }), (waits, cap) => {
        const { sampler, clock } = samplerOf(1, cap);
        const claims: number[] = [];
        for (const wait of waits) {
          clock.turn(wait);
          const now = clock.monotonic();
          const within = (ms: number) => claims.filter((at) => at > now - ms).length;
          if (sampler.claim()) {
            claims.push(now);
            expect(within(hour)).toBeLessThanOrEqual(cap);
          } else {
            expect(within(hour + 60_000)).toBeGreaterThanOrEqual(cap);
          }
        }
      }),
    );
  });
});

test("who goes on for another has no more of the hour than the other left", () => {
  const clock = handTurnedClock();
  const taken = noSamplesTaken();
  const parts = { rate: 1, random: seededRandom(1), clock, taken };
  const one = createSampler({ ...parts, maxPerHour: 3 });
  expect([one.claim(), one.claim()]).toEqual([true, true]);
  const other = createSampler({ ...parts, maxPerHour: 3 });
  expect([other.claim(), other.claim(), one.claim()]).toEqual([true, false, false]);
  const larger = createSampler({ ...parts, maxPerHour: 4 });
  expect([larger.claim(), larger.claim()]).toEqual([true, false]);
});
