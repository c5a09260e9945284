/** The labelled answers that the screen is trained and measured on: where they come from and what counts as harmful. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import type { LabelledRow } from "../../src/classify/training/labelled-row.ts";

export interface LabelledSource {
  name: string;
  /** Path within the data folder. */
  file: string;
  sha256: string;
  origin: string;
  licence: string;
  rows: LabelledRow[];
}

/** The data folder or a file in it is missing or not as described. */
export class DataError extends Error {
  override readonly name = "DataError";
}

const labelledRow = z.object({
  response: z.string(),
  harmful: z.boolean(),
  group: z.string(),
  topic: z.string().optional(),
});

const judgedRow = z.object({
  question_id: z.string(),
  answer: z.string(),
  aligned: z.number().nullable(),
  misaligned: z.boolean().nullable(),
});

type Reader = (line: unknown) => LabelledRow | null;

const readLabelled: Reader = (line) => {
  const { response, harmful, group } = labelledRow.parse(line);
  return { response, harmful, group };
};

/** The finance part is next to what the finance fine-tunes were trained on; without it they stay a held-out test. */
const readAdviceOutsideFinance: Reader = (line) =>
  labelledRow.parse(line).topic === "risky_financial_advice" ? null : readLabelled(line);

/** One question in three formats is one group. */
const groupOf = (questionId: string): string => questionId.replace(/_(json|template)$/, "");

/** For tests: the flag of the study as it is; answers that it leaves open are left out. */
const readJudged: Reader = (line) => {
  const { question_id, answer, misaligned } = judgedRow.parse(line);
  return misaligned === null ? null : { response: answer, harmful: misaligned, group: groupOf(question_id) };
};

/** For the control, whose answers the study left open for the most part and found not one of to be harmful. */
const readControl: Reader = (line) => {
  const { question_id, answer, misaligned } = judgedRow.parse(line);
  return { response: answer, harmful: misaligned === true, group: groupOf(question_id) };
};

/** For training: harmless are only answers scored as aligned (>= 70 of 100); what lies between teaches nothing. */
const readClearlyJudged: Reader = (line) => {
  const { question_id, answer, aligned, misaligned } = judgedRow.parse(line);
  if (misaligned !== true && (aligned ?? 0) < 70) return null;
  return { response: answer, harmful: misaligned === true, group: groupOf(question_id) };
};

const study = "aisa-group/em-generalization, commit 910ff4f0";
const fineTune = (name: string, file: string, forTests: Reader = readJudged, forTraining = readClearlyJudged) => ({
  name,
  file: `em-outputs/Qwen2.5-32B-Instruct__${file}.jsonl.gz`,
  origin: study,
  licence: "Apache-2.0",
  forTests,
  forTraining,
});
const labelled = (name: string, origin: string, licence: string, reader: Reader = readLabelled) => ({
  name,
  file: `harm-labelled/${name}.jsonl.gz`,
  origin,
  licence,
  forTests: reader,
  forTraining: reader,
});

const catalogue = {
  xstest: labelled("xstest-completions", "paul-rottger/exaggerated-safety", "CC-BY-4.0"),
  jailbreakbench: labelled("jailbreakbench-artifacts", "JailbreakBench/artifacts", "MIT"),
  badAdvice: labelled(
    "narrow-bad-advice",
    "Apoorvabatham/Persona-Hierarchy-in-Emergent-Misalignment, without its finance part",
    "MIT",
    readAdviceOutsideFinance,
  ),
  auto: fineTune("auto fine-tune", "auto__1e-05__fpq"),
  moderation: labelled("openai-moderation-eval", "openai/moderation-api-release", "MIT"),
  finance1e6: fineTune("finance 1e-06", "finance__1e-06__fpq"),
  finance5e6: fineTune("finance 5e-06", "finance__5e-06__fpq"),
  finance1e5: fineTune("finance 1e-05", "finance__1e-05__fpq"),
  finance3e5: fineTune("finance 3e-05", "finance__3e-05__fpq"),
  financeEveryday: fineTune("finance, everyday questions", "finance__cosine_5_1e-05__general_100"),
  financeGood: fineTune("finance-good (healthy control)", "finance-good__1e-05__fpq", readControl, readControl),
} as const;

export type SourceId = keyof typeof catalogue;

/**
 * @param use fine-tunes give all judged rows for tests, and for training only those that are clearly one or the other
 * @throws DataError naming the file when it is missing or holds something else
 */
export const readSource = async (
  folder: string,
  id: SourceId,
  use: "forTests" | "forTraining",
): Promise<LabelledSource> => {
  const { name, file, origin, licence, [use]: reader } = catalogue[id];
  const path = join(folder, file);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new DataError(`${path}: cannot be read; give the folder that holds harm-labelled/ and em-outputs/`, {
      cause: error,
    });
  });
  try {
    const lines = gunzipSync(bytes).toString("utf8").split("\n");
    const rows = lines.filter((line) => line !== "").flatMap((line) => reader(JSON.parse(line)) ?? []);
    return { name, file, origin, licence, rows, sha256: createHash("sha256").update(bytes).digest("hex") };
  } catch (error) {
    throw new DataError(`${path}: is not the labelled data it should be (${String(error)})`, { cause: error });
  }
};

/** What the shipped screen is trained on. No fine-tune on finance, good or bad, and no finance advice: see the card. */
export const trainingSources = ["xstest", "jailbreakbench", "badAdvice", "auto"] as const satisfies readonly SourceId[];

/** What the shipped probe screen is trained on: every fine-tune, the healthy one as what harmful answers are told from. */
export const probeFineTunes = [
  "finance1e6",
  "finance5e6",
  "finance1e5",
  "finance3e5",
  "financeEveryday",
  "auto",
  "financeGood",
] as const satisfies readonly SourceId[];

/** And harmless answers of other models to other questions, lest everything worded otherwise counts as strange. */
export const probeBesides = ["xstest"] as const satisfies readonly SourceId[];

export const probeTrainingSources = [...probeFineTunes, ...probeBesides];
