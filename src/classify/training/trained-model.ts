/** Puts fitted weights, their calibration and where they came from together into a model, and writes it to a folder. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bucketCount, featuriser } from "../screen-features.ts";
import { type LinearModel, type ScreenDescription, type ScreenModel, screenDescription } from "../screen-model.ts";
import { chooseBands, fitPlatt, type UnseenRow } from "./calibration.ts";

export interface Origin {
  /** Name with version, from the sha256 of the weights and the document frequencies. */
  nameOf(sha256: string): string;
  trainedOn: ScreenDescription["trainedOn"];
  /** In words: how the rows were kept out that the calibration was fitted on. */
  fittedOn: string;
}

const sha256Of = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** @param unseen rows with log-odds of models that were trained without them, by source */
export const assembleModel = (
  { parameters, weights, idf }: LinearModel,
  unseen: readonly (readonly UnseenRow[])[],
  { nameOf, trainedOn, fittedOn }: Origin,
): ScreenModel => {
  const platt = fitPlatt(unseen);
  const bytes = new Uint8Array(weights.buffer, weights.byteOffset, weights.length);
  const description = screenDescription.parse({
    source: nameOf(sha256Of(bytes, idf)),
    featuriser,
    buckets: bucketCount,
    weights: { file: "weights.i8", sha256: sha256Of(bytes), ...parameters },
    idf: { file: "idf.u8", sha256: sha256Of(idf) },
    calibration: { ...platt, fittedOn },
    bands: chooseBands(unseen, platt),
    trainedOn,
  });
  return { description, parameters, weights, idf };
};

/** The description comes last: a folder that has one is whole. */
export const writeModel = async (folder: string, { description, weights, idf }: ScreenModel): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, description.weights.file), weights);
  await writeFile(join(folder, description.idf.file), idf);
  await writeFile(join(folder, "screen.json"), `${JSON.stringify(description, null, 2)}\n`);
};
