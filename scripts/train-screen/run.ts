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
  probeBesides,
  probeFineTunes,
  readSource,
  type SourceId,
  trainingSources,
} from "./labelled-rows.ts";

const shippedFolder = fileURLToPath(new URL("../../models/", import.meta.url));

interface Recipe {
  /** Kept out in turn, to calibrate on. */
  sources: readonly SourceId[];
  besides: readonly SourceId[];
  fittedOn: string;
}

const screens: Record<string, Recipe> = {
  "screen-v1": {
    sources: trainingSources,
    besides: [],
    fittedOn: "each source scored by a screen trained on the others",
  },
  "probe-screen-v1": {
    sources: probeFineTunes,
    besides: probeBesides,
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
  for (const [name, { sources, besides, fittedOn }] of Object.entries(screens)) {
    const read = (ids: readonly SourceId[]) => Promise.all(ids.map((id) => readSource(folder, id, "forTraining")));
    const [turned, always] = [await read(sources), await read(besides)];
    const all = [...turned, ...always];
    const rows = all.map((source) => source.rows);
    const unseen = scoreUnseen(rows.slice(0, turned.length), rows.slice(turned.length));
    const origin = { nameOf: () => name, trainedOn: all.map(provenanceOf), fittedOn };
    await writeModel(join(out, name), assembleModel(fitScreen(rows), unseen, origin));
    console.log(`${join(out, name)}: trained on ${rows.flat().length} answers of ${rows.length} sources`);
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
