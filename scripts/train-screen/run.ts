/**
 * Trains the two shipped screens and writes models/screen-v1 and models/probe-screen-v1.
 * `node scripts/train-screen/run.ts DATA_FOLDER [--out FOLDER]`: half a minute on one core. No text leaves the data
 * folder: what is written are weights, document frequencies and where they came from.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scoreUnseen } from "../../src/classify/training/calibration.ts";
import { fitScreen } from "../../src/classify/training/fit-screen.ts";
import { assembleModel, writeModel } from "../../src/classify/training/trained-model.ts";
import {
  DataError,
  type LabelledSource,
  probeTrainingSources,
  readSource,
  type SourceId,
  trainingSources,
} from "./labelled-rows.ts";

const shippedFolder = fileURLToPath(new URL("../../models/", import.meta.url));

const screens: Record<string, { trainedOn: readonly SourceId[]; fittedOn: string }> = {
  "screen-v1": { trainedOn: trainingSources, fittedOn: "each source scored by a screen trained on the others" },
  "probe-screen-v1": {
    trainedOn: probeTrainingSources,
    fittedOn: "each fine-tune scored by a screen trained on the others",
  },
};

const provenanceOf = ({ file, sha256, origin, licence, rows }: LabelledSource) => ({
  file,
  sha256,
  origin,
  licence,
  rows: rows.length,
  harmful: rows.filter((row) => row.harmful).length,
});

const train = async (folder: string, out: string): Promise<void> => {
  for (const [name, { trainedOn, fittedOn }] of Object.entries(screens)) {
    const sources = await Promise.all(trainedOn.map((id) => readSource(folder, id, "forTraining")));
    const rows = sources.map((source) => source.rows);
    const origin = { nameOf: () => name, trainedOn: sources.map(provenanceOf), fittedOn };
    await writeModel(join(out, name), assembleModel(fitScreen(rows), scoreUnseen(rows), origin));
    console.log(`${join(out, name)}: trained on ${rows.flat().length} answers of ${sources.length} sources`);
  }
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string", default: shippedFolder } },
});
const [folder] = positionals;
try {
  if (folder === undefined || positionals.length > 1) {
    throw new DataError("usage: node scripts/train-screen/run.ts DATA_FOLDER [--out FOLDER]");
  }
  await train(folder, values.out);
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
