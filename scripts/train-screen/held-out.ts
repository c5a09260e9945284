/** The held-out tests of the screen: what is trained on, what is tested on, and never a source on both sides. */
import { isRefusal } from "../../src/classify/refusal.ts";
import { logitOf } from "../../src/classify/screen-model.ts";
import { fitScreen } from "./fit-screen.ts";
import { type LabelledSource, readClearRows, readSource, type SourceId } from "./labelled-rows.ts";
import { type FigureName, type Interval, rankingFigures, type ScoredRow } from "./ranking-figures.ts";

/** Judged answers of fine-tuned models; where they are trained on, only clear ones are. */
type FineTune = "auto" | "finance1e6" | "finance5e6" | "finance1e5" | "finance3e5";
const isFineTune = (id: SourceId): id is FineTune =>
  ["auto", "finance1e6", "finance5e6", "finance1e5", "finance3e5"].includes(id);

export const financeLadder = ["finance1e6", "finance5e6", "finance1e5", "finance3e5"] as const;
export const responseSources = ["xstest", "jailbreakbench", "badAdvice"] as const;

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
    trainedOn: [...responseSources, "auto"],
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

const measure = (rows: readonly ScoredRow[]) => rankingFigures(rows, bootstrap.rounds, bootstrap.seed);

/** Rows of a source that knows no questions are groups of their own. */
const groupsOf = ({ rows }: LabelledSource): ((at: number) => string) =>
  rows.every(({ group }) => group === rows[0]?.group) ? String : (at) => rows[at]?.group ?? "";

export const runHeldOut = async (folder: string, test: HeldOutTest): Promise<HeldOutResult[]> => {
  const training = await Promise.all(
    test.trainedOn.map((id) => (isFineTune(id) ? readClearRows(folder, id) : readSource(folder, id))),
  );
  const model = fitScreen(training.map(({ rows }) => rows));
  const results: HeldOutResult[] = [];
  for (const id of test.testedOn) {
    const source = await readSource(folder, id);
    const group = groupsOf(source);
    const scored = (scorer: (response: string) => number) =>
      measure(source.rows.map(({ response, harmful }, at) => ({ harmful, group: group(at), score: scorer(response) })));
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
