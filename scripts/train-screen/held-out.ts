/** The held-out tests of the screen: what is trained on, what is tested on, and never a source on both sides. */
import { isRefusal } from "../../src/classify/refusal.ts";
import {
  bandOf,
  type LinearModel,
  logitOf,
  type ScreenDescription,
  type ScreenModel,
  scoreOf,
} from "../../src/classify/screen-model.ts";
import { fitScreen } from "../../src/classify/training/fit-screen.ts";
import type { LabelledRow } from "../../src/classify/training/labelled-row.ts";
import {
  bootstrap,
  type FigureName,
  type Interval,
  rankingFigures,
} from "../../src/classify/training/ranking-figures.ts";
import {
  type LabelledSource,
  probeFineTunes,
  probeTrainingSources,
  readSource,
  type SourceId,
  trainingSources,
} from "./labelled-rows.ts";

export const financeLadder = ["finance1e6", "finance5e6", "finance1e5", "finance3e5"] as const;
const responseSources = ["xstest", "jailbreakbench", "badAdvice"] as const;

export interface HeldOutTest {
  title: string;
  trainedOn: readonly SourceId[];
  testedOn: readonly SourceId[];
}

export const leaveOneOut: readonly HeldOutTest[] = [
  {
    title: "all but XSTest",
    trainedOn: ["jailbreakbench", "badAdvice", "auto"],
    testedOn: ["xstest"],
  },
  {
    title: "all but JailbreakBench",
    trainedOn: ["xstest", "badAdvice", "auto"],
    testedOn: ["jailbreakbench"],
  },
  { title: "all but the fine-tune", trainedOn: responseSources, testedOn: ["auto"] },
];

export const heldOutFineTunes: readonly HeldOutTest[] = [
  {
    title: "as shipped",
    trainedOn: trainingSources,
    testedOn: [...financeLadder, "financeEveryday", "moderation"],
  },
  { title: "no fine-tune", trainedOn: responseSources, testedOn: [...financeLadder, "financeEveryday"] },
  { title: "auto alone", trainedOn: ["auto"], testedOn: financeLadder },
  { title: "the four finance files alone", trainedOn: financeLadder, testedOn: ["auto"] },
];

const fineTunes = [...financeLadder, "financeEveryday", "auto"] as const;
const isFinance = (id: SourceId): boolean => id.startsWith("finance") && id !== "financeGood";

/** Each fine-tune kept out in turn; the healthy control and XSTest are always trained on. */
const keptOut = (title: string, alsoKeptOut: (tested: SourceId, other: SourceId) => boolean): HeldOutTest[] =>
  fineTunes.map((tested) => ({
    title,
    trainedOn: probeTrainingSources.filter((id) => id !== tested && !alsoKeptOut(tested, id)),
    testedOn: [tested],
  }));

/** Other learning rates of the finance fine-tune stay in training when one of them is tested. */
export const probeKeptOut = keptOut("all but this one", () => false);

/** Nothing stays in training that was fine-tuned on the same data as what is tested. */
export const probeDataSets = keptOut("no other of its data", (tested, other) => isFinance(tested) && isFinance(other));

/** Other sources for `screen-v1`, each tested source left out of training. */
export const generalChoices: readonly HeldOutTest[] = [
  { title: "no bad advice, all but XSTest", trainedOn: ["jailbreakbench", "auto"], testedOn: ["xstest"] },
  { title: "no bad advice, all but JailbreakBench", trainedOn: ["xstest", "auto"], testedOn: ["jailbreakbench"] },
  { title: "no bad advice, no fine-tune", trainedOn: ["xstest", "jailbreakbench"], testedOn: ["auto"] },
  {
    title: "and the healthy control, all but XSTest",
    trainedOn: ["jailbreakbench", "badAdvice", "auto", "financeGood"],
    testedOn: ["xstest"],
  },
  {
    title: "and the healthy control, no other fine-tune",
    trainedOn: [...responseSources, "financeGood"],
    testedOn: ["auto"],
  },
  {
    title: "and the healthy control",
    trainedOn: [...trainingSources, "financeGood"],
    testedOn: ["finance1e6", "finance3e5"],
  },
];

/** Other sources for `probe-screen-v1`, everything of the finance fine-tune left out of training. */
export const probeChoices: readonly HeldOutTest[] = [
  {
    title: "and bad advice of other kinds",
    trainedOn: ["auto", "financeGood", "xstest", "badAdvice"],
    testedOn: financeLadder,
  },
];

export interface HeldOutResult {
  test: HeldOutTest;
  source: LabelledSource;
  harmful: number;
  /** By scorer: the screen, no refusal phrase at the start, and the length of the answer. */
  screen: Record<FigureName, Interval>;
  noRefusal: Record<FigureName, Interval>;
  length: Record<FigureName, Interval>;
}

/** Rows of a source that knows no questions are groups of their own. */
const groupsOf = ({ rows }: LabelledSource): ((at: number) => string) =>
  rows.every(({ group }) => group === rows[0]?.group) ? String : (at) => rows[at]?.group ?? "";

type Scorer = (row: LabelledRow) => number;

const rankedBy = (test: HeldOutTest, source: LabelledSource, screen: Scorer, rounds: number): HeldOutResult => {
  const group = groupsOf(source);
  const scored = (scorer: Scorer) =>
    rankingFigures(
      source.rows.map((row, at) => ({ harmful: row.harmful, group: group(at), score: scorer(row) })),
      rounds,
    );
  return {
    test,
    source,
    harmful: source.rows.filter(({ harmful }) => harmful).length,
    screen: scored(screen),
    noRefusal: scored(({ response }) => (isRefusal(response) ? 0 : 1)),
    length: scored(({ response }) => response.length),
  };
};

const readForTraining = (folder: string, { trainedOn }: HeldOutTest): Promise<LabelledSource[]> =>
  Promise.all(trainedOn.map((id) => readSource(folder, id, "forTraining")));

/**
 * @param tested fine-tunes: all judged rows, or only those that are clearly harmful or harmless
 * @param rounds bootstrap resamples for the intervals
 */
export const rankHeldOut = async (
  folder: string,
  test: HeldOutTest,
  tested: readonly ("all" | "clear")[] = ["all"],
  rounds: number = bootstrap.rounds,
): Promise<HeldOutResult[]> => {
  const training = await readForTraining(folder, test);
  const model = fitScreen(training.map(({ rows }) => rows));
  const results: HeldOutResult[] = [];
  for (const id of test.testedOn) {
    for (const rows of tested) {
      const source = await readSource(folder, id, rows === "all" ? "forTests" : "forTraining");
      results.push(rankedBy(test, source, ({ response }) => logitOf(model, response), rounds));
    }
  }
  return results;
};

/** The same with each question of the tested fine-tune kept out of training too, the eight pooled. */
export const rankUnseenQuestions = async (folder: string, test: HeldOutTest): Promise<HeldOutResult[]> => {
  const training = await readForTraining(folder, test);
  const results: HeldOutResult[] = [];
  for (const id of test.testedOn) {
    const source = await readSource(folder, id, "forTraining");
    const models = new Map(
      [...new Set(source.rows.map(({ group }) => group))].map((question) => {
        const others = training.map(({ rows }) => rows.filter(({ group }) => group !== question));
        return [question, fitScreen(others)];
      }),
    );
    const scorer: Scorer = ({ group, response }) => {
      const model = models.get(group);
      return model === undefined ? Number.NaN : logitOf(model, response);
    };
    results.push(rankedBy(test, source, scorer, bootstrap.rounds));
  }
  return results;
};

export interface FlagRates {
  name: string;
  rows: number;
  /** Shares, 0-1; null where there is nothing to take a share of. */
  harmful: number | null;
  flagged: number | null;
  truePositive: number | null;
  falsePositive: number | null;
  high: number | null;
  /** In the uncertain or the high band. */
  toJudge: number | null;
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** What a model does with a source at the shipped thresholds. */
const flagRatesOf = (model: LinearModel, description: ScreenDescription, source: LabelledSource): FlagRates => {
  const { bands } = description;
  const judged = source.rows.map(({ response, harmful }) => {
    const score = scoreOf({ ...model, description }, response);
    return { harmful, flagged: score >= bands.harmful.score, band: bandOf(bands, score) };
  });
  const harmful = judged.filter((row) => row.harmful);
  const harmless = judged.filter((row) => !row.harmful);
  const flagged = (rows: typeof judged) => share(rows.filter((row) => row.flagged).length, rows.length);
  return {
    name: source.name,
    rows: judged.length,
    harmful: share(harmful.length, judged.length),
    flagged: flagged(judged),
    truePositive: flagged(harmful),
    falsePositive: flagged(harmless),
    high: share(judged.filter((row) => row.band === "high").length, judged.length),
    toJudge: share(judged.filter((row) => row.band !== "low").length, judged.length),
  };
};

/** The shipped files on fine-tunes that they were not trained on. */
export const flagRatesOfShipped = (folder: string, model: ScreenModel): Promise<FlagRates[]> =>
  Promise.all(
    (["financeGood", ...financeLadder] as const).map(async (id) =>
      flagRatesOf(model, model.description, await readSource(folder, id, "forTests")),
    ),
  );

/** The shipped probe screen has seen every fine-tune: each is judged by weights of the others, at the shipped thresholds. */
export const flagRatesKeptOut = async (folder: string, shipped: ScreenDescription): Promise<FlagRates[]> => {
  const rates: FlagRates[] = [];
  for (const id of probeFineTunes) {
    const others = probeTrainingSources.filter((other) => other !== id);
    const training = await Promise.all(others.map((other) => readSource(folder, other, "forTraining")));
    const model = fitScreen(training.map(({ rows }) => rows));
    rates.push(flagRatesOf(model, shipped, await readSource(folder, id, "forTests")));
  }
  return rates;
};

const fewQuestions = [...financeLadder, "auto"] as const;

/** On questions that were not trained on either: the probe screen, and the general one that would judge them otherwise. */
export const probeQuestions: readonly HeldOutTest[] = [
  ...probeKeptOut.filter(({ testedOn }) => !testedOn.includes("financeEveryday")),
  ...fewQuestions.map((tested) => ({
    title: "as screen-v1",
    trainedOn: trainingSources.filter((id) => id !== tested),
    testedOn: [tested],
  })),
];
