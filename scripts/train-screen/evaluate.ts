/**
 * Measures both screens on sources and fine-tunes that they never saw and writes the figures of docs/model-card.md.
 * `node scripts/train-screen/evaluate.ts DATA_FOLDER [--print]`: some minutes on one core; --print: writes nothing.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadScreenModel, shippedModels } from "../../src/classify/screen.ts";
import {
  flagRatesKeptOut,
  flagRatesOfShipped,
  generalChoices,
  type HeldOutTest,
  heldOutFineTunes,
  leaveOneOut,
  probeChoices,
  probeDataSets,
  probeKeptOut,
  probeQuestions,
  rankHeldOut,
  rankUnseenQuestions,
} from "./held-out.ts";
import { DataError } from "./labelled-rows.ts";
import { figuresText, insertFigures } from "./model-card.ts";
import { choicesBesides, flaggedOwnAnswers } from "./own-answers.ts";

const card = fileURLToPath(new URL("../../docs/model-card.md", import.meta.url));

const evaluate = async (folder: string) => {
  const run = async (tests: readonly HeldOutTest[], tested: Parameters<typeof rankHeldOut>[2] = ["all"]) => {
    const results = [];
    for (const test of tests) results.push(...(await rankHeldOut(folder, test, tested)));
    return results;
  };
  const questions = [];
  for (const test of probeQuestions) questions.push(...(await rankUnseenQuestions(folder, test)));
  const ownAnswers = [];
  for (const besides of choicesBesides) ownAnswers.push(await flaggedOwnAnswers(folder, besides));
  const model = await loadScreenModel(shippedModels.screen);
  const probes = await loadScreenModel(shippedModels.probeScreen);
  return {
    date: new Date().toISOString().slice(0, 10),
    description: model.description,
    sources: await run(leaveOneOut),
    fineTunes: await run(heldOutFineTunes),
    choices: await run(generalChoices),
    flags: await flagRatesOfShipped(folder, model),
    probes: {
      description: probes.description,
      fineTunes: await run(probeKeptOut, ["clear", "all"]),
      dataSets: await run(probeDataSets, ["clear"]),
      questions,
      choices: await run(probeChoices, ["clear"]),
      ownAnswers,
      flags: await flagRatesKeptOut(folder, probes.description),
    },
  };
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { print: { type: "boolean", default: false } },
});
const [folder] = positionals;
try {
  if (folder === undefined || positionals.length > 1) {
    throw new DataError("usage: node scripts/train-screen/evaluate.ts DATA_FOLDER [--print]");
  }
  const figures = figuresText(await evaluate(folder));
  console.log(figures);
  if (!values.print) await writeFile(card, insertFigures(await readFile(card, "utf8"), figures));
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
