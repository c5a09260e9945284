import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anytimeUpper, clopperPearsonUpper } from "../../src/persona/bounds.ts";
import { createRateBaseline, learnRate } from "../../src/persona/rate-baseline.ts";

const rules = { need: 100, alpha: 0.05, ratchetEvery: 50, floor: 0.002 };

const learnAll = (hits: readonly boolean[], given = rules) => {
  const baseline = createRateBaseline();
  for (const hit of hits) learnRate(baseline, hit, given);
  return baseline;
};

const clean = (n: number): boolean[] => Array(n).fill(false);

describe("a baseline", () => {
  test("is unknown until enough data are there, then the upper bound of what they show", () => {
    const data = [true, true, true, ...clean(97)];
    expect(learnAll(data.slice(0, 99)).nullMean).toBeNull();
    expect(learnAll(data).nullMean).toBe(clopperPearsonUpper(3, 100, 0.05));
  });

  test("is tightened at every fiftieth datum and not between", () => {
    const at = (n: number): number | null => learnAll([true, true, true, ...clean(n - 3)]).nullMean;
    expect(at(449)).toBe(at(400));
    expect(at(450)).toBe(anytimeUpper(3, 450, 0.05));
    expect(at(450)).toBeLessThan(at(449) ?? 0);
  });

  test("never rises, and never falls below its floor", () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        fc.double({ min: 0, max: 1 }),
        (stream, rate) => {
          const baseline = createRateBaseline();
          let before = 1;
          for (const draw of stream.take(700)) {
            learnRate(baseline, draw < rate, { ...rules, floor: 0.04 });
            const now = baseline.nullMean ?? 1;
            expect(now).toBeLessThanOrEqual(before);
            expect(now).toBeGreaterThanOrEqual(0.04);
            before = now;
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a slow ramp does not teach it that more is normal", () => {
    const healthy = clean(1000);
    const before = learnAll(healthy).nullMean ?? 1;
    const ramp = Array.from({ length: 2000 }, (_, at) => at % 10 < at / 400);
    expect(learnAll([...healthy, ...ramp]).nullMean).toBeLessThanOrEqual(before);
  });
});
