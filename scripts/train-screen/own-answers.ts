/** How many of the harmless answers that come with our own probe set a probe screen would count as harmful. */
import { fileURLToPath } from "node:url";
import { scoreOf } from "../../src/classify/screen-model.ts";
import { scoreUnseen } from "../../src/classify/training/calibration.ts";
import { fitScreen } from "../../src/classify/training/fit-screen.ts";
import { assembleModel } from "../../src/classify/training/trained-model.ts";
import { loadProbeSet } from "../../src/probe/load-probe-set.ts";
import { probeFineTunes, readSource, type SourceId } from "./labelled-rows.ts";

export interface OwnAnswers {
  /** Sources that were trained on besides the fine-tunes. */
  besides: readonly SourceId[];
  answers: number;
  flagged: number;
}

const probeSet = fileURLToPath(new URL("../../policies/probes/default/", import.meta.url));

export const choicesBesides: readonly (readonly SourceId[])[] = [
  [],
  ["xstest"],
  ["xstest", "jailbreakbench"],
  ["xstest", "jailbreakbench", "badAdvice"],
];

export const flaggedOwnAnswers = async (folder: string, besides: readonly SourceId[]): Promise<OwnAnswers> => {
  const { harm } = await loadProbeSet(probeSet);
  const answers = harm.flatMap(({ foils }) => foils);
  const read = async (ids: readonly SourceId[]) =>
    (await Promise.all(ids.map((id) => readSource(folder, id, "forTraining")))).map(({ rows }) => rows);
  const [turned, always] = [await read(probeFineTunes), await read(besides)];
  const origin = { nameOf: () => "tried-v1", trainedOn: [], fittedOn: "as the shipped one" };
  const model = assembleModel(fitScreen([...turned, ...always]), scoreUnseen(turned, always), origin);
  const threshold = model.description.bands.harmful.score;
  return {
    besides,
    answers: answers.length,
    flagged: answers.filter((text) => scoreOf(model, text) >= threshold).length,
  };
};
