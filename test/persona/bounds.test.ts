import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { anytimeUpper, clopperPearsonUpper, confidenceSequence } from "../../src/persona/bounds.ts";

const counts = fc.integer({ min: 1, max: 5000 }).chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
const totals = fc
  .integer({ min: 1, max: 2000 })
  .chain((n) => fc.tuple(fc.double({ min: 0, max: n, noNaN: true }), fc.constant(n)));

describe("the bound that is looked at once", () => {
  test.each([
    [12, 1000, 0.01937],
    [0, 300, 0.009936],
  ])("%d of %d gives %d, as the inverse of the beta distribution", (k, n, bound) => {
    expect(clopperPearsonUpper(k, n, 0.05)).toBeCloseTo(bound, 6);
  });

  test("without a hit it is 1 - alpha^(1/n)", () => {
    expect(clopperPearsonUpper(0, 50, 0.05)).toBeCloseTo(1 - 0.05 ** (1 / 50), 12);
  });

  test("all hits, or no data, bound nothing", () => {
    expect(clopperPearsonUpper(7, 7, 0.05)).toBe(1);
    expect(clopperPearsonUpper(0, 0, 0.05)).toBe(1);
  });

  test("it lies between the rate and 1, and grows with every hit", () => {
    fc.assert(
      fc.property(counts, ([k, n]) => {
        const bound = clopperPearsonUpper(k, n, 0.05);
        expect(bound).toBeGreaterThanOrEqual(k / n);
        expect(bound).toBeLessThanOrEqual(1);
        if (k > 0) expect(bound).toBeGreaterThan(clopperPearsonUpper(k - 1, n, 0.05));
      }),
    );
  });
});

describe("the bound that may be looked at any time", () => {
  test.each([
    [12, 1000, 0.025805],
    [60, 5000, 0.017847],
    [0, 300, 0.017818],
    [50, 1000, 0.075233],
  ])("%d of %d gives %d", (k, n, bound) => {
    expect(anytimeUpper(k, n, 0.05)).toBeCloseTo(bound, 6);
  });

  test("it costs more than a single look", () => {
    fc.assert(
      fc.property(counts, ([k, n]) => {
        expect(anytimeUpper(k, n, 0.05)).toBeGreaterThanOrEqual(clopperPearsonUpper(k, n, 0.05) - 1e-12);
      }),
    );
  });

  test("without data it is 1", () => {
    expect(anytimeUpper(0, 0, 0.05)).toBe(1);
  });
});

describe("the confidence sequence", () => {
  test("holds its estimate within 0 and 1, also for fractions", () => {
    fc.assert(
      fc.property(totals, ([total, n]) => {
        const { lower, estimate, upper } = confidenceSequence(total, n, 0.05);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(lower).toBeLessThanOrEqual(estimate);
        expect(upper).toBeGreaterThanOrEqual(estimate);
        expect(upper).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("is wider at a smaller alpha", () => {
    const [loose, strict] = [confidenceSequence(23, 61, 0.05), confidenceSequence(23, 61, 0.001)];
    expect(strict.lower).toBeLessThan(loose.lower);
    expect(strict.upper).toBeGreaterThan(loose.upper);
  });

  test("mirrors itself when hits and misses change places", () => {
    const [hits, misses] = [confidenceSequence(9, 40, 0.05), confidenceSequence(31, 40, 0.05)];
    expect(hits.lower).toBeCloseTo(1 - misses.upper, 12);
    expect(hits.upper).toBeCloseTo(1 - misses.lower, 12);
  });

  test("says nothing without data", () => {
    expect(confidenceSequence(0, 0, 0.05)).toEqual({ lower: 0, estimate: 0, upper: 1, n: 0 });
  });

  /** Share of runs in which some of 800 peeks missed the true mean. */
  const missed = (mean: number, draw: (random: () => number) => number): number => {
    const runs = 120;
    let misses = 0;
    for (let run = 0; run < runs; run += 1) {
      const random = seededRandom(run);
      let total = 0;
      for (let n = 1; n <= 800; n += 1) {
        total += draw(random);
        const { lower, upper } = confidenceSequence(total, n, 0.05);
        if (mean >= lower && mean <= upper) continue;
        misses += 1;
        break;
      }
    }
    return misses / runs;
  };

  test("misses the truth in few runs although everybody peeks at every datum", () => {
    expect(missed(0.1, (random) => (random() < 0.1 ? 1 : 0))).toBeLessThan(0.1);
  });

  test("holds for values between 0 and 1 too", () => {
    expect(missed(0.5, (random) => random())).toBeLessThan(0.1);
  });
});
