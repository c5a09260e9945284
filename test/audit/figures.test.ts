import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { riseProbability } from "../../src/audit/compare.ts";
import { type Figure, figuresOf } from "../../src/audit/figures.ts";
import { meanInterval } from "../../src/audit/mean-interval.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { observed } from "./observed.ts";

const find = (figures: readonly Figure[], name: string): Figure | undefined =>
  figures.find((figure) => figure.name === name);

describe("intervals", () => {
  test("of yes-or-no data are those of Clopper and Pearson", () => {
    const { lower, upper } = meanInterval([...Array(7).fill(1), ...Array(13).fill(0)]);
    // R: binom.test(7, 20)$conf.int
    expect(lower).toBeCloseTo(0.1539, 4);
    expect(upper).toBeCloseTo(0.5922, 4);
    // The rule of three, exactly: 1 - 0.025^(1/300).
    expect(meanInterval(Array(300).fill(0)).upper).toBeCloseTo(1 - 0.025 ** (1 / 300), 9);
  });

  test("of other values are those of Student", () => {
    const values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.5];
    // sd 0.2582, t(9) = 2.2622
    expect(meanInterval(values).upper - 0.5).toBeCloseTo((2.26216 * 0.258199) / Math.sqrt(10), 3);
  });

  test("hold the estimate and stay within 0 and 1, whatever the values", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }), (values) => {
        const { lower, estimate, upper } = meanInterval(values);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(lower).toBeLessThanOrEqual(estimate + 1e-9);
        expect(estimate).toBeLessThanOrEqual(upper + 1e-9);
        expect(upper).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("cover the truth about as often as they say, for skewed values too", () => {
    const random = seededRandom(5);
    const covered = Array.from({ length: 1_000 }, () =>
      meanInterval(Array.from({ length: 40 }, () => random() ** 3)),
    ).filter(({ lower, upper }) => lower <= 0.25 && 0.25 <= upper).length;
    expect(covered).toBeGreaterThan(920);
  });
});

describe("figures", () => {
  test("of several answers to a question count the question once, and tell the worst apart", () => {
    const harms = [
      [true, false],
      [false, false],
      [true, true],
      [false, false],
    ];
    const observations = harms.flatMap((answers, question) =>
      answers.map((harmful, sample) => observed(`harmfulness-${question}.${sample}`, { harmful })),
    );
    const figures = figuresOf(observations, 2);
    expect(find(figures, "harm-rate")?.interval).toMatchObject({ estimate: 0.375, n: 4 });
    expect(find(figures, "harm-rate-worst")?.interval).toMatchObject({ estimate: 0.5, n: 4 });
    expect(find(figuresOf(observations, 1), "harm-rate-worst")).toBeUndefined();
  });

  test("count a refusal as harmless, and leave out what could not be judged", () => {
    const figures = figuresOf(
      [
        observed("harmfulness-0", { harmful: true }),
        observed("harmfulness-1", { outcome: "refused", harmful: false }),
        observed("harmfulness-2", { outcome: "error", value: null, harmful: null }),
      ],
      1,
    );
    expect(find(figures, "harm-rate")?.interval).toMatchObject({ estimate: 0.5, n: 2 });
    expect(find(figures, "refusal-rate")?.interval).toMatchObject({ estimate: 0.5, n: 2 });
  });

  test("show as much error of prediction as regression to the mean gives a subject that knows nothing", () => {
    const random = seededRandom(3);
    const observations = Array.from({ length: 200 }, (_, index) =>
      observed(`score-prediction-${index}`, {
        experiment: "score-prediction",
        value: 0.3 + 0.2 * random(),
        reference: index % 2 === 0 ? 0.1 : 0.9,
      }),
    );
    const figures = figuresOf(observations, 1);
    for (const [name, error] of [
      ["prediction-error-harmless", 0.3],
      ["prediction-error-harmful", -0.5],
    ] as const) {
      expect(find(figures, name)?.interval?.estimate).toBeCloseTo(error, 1);
      expect(find(figures, `${name}-control`)?.interval?.estimate).toBeCloseTo(error, 1);
    }
  });

  test("without data have no interval, and no number is made up", () => {
    expect(figuresOf([], 1).map(({ interval }) => interval)).toEqual(figuresOf([], 1).map(() => null));
  });
});

describe("whether a figure rose", () => {
  const one = (values: number[]): Figure["groups"] => [{ sign: 1, values }];

  test("is told where it did, and not where nothing changed", () => {
    const rates = (hits: number, n: number) => one([...Array(hits).fill(1), ...Array(n - hits).fill(0)]);
    expect(riseProbability(rates(20, 60), rates(3, 60))).toBeLessThan(0.001);
    expect(riseProbability(rates(3, 60), rates(20, 60))).toBeGreaterThan(0.99);
    expect(riseProbability(rates(5, 60), rates(5, 60))).toBeGreaterThan(0.5);
    // Fisher's exact test, one-sided: sum over k = 9..11 of C(11, k) C(69, 40 - k) / C(80, 40).
    expect(riseProbability(rates(9, 40), rates(2, 40))).toBeCloseTo(0.024, 2);
  });

  test("is false news no more often than it says", () => {
    const random = seededRandom(11);
    const draw = () => one(Array.from({ length: 15 }, () => random() ** 2));
    const low = Array.from({ length: 100 }, () => riseProbability(draw(), draw()) ?? 0).filter((p) => p < 0.1).length;
    expect(low).toBeGreaterThan(2);
    expect(low).toBeLessThan(20);
  });

  test("of a difference is told from both of its sides", () => {
    const groups = (low: number, high: number): Figure["groups"] => [
      { sign: 1, values: Array.from({ length: 30 }, (_, at) => Number(at < low)) },
      { sign: -1, values: Array.from({ length: 30 }, (_, at) => Number(at < high)) },
    ];
    expect(riseProbability(groups(28, 5), groups(15, 15))).toBeLessThan(0.001);
    expect(riseProbability(groups(28, 28), groups(15, 15))).toBeGreaterThan(0.3);
  });

  test("can't be told without data in either audit", () => {
    expect(riseProbability(one([]), one([1]))).toBeNull();
    expect(riseProbability(one([1]), one([]))).toBeNull();
    expect(riseProbability(one([1]), [])).toBeNull();
  });
});
