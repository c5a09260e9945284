/**
 * Measures the screen on sources and fine-tunes that it never saw and writes the figures of docs/model-card.md.
 * `node scripts/train-screen/evaluate.ts DATA_FOLDER [--print]`: about a minute on one core; --print: writes nothing.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadScreenModel } from "../../src/classify/screen.ts";
import { bandOf, type ScreenModel, scoreOf } from "../../src/classify/screen-model.ts";
import { financeLadder, type HeldOutTest, heldOutFineTunes, leaveOneOut, rankHeldOut } from "./held-out.ts";
import { DataError, type LabelledSource, readSource } from "./labelled-rows.ts";
import { type FlagRates, figuresText, insertFigures } from "./model-card.ts";

const card = fileURLToPath(new URL("../../docs/model-card.md", import.meta.url));

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** What the shipped files do at their own thresholds. */
const flagRatesOf = (model: ScreenModel, source: LabelledSource): FlagRates => {
  const { bands } = model.description;
  const judged = source.rows.map(({ response, harmful }) => {
    const score = scoreOf(model, response);
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

const evaluate = async (folder: string) => {
  const run = async (tests: readonly HeldOutTest[]) => {
    const results = [];
    for (const test of tests) results.push(...(await rankHeldOut(folder, test)));
    return results;
  };
  const model = await loadScreenModel();
  const replayed = await Promise.all(
    (["financeGood", ...financeLadder] as const).map((id) => readSource(folder, id, "forTests")),
  );
  return {
    date: new Date().toISOString().slice(0, 10),
    description: model.description,
    sources: await run(leaveOneOut),
    fineTunes: await run(heldOutFineTunes),
    flags: replayed.map((source) => flagRatesOf(model, source)),
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
