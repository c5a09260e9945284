/**
 * The embedded screen: a linear model over the words of a response, shipped with Candor, that sorts answers for a closer
 * look. It is no guard: it must never be the only ground for blocking an answer. See docs/model-card.md.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Classifier } from "./classifier.ts";
import { isRefusal } from "./refusal.ts";
import { bucketCount } from "./screen-features.ts";
import { type Band, bandOf, type ScreenModel, scoreOf, screenDescription } from "./screen-model.ts";

export interface Screen extends Classifier {
  /** @param score a score of this very screen, 0-1 */
  bandOf(score: number): Band;
}

/** A model folder that cannot be used; the message names the file and what to do. */
export class ScreenError extends Error {
  override readonly name = "ScreenError";
}

/** The same way up from src/classify/ and from dist/classify/. */
const shipped = (name: string): URL => new URL(`../../models/${name}/`, import.meta.url);

/** `probeScreen` is for the answers to harm probes alone. */
export const shippedModels = { screen: shipped("screen-v1"), probeScreen: shipped("probe-screen-v1") } as const;

const remedy = "reinstall Candor, or train the model again";

const read = async (file: URL): Promise<Buffer> => {
  try {
    return await readFile(file);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new ScreenError(`${fileURLToPath(file)}: cannot be read (${reason}); ${remedy}`, { cause: error });
  }
};

const readDescription = async (file: URL) => {
  const text = (await read(file)).toString("utf8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ScreenError(`${fileURLToPath(file)}: is not JSON; ${remedy}`, { cause: error });
  }
  const result = screenDescription.safeParse(parsed);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ScreenError(`${fileURLToPath(file)}: ${issues.join("; ")}; ${remedy}`);
};

const readArray = async (file: URL, sha256: string): Promise<Buffer> => {
  const bytes = await read(file);
  if (bytes.length !== bucketCount) {
    throw new ScreenError(`${fileURLToPath(file)}: has ${bytes.length} bytes instead of ${bucketCount}; ${remedy}`);
  }
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new ScreenError(`${fileURLToPath(file)}: is not the file that screen.json describes (sha256); ${remedy}`);
  }
  return bytes;
};

/** @throws ScreenError when a file is missing, damaged or of another version */
export const loadScreenModel = async (folder: URL = shippedModels.screen): Promise<ScreenModel> => {
  // Without the last slash a URL resolves beside the folder.
  const base = new URL(folder.href.endsWith("/") ? folder.href : `${folder.href}/`);
  const description = await readDescription(new URL("screen.json", base));
  const weights = await readArray(new URL(description.weights.file, base), description.weights.sha256);
  const idf = await readArray(new URL(description.idf.file, base), description.idf.sha256);
  return {
    description,
    parameters: description.weights,
    weights: new Int8Array(weights.buffer, weights.byteOffset, weights.length),
    idf,
  };
};

/**
 * Reads the shipped screen, or one trained on a site's own answers.
 * @throws ScreenError when a file is missing, damaged or of another version
 */
export const loadScreen = async (folder?: URL): Promise<Screen> => {
  const model = await loadScreenModel(folder);
  const { source, bands } = model.description;
  return {
    source,
    bandOf: (score) => bandOf(bands, score),
    async judge({ response }) {
      const score = scoreOf(model, response);
      const harmful = score >= bands.harmful.score;
      return { kind: "judged", score, harmful, refused: isRefusal(response), categories: [], source };
    },
  };
};
