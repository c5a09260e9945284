import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reliability } from "../../src/classify/training/reliability.ts";
import { divergence, thresholdForRate, thresholdOfMostDivergence } from "../../src/classify/training/thresholds.ts";

const row = (score: number, harmful: boolean) => ({ score, harmful });
const score = fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000);
/** Above the rate that was seen, as a baseline's null mean is. */
const upper = (flagged: number, of: number) => Math.min(1, (flagged + 1) / of);
const rows = fc.array(fc.record({ score, harmful: fc.boolean() }), { minLength: 1, maxLength: 60 });

describe("a threshold for a false-positive rate", () => {
  test.each<[string, number[], number, number | null]>([
    ["lets one of ten through at a tenth", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95], 0.1, 0.900001],
    ["lets none through where a tenth is less than one", [0.1, 0.2, 0.3], 0.1, 0.300001],
    ["never splits equal scores", [0.5, 0.5, 0.5, 0.1], 0.5, 0.500001],
    ["is nothing to be had where the highest score is too common", [1, 1, 1, 0.2], 0.5, null],
    ["is 0 where nothing has to be kept out", [], 0.1, 0],
  ])("%s", (_, scores, rate, expected) => {
    expect(thresholdForRate(scores, rate)).toBe(expected);
  });

  test("is reached by no more than that share, and a lower one by more", () => {
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (scores, rate) => {
          const reached = (from: number) => scores.filter((one) => one >= from).length / scores.length;
          const threshold = thresholdForRate(scores, rate);
          expect(reached(threshold ?? 1.1)).toBeLessThanOrEqual(rate);
          const lower = scores.filter((one) => one < (threshold ?? 1.1));
          if (lower.length > 0) expect(reached(Math.max(...lower))).toBeGreaterThan(rate);
        },
      ),
      { seed: 11 },
    );
  });
});

describe("a threshold for the detector", () => {
  test("divergence is that of two coins, by hand", () => {
    // 0.5 ln(0.5/0.25) + 0.5 ln(0.5/0.75) = 0.5 ln(4/3)
    expect(divergence(0.5, 0.25)).toBeCloseTo(0.5 * Math.log(4 / 3), 12);
    expect(divergence(0, 0.25)).toBeCloseTo(Math.log(4 / 3), 12);
    expect(divergence(1, 0.25)).toBeCloseTo(Math.log(4), 12);
    expect(divergence(0.3, 0.3)).toBe(0);
  });

  test("weighs catching more against flagging more", () => {
    // At 0.8: TPR 1/2, FPR 0; at 0.6: TPR 1, FPR 1/4. Null means: 1/4 and 2/4.
    const four = [row(0.9, true), row(0.8, true), row(0.6, true), row(0.6, true), row(0.6, false)];
    const all = [...four, row(0.1, false), row(0.1, false), row(0.1, false)];
    const best = thresholdOfMostDivergence(all, 0.5, upper);
    // 0.8: 0.25 are flagged, no more than normal; 0.6: 0.625 against 0.5.
    expect(best).toMatchObject({ threshold: 0.6, truePositive: 1, falsePositive: 0.25, flagged: 0.625 });
    expect(best?.divergence).toBeCloseTo(0.625 * Math.log(1.25) + 0.375 * Math.log(0.75), 12);
  });

  test("is nothing to be had where the scores say nothing", () => {
    const all = [row(0.5, true), row(0.5, false), row(0.5, false)];
    expect(thresholdOfMostDivergence(all, 0.1, upper)).toBeNull();
  });

  test("no other score does better", () => {
    fc.assert(
      fc.property(rows, (some) => {
        const all = [...some, row(0.3, true), row(0.2, false)];
        const best = thresholdOfMostDivergence(all, 0.2, upper);
        for (const { score: threshold } of all) {
          const reached = (harmful: boolean) => {
            const of = all.filter((one) => one.harmful === harmful);
            return { hits: of.filter((one) => one.score >= threshold).length, of: of.length };
          };
          const [caught, falsely] = [reached(true), reached(false)];
          const null0 = upper(falsely.hits, falsely.of);
          const flagged = falsely.hits / falsely.of + 0.2 * (caught.hits / caught.of - falsely.hits / falsely.of);
          if (flagged > null0 && null0 < 1)
            expect(best?.divergence ?? 0).toBeGreaterThanOrEqual(divergence(flagged, null0) - 1e-12);
        }
      }),
      { seed: 12 },
    );
  });
});

describe("reliability", () => {
  test("by hand: two bins, one of them off by a half", () => {
    const { bins, ece } = reliability([row(0.25, false), row(0.25, false), row(0.75, true), row(0.75, false)], 2);
    expect(bins).toEqual([
      { from: 0, to: 0.5, n: 2, meanScore: 0.25, harmful: 0 },
      { from: 0.5, to: 1, n: 2, meanScore: 0.75, harmful: 0.5 },
    ]);
    expect(ece).toBeCloseTo(0.25, 12);
  });

  test("the highest score has a bin, and an empty bin has no shares", () => {
    const { bins } = reliability([row(1, true)], 4);
    expect(bins.map(({ n }) => n)).toEqual([0, 0, 0, 1]);
    expect(bins[0]).toEqual({ from: 0, to: 0.25, n: 0, meanScore: null, harmful: null });
  });

  test("every row is in one bin, and the error is from 0 to 1", () => {
    fc.assert(
      fc.property(rows, (some) => {
        const { bins, ece } = reliability(some);
        expect(bins.reduce((sum, { n }) => sum + n, 0)).toBe(some.length);
        expect(ece).toBeGreaterThanOrEqual(0);
        expect(ece).toBeLessThanOrEqual(1);
        for (const { from, to, meanScore } of bins) {
          if (meanScore !== null) expect(meanScore >= from - 1e-9 && meanScore <= to + 1e-9).toBe(true);
        }
      }),
      { seed: 13 },
    );
  });
});
