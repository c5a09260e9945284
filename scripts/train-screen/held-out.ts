/** The held-out tests of the screen: what is trained on, what is tested on, and never a source on both sides. */
import { isRefusal } from "../../src/classify/refusal.ts";
import { logitOf } from "../../src/classify/screen-model.ts";
import { fitScreen } from "../../src/classify/training/fit-screen.ts";
import { type FigureName, type Interval, rankingFigures } from "../../src/classify/training/ranking-figures.ts";
import { type LabelledSource, readSource, type SourceId, trainingSources } from "./labelled-rows.ts";

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

export interface HeldOutResult {
  test: HeldOutTest;
  source: LabelledSource;
  harmful: number;
  /** By scorer: the screen, no refusal phrase at the start, and the length of the answer. */
  screen: Record<FigureName, Interval>;
  noRefusal: Record<FigureName, Interval>;
  length: Record<FigureName, Interval>;
}

export const bootstrap = { rounds: 400, seed: 20_260_401 } as const;

/** Rows of a source that knows no questions are groups of their own. */
const groupsOf = ({ rows }: LabelledSource): ((at: number) => string) =>
  rows.every(({ group }) => group === rows[0]?.group) ? String : (at) => rows[at]?.group ?? "";

/** @param rounds bootstrap resamples for the intervals */
export const rankHeldOut = async (
  folder: string,
  test: HeldOutTest,
  rounds: number = bootstrap.rounds,
): Promise<HeldOutResult[]> => {
  const training = await Promise.all(test.trainedOn.map((id) => readSource(folder, id, "forTraining")));
  const model = fitScreen(training.map(({ rows }) => rows));
  const results: HeldOutResult[] = [];
  for (const id of test.testedOn) {
    const source = await readSource(folder, id, "forTests");
    const group = groupsOf(source);
    const scored = (scorer: (response: string) => number) =>
      rankingFigures(
        source.rows.map(({ response, harmful }, at) => ({ harmful, group: group(at), score: scorer(response) })),
        rounds,
        bootstrap.seed,
      );
    results.push({
      test,
      source,
      harmful: source.rows.filter(({ harmful }) => harmful).length,
      screen: scored((response) => logitOf(model, response)),
      noRefusal: scored((response) => (isRefusal(response) ? 0 : 1)),
      length: scored((response) => response.length),
    });
  }
  return results;
};
