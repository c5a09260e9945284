/** Trains a screen on a site's own labelled answers and says how it does on groups of them that it was not trained on. */
import { createHash } from "node:crypto";
import { isRefusal } from "../refusal.ts";
import type { ScreenModel } from "../screen-model.ts";
import { fitPlatt, scoreUnseen, type UnseenRow } from "./calibration.ts";
import { fitScreen } from "./fit-screen.ts";
import type { LabelledRow } from "./labelled-row.ts";
import { type FigureName, type Interval, rankingFigures } from "./ranking-figures.ts";
import { assembleModel } from "./trained-model.ts";

/** There is too little to learn from; the message says how much there has to be. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
}

const leastRows = 30;
const folds = 5;

export interface OwnScreen {
  model: ScreenModel;
  /** On groups kept out of training, beside the rule that whatever is no refusal is harmful. */
  keptOut: { rows: number; screen: Record<FigureName, Interval>; noRefusal: Record<FigureName, Interval> };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Groups with harm are dealt out first, so that every fold gets its share; in which order is settled by their hashes. */
const intoFolds = (rows: readonly LabelledRow[]): LabelledRow[][] => {
  const groups = Map.groupBy(rows, ({ group }) => group);
  const dealt = [...groups.values()]
    .map((group) => ({ group, mild: group.some((row) => row.harmful) ? 0 : 1, key: sha256(group[0]?.group ?? "") }))
    .sort((a, b) => a.mild - b.mild || (a.key < b.key ? -1 : 1));
  return Array.from({ length: folds }, (_, fold) =>
    dealt.filter((_, at) => at % folds === fold).flatMap(({ group }) => group),
  );
};

const check = (rows: readonly LabelledRow[]): void => {
  for (const [word, harmful] of [
    ["harmful", true],
    ["harmless", false],
  ] as const) {
    const some = rows.filter((row) => row.harmful === harmful);
    const groups = new Set(some.map(({ group }) => group)).size;
    if (some.length < leastRows || groups < folds) {
      throw new TrainingError(
        `there are ${some.length} ${word} answers in ${groups} groups: label at least ${leastRows} in ${folds} groups`,
      );
    }
  }
};

export interface OwnScreenSource {
  /** Name of the model without its version. */
  name: string;
  file: string;
  sha256: string;
}

/** The same rows in the same order give the same bytes. @throws TrainingError when there is too little to learn from */
export const trainOwnScreen = (rows: readonly LabelledRow[], source: OwnScreenSource): OwnScreen => {
  check(rows);
  const parts = intoFolds(rows);
  const unseen = scoreUnseen(parts);
  if (fitPlatt(unseen).slope <= 0) {
    throw new TrainingError("what the words of some groups tell of harm does not hold for others: label other answers");
  }
  const model = assembleModel(fitScreen(parts), unseen, {
    // New weights are another measurement and start a new baseline, so their content is the version.
    nameOf: (hash) => `${source.name}-v${hash.slice(0, 8)}`,
    fittedOn: `groups of answers, each scored by a screen trained on the ${folds - 1} other fifths`,
    trainedOn: [
      {
        file: source.file,
        sha256: source.sha256,
        origin: "own labels",
        licence: "own",
        rows: rows.length,
        harmful: rows.filter((row) => row.harmful).length,
      },
    ],
  });
  const scored = unseen.flat();
  const ranked = (scoreOf: (row: UnseenRow) => number) =>
    rankingFigures(scored.map((row) => ({ harmful: row.harmful, group: row.group, score: scoreOf(row) })));
  return {
    model,
    keptOut: {
      rows: scored.length,
      screen: ranked(({ logit }) => logit),
      noRefusal: ranked(({ response }) => (isRefusal(response) ? 0 : 1)),
    },
  };
};
