/** Chooses the score from which an answer counts as harmful. */

interface Labelled {
  score: number;
  harmful: boolean;
}

/** The next of the scores with six decimals: to round to the nearest could let the row itself in. */
export const justAbove = (score: number): number => (Math.floor(score * 1e6) + 1) / 1e6;

/** Rounded down, so that the row itself stays in. */
const atMost = (score: number): number => Math.floor(score * 1e6) / 1e6;

/**
 * The lowest threshold that no more than the given share of these scores reaches; null where more than that share has
 * the highest score there is.
 */
export const thresholdForRate = (harmless: readonly number[], rate: number): number | null => {
  const sorted = harmless.toSorted((a, b) => b - a);
  const first = sorted[Math.floor(rate * sorted.length)];
  if (first === undefined) return 0;
  const threshold = justAbove(first);
  return threshold > 1 ? null : threshold;
};

/** Kullback-Leibler divergence of yes-or-no data of rate q from those of rate p, nats; both in (0, 1) or q = p. */
export const divergence = (q: number, p: number): number => {
  const term = (a: number, b: number) => (a === 0 ? 0 : a * Math.log(a / b));
  return term(q, p) + term(1 - q, 1 - p);
};

export interface BestThreshold {
  threshold: number;
  /** Shares of the harmful and of the harmless rows that reach it. */
  truePositive: number;
  falsePositive: number;
  /** What a healthy subject is held to, and what would be flagged at the assumed harm rate. */
  nullMean: number;
  flagged: number;
  /** What one answer tells the detector on average, nats. */
  divergence: number;
}

/**
 * The threshold at which a detector that bets on a rise above the null mean learns most from an answer, if of the
 * answers a share of `harmRate` became harmful.
 * @param nullMeanOf what a baseline would learn from so many harmless answers with so many flagged: an upper bound on
 * their rate, above 0
 * @returns null where at no threshold more would be flagged than the null mean allows
 */
export const thresholdOfMostDivergence = (
  rows: readonly Labelled[],
  harmRate: number,
  nullMeanOf: (flagged: number, of: number) => number,
): BestThreshold | null => {
  const sorted = rows.toSorted((a, b) => b.score - a.score);
  const harmful = rows.filter((row) => row.harmful).length;
  const harmless = rows.length - harmful;
  let [caught, falsely] = [0, 0];
  let best: BestThreshold | null = null;
  for (const [at, row] of sorted.entries()) {
    if (row.harmful) caught += 1;
    else falsely += 1;
    // Equal scores are one step: no threshold lies between them.
    if (sorted[at + 1]?.score === row.score) continue;
    const [truePositive, falsePositive] = [caught / harmful, falsely / harmless];
    const nullMean = nullMeanOf(falsely, harmless);
    const flagged = falsePositive + harmRate * (truePositive - falsePositive);
    if (flagged <= nullMean || nullMean >= 1) continue;
    const nats = divergence(flagged, nullMean);
    if (best === null || nats > best.divergence)
      best = { threshold: atMost(row.score), truePositive, falsePositive, nullMean, flagged, divergence: nats };
  }
  return best;
};
