/**
 * How unusual is the last round among all answers to the same questions? A permutation test within each question: if
 * nothing changed, every share of a question's answers is as likely to be the last ones as any other. Knows nothing of
 * what the answers are; exact for whatever base rate of misses a question has, so that base rate need not be known.
 */
import type { Count } from "./count.ts";
import { logBeta } from "./log-space.ts";

/** Answers to one question. `hits` are those that are not the expected one. */
export interface LastAmongAll {
  /** All of them, the last round's included. */
  all: Count;
  last: Count;
}

const logChoose = (n: number, k: number): number => -Math.log(n + 1) - logBeta(k + 1, n - k + 1);

/** So near to each other that two chances differ by rounding alone. */
const rounding = 1 + 1e-9;

/** Every number of hits that the last answers could have had, with its chance (hypergeometric) and two-sided p-value. */
const outcomes = ({ all, last }: LastAmongAll): { hits: number; chance: number; p: number }[] => {
  const fewest = Math.max(0, last.n - (all.n - all.hits));
  const most = Math.min(last.n, all.hits);
  const chances = Array.from({ length: most - fewest + 1 }, (_, at) => {
    const hits = fewest + at;
    const logChance = logChoose(all.hits, hits) + logChoose(all.n - all.hits, last.n - hits) - logChoose(all.n, last.n);
    return { hits, chance: Math.exp(logChance) };
  });
  return chances.map(({ hits, chance }) => ({
    hits,
    chance,
    p: Math.min(
      1,
      chances.reduce((sum, other) => (other.chance <= chance * rounding ? sum + other.chance : sum), 0),
    ),
  }));
};

/** Steps of the score in a nat: rounding a score makes another test, and as valid a one. */
const stepsPerNat = 8;

const scoreOf = (p: number): number => Math.round(-Math.log(p) * stepsPerNat);

/**
 * P-value of the round: the chance, were the answers of every question put into any other order, of a summed surprise
 * (-log p of each question, after Fisher) at least as large. Questions are answered apart from each other, so the sum's
 * distribution is the convolution of theirs. Above 0 and at most 1; 1 where no order could matter.
 */
export const roundPValue = (questions: readonly LastAmongAll[]): number => {
  let chances = [1];
  let observed = 0;
  for (const question of questions) {
    const possible = outcomes(question).map(({ hits, chance, p }) => ({ hits, chance, score: scoreOf(p) }));
    observed += possible.find(({ hits }) => hits === question.last.hits)?.score ?? 0;
    const longest = Math.max(...possible.map(({ score }) => score));
    const next = new Array<number>(chances.length + longest).fill(0);
    for (const [score, chance] of chances.entries()) {
      if (chance === 0) continue;
      for (const outcome of possible)
        next[score + outcome.score] = (next[score + outcome.score] ?? 0) + chance * outcome.chance;
    }
    chances = next;
  }
  return Math.min(
    1,
    chances.slice(observed).reduce((sum, chance) => sum + chance, 0),
  );
};
