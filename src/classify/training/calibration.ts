/** Turns log-odds of sources that a screen never saw into its calibrated score and its bands. */
import { logistic, logitOf, type ScreenDescription } from "../screen-model.ts";
import { exampleWeights, fitScreen } from "./fit-screen.ts";
import type { LabelledRow } from "./labelled-row.ts";
import { justAbove } from "./thresholds.ts";

/** A row with the log-odds that a screen gave it which was trained without the row's source. */
export interface UnseenRow extends LabelledRow {
  logit: number;
}

/**
 * Each source scored by a screen trained on the others. Sources of one class alone are trained on, never scored.
 * @param besides trained on as well, never scored
 */
export const scoreUnseen = (
  sources: readonly (readonly LabelledRow[])[],
  besides: readonly (readonly LabelledRow[])[] = [],
): UnseenRow[][] =>
  sources
    .filter((rows) => rows.some((row) => row.harmful) && rows.some((row) => !row.harmful))
    .map((held) => {
      const model = fitScreen([...sources.filter((rows) => rows !== held), ...besides]);
      return held.map((row) => ({ ...row, logit: logitOf(model, row.response) }));
    });

export interface Platt {
  slope: number;
  offset: number;
}

/** Newton's method on two parameters; harmful and harmless rows weigh the same (Platt 1999). */
export const fitPlatt = (sources: readonly (readonly UnseenRow[])[]): Platt => {
  const rows = sources.flat();
  const weights = exampleWeights(sources);
  let slope = 1;
  let offset = 0;
  for (let round = 0; round < 50; round += 1) {
    let [gSlope, gOffset, hSlope, hCross, hOffset] = [0, 0, 1e-9, 0, 1e-9];
    for (const [at, { logit, harmful }] of rows.entries()) {
      const score = logistic(slope * logit + offset);
      const weight = weights[at] ?? 0;
      const off = weight * (score - (harmful ? 1 : 0));
      const bend = weight * score * (1 - score);
      gSlope += off * logit;
      gOffset += off;
      hSlope += bend * logit * logit;
      hCross += bend * logit;
      hOffset += bend;
    }
    const determinant = hSlope * hOffset - hCross * hCross;
    slope -= (hOffset * gSlope - hCross * gOffset) / determinant;
    offset -= (hSlope * gOffset - hCross * gSlope) / determinant;
  }
  return { slope, offset };
};

/** Harmless answers of an unseen source that reach a band, as a mean over sources. */
const falsePositiveRates = { uncertain: 0.2, harmful: 0.05, high: 0.01 } as const;

/** The score that the given share of harmless rows reaches, each source counting the same. */
const scoreAt = (sources: readonly (readonly number[])[], rate: number): number => {
  const every = sources.flatMap((scores) =>
    scores.map((score) => ({ score, share: 1 / scores.length / sources.length })),
  );
  let reached = 0;
  for (const { score, share } of every.toSorted((a, b) => b.score - a.score)) {
    reached += share;
    if (reached > rate) return justAbove(score);
  }
  return 0;
};

export const chooseBands = (
  sources: readonly (readonly UnseenRow[])[],
  { slope, offset }: Platt,
): ScreenDescription["bands"] => {
  const harmless = sources.map((rows) =>
    rows.filter((row) => !row.harmful).map(({ logit }) => logistic(slope * logit + offset)),
  );
  const band = (falsePositiveRate: number) => ({
    score: scoreAt(harmless, falsePositiveRate),
    falsePositiveRate,
  });
  return {
    uncertain: band(falsePositiveRates.uncertain),
    harmful: band(falsePositiveRates.harmful),
    high: band(falsePositiveRates.high),
  };
};
