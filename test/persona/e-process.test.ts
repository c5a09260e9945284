import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { advance, createEDetector, leadingBet, logEvidence, logTwin } from "../../src/persona/e-process.ts";
import { logMeanExp, softplus } from "../../src/persona/log-space.ts";
import { driftStakes, rateStakes } from "../../src/persona/settings.ts";

/** The mark is how many data came before. */
const watch = (data: readonly number[], theta: number, stakes = rateStakes) => {
  const detector = createEDetector(stakes, 0);
  data.forEach((x, before) => {
    advance(detector, x, theta, before);
  });
  return detector;
};

describe("known answers", () => {
  test("a burst after twenty clean answers", () => {
    const detector = watch([...Array(20).fill(0), 1, 0, 1, 1], 0.02);
    expect(logEvidence(detector)).toBeCloseTo(7.876007, 6);
    expect(logTwin(detector)).toBeCloseTo(6.472175, 6);
    expect(leadingBet(detector).mark).toBe(20);
  });

  test("evidence does not sit at zero while healthy, its twin does", () => {
    const detector = watch(Array(500).fill(0), 0.02);
    expect(logEvidence(detector)).toBeCloseTo(3.456435, 6);
    expect(logTwin(detector)).toBeCloseTo(-0.110932, 6);
  });

  test("one in ten against one in twenty", () => {
    const data = Array.from({ length: 300 }, (_, at) => (at % 10 === 0 ? 1 : 0));
    expect(logEvidence(watch(data, 0.05))).toBeCloseTo(8.419715, 6);
  });

  test("values between 0 and 1", () => {
    const data = Array.from({ length: 50 }, (_, at) => 0.1 * (at % 5));
    expect(logEvidence(watch(data, 0.05))).toBeCloseTo(26.713292, 6);
  });
});

const wealth = (data: readonly number[], theta: number, stakes: readonly number[]): number =>
  Math.exp(logEvidence(watch(data, theta, stakes)));

describe("under the null", () => {
  test.each([...rateStakes, ...driftStakes, 0.99])("a bet of stake %d is fair at the null mean", (stake) => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.97, noNaN: true }), (theta) => {
        const mean = theta * wealth([1], theta, [stake]) + (1 - theta) * wealth([0], theta, [stake]);
        expect(mean).toBeCloseTo(1, 9);
      }),
    );
  });

  test("a bet loses in the mean wherever the true mean is below the null", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.97, noNaN: true }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.constantFrom(...rateStakes),
        (theta, share, stake) => {
          const q = theta * share;
          const mean = q * wealth([1], theta, [stake]) + (1 - q) * wealth([0], theta, [stake]);
          expect(mean).toBeLessThanOrEqual(1 + 1e-12);
        },
      ),
    );
  });

  test.each([1, 2, 5, 10])("after %d data the mean evidence is exactly their number", (length) => {
    const theta = 0.1;
    let mean = 0;
    for (let pattern = 0; pattern < 2 ** length; pattern += 1) {
      const data = Array.from({ length }, (_, at) => (pattern >> at) & 1);
      const hits = data.filter((x) => x === 1).length;
      mean += theta ** hits * (1 - theta) ** (length - hits) * wealth(data, theta, rateStakes);
    }
    expect(mean).toBeCloseTo(length, 9);
  });

  test("the mean of evidence less the number of data stays near zero when the null mean follows the past", () => {
    const [runs, length] = [4000, 40];
    let sum = 0;
    for (let run = 0; run < runs; run += 1) {
      const random = seededRandom(run);
      const detector = createEDetector([0.01, 0.02, 0.04], null);
      let last = 0;
      for (let at = 0; at < length; at += 1) {
        const theta = last === 1 ? 0.3 : 0.05;
        last = random() < theta ? 1 : 0;
        advance(detector, last, theta, null);
      }
      sum += Math.exp(logEvidence(detector)) - length;
    }
    expect(Math.abs(sum / runs)).toBeLessThan(0.1 * length);
  });
});

test("a null mean near 1 leaves no room to rise, so nothing is bet and evidence does not grow by itself", () => {
  expect(logEvidence(watch(Array(50_000).fill(1), 0.99))).toBe(Number.NEGATIVE_INFINITY);
});

/** The recursion on logarithms, which has neither floor nor ceiling: slower, and the same. */
const byLogarithms = (data: readonly number[], theta: number) => {
  const sums = rateStakes.map(() => Number.NEGATIVE_INFINITY);
  const twins = rateStakes.map(() => 0);
  for (const x of data) {
    for (const [at, stake] of rateStakes.entries()) {
      const logE = Math.log(1 - stake + (stake * x) / theta);
      sums[at] = softplus(sums[at] ?? 0) + logE;
      twins[at] = Math.max(0, twins[at] ?? 0) + logE;
    }
  }
  return { evidence: logMeanExp(sums), twin: logMeanExp(twins) };
};

test.each([
  ["up and down again", [900, 12_000, 900, 40_000]],
  ["up in two steps", [300, 200, 4_000]],
  ["down from nothing", [0, 5_000]],
])("evidence beyond what a number can hold is what logarithms give: %s", (_, runs) => {
  const data = runs.flatMap((length, index) => Array<number>(length).fill(index % 2 === 0 ? 1 : 0));
  const detector = watch(data, 0.02);
  const { evidence, twin } = byLogarithms(data, 0.02);
  expect(logEvidence(detector)).toBeCloseTo(evidence, 6);
  expect(logTwin(detector)).toBeCloseTo(twin, 6);
});

test("evidence has no ceiling", () => {
  expect(logEvidence(watch(Array(20_000).fill(1), 0.01))).toBeGreaterThan(60_000);
});

test("a mark moves on while nothing happens and stays from the first datum of a change", () => {
  const healthy = Array(100).fill(0);
  expect(leadingBet(watch(healthy, 0.02)).mark).toBe(99);
  expect(leadingBet(watch([...healthy, ...Array(30).fill(1)], 0.02)).mark).toBe(100);
});
