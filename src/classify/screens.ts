/**
 * The screens in use, as one classifier: answers to harm probes get the one that was trained on answers to fixed
 * questions, all others the general one. Scores of the two are never compared: every judgement names its own.
 */
import { pathToFileURL } from "node:url";
import type { ClassifySettings } from "../config/schema.ts";
import type { Classifier, JudgedText } from "./classifier.ts";
import { loadScreen, type Screen, shippedModels } from "./screen.ts";

export interface Screens extends Classifier {
  for(text: JudgedText): Screen;
}

/** @param probes null leaves the answers to probes to the general screen */
export const createScreens = (general: Screen, probes: Screen | null): Screens => {
  const screenFor = (text: JudgedText): Screen => (text.harmProbe === true && probes !== null ? probes : general);
  const sources = probes === null ? [general.source] : [general.source, probes.source];
  return {
    // Both are one measurement setting: with another model for either, what was learned before does not hold.
    source: sources.join("+"),
    sources,
    for: screenFor,
    judge: (text, signal) => screenFor(text).judge(text, signal),
  };
};

/** @throws ScreenError when a file is missing, damaged or of another version */
export const loadScreens = async ({ model, probeModel, probesBy }: ClassifySettings["screen"]): Promise<Screens> => {
  const load = (folder: string | undefined, otherwise: URL) =>
    loadScreen(folder === undefined ? otherwise : pathToFileURL(folder));
  const general = await load(model, shippedModels.screen);
  return createScreens(general, probesBy === "model" ? null : await load(probeModel, shippedModels.probeScreen));
};
