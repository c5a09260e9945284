/**
 * Trains the shipped screen and writes models/screen-v1.
 * `node scripts/train-screen/run.ts DATA_FOLDER [--out FOLDER]`: some seconds on one core. No text leaves the data
 * folder: what is written are weights, document frequencies and where they came from.
 */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bucketCount, featuriser } from "../../src/classify/screen-features.ts";
import { type ScreenDescription, screenDescription } from "../../src/classify/screen-model.ts";
import { chooseBands, fitPlatt, scoreUnseen } from "../../src/classify/training/calibration.ts";
import { fitScreen } from "../../src/classify/training/fit-screen.ts";
import { DataError, type LabelledSource, readSource, trainingSources } from "./labelled-rows.ts";

const shippedFolder = fileURLToPath(new URL("../../models/screen-v1/", import.meta.url));

const provenanceOf = ({ file, sha256, origin, licence, rows }: LabelledSource) => ({
  file,
  sha256,
  origin,
  licence,
  rows: rows.length,
  harmful: rows.filter((row) => row.harmful).length,
});

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const train = async (folder: string, out: string): Promise<void> => {
  const sources = await Promise.all(trainingSources.map((id) => readSource(folder, id, "forTraining")));
  const rows = sources.map((source) => source.rows);
  const { parameters, weights, idf } = fitScreen(rows);
  const unseen = scoreUnseen(rows);
  const platt = fitPlatt(unseen);
  const description: ScreenDescription = screenDescription.parse({
    source: "screen-v1",
    featuriser,
    buckets: bucketCount,
    weights: { file: "weights.i8", sha256: sha256Of(new Uint8Array(weights.buffer)), ...parameters },
    idf: { file: "idf.u8", sha256: sha256Of(idf) },
    calibration: { ...platt, fittedOn: "each source scored by a screen trained on the others" },
    bands: chooseBands(unseen, platt),
    trainedOn: sources.map(provenanceOf),
  });
  await mkdir(out, { recursive: true });
  await writeFile(join(out, "weights.i8"), new Uint8Array(weights.buffer));
  await writeFile(join(out, "idf.u8"), idf);
  await writeFile(join(out, "screen.json"), `${JSON.stringify(description, null, 2)}\n`);
  console.log(`${out}: trained on ${rows.flat().length} answers of ${sources.length} sources`);
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
