import { expect, it } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { type LastAmongAll, roundPValue } from "../../src/persona/permutation-test.ts";

const question = (n: number, hits: number, lastN: number, lastHits: number): LastAmongAll => ({
  all: { n, hits },
  last: { n: lastN, hits: lastHits },
});

it.each<[string, LastAmongAll[], number]>([
  ["nothing to compare", [], 1],
  ["a question whose answers are all alike", [question(44, 0, 4, 0)], 1],
  ["one that was answered otherwise only in the last answers", [question(43, 3, 3, 3)], 1 / 12_341],
  ["hits as they were expected", [question(40, 20, 4, 2)], 1],
  ["fewer hits than there were", [question(8, 4, 4, 0)], 2 / 70],
  ["two questions, of which one can't differ", [question(43, 3, 3, 3), question(43, 0, 3, 0)], 1 / 12_341],
])("%s", (_, questions, p) => {
  expect(roundPValue(questions)).toBeCloseTo(p, 10);
});

it("rejects no more often than it says where the order is by chance alone", () => {
  const random = seededRandom(99);
  const rounds = 4_000;
  const ps = Array.from({ length: rounds }, () =>
    roundPValue(
      [0.02, 0.1, 0.3, 0.5].map((rate) => {
        const hits = Array.from({ length: 24 }, () => random() < rate);
        const last = hits.slice(20);
        return {
          all: { n: hits.length, hits: hits.filter(Boolean).length },
          last: { n: last.length, hits: last.filter(Boolean).length },
        };
      }),
    ),
  );
  for (const level of [0.01, 0.05, 0.2, 0.5]) {
    const rejected = ps.filter((p) => p <= level).length / rounds;
    expect(rejected).toBeLessThan(level + 4 * Math.sqrt((level * (1 - level)) / rounds));
    expect(rejected).toBeGreaterThan(level / 4);
  }
});
