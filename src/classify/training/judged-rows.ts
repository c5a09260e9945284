/** Has labelled answers judged, a few at a time, and keeps apart what came from different classifiers. */
import type { Classifier, JudgedText, Judgement } from "../classifier.ts";
import type { SiteRow } from "./labelled-file.ts";

export interface JudgedRow extends SiteRow {
  score: number;
  /** The classifier's own call, or that of the thresholds in force. */
  flagged: boolean;
}

export interface JudgedFile {
  /** By the judgement's source: scores of different sources are never compared. */
  bySource: Map<string, JudgedRow[]>;
  /** How many answers could not be judged, by reason. */
  errors: Map<string, number>;
}

/** Scores from which an answer counts as harmful, 0-1; null leaves it to the classifier. */
export interface Thresholds {
  live: number | null;
  probe: number | null;
}

const textOf = ({ prompt, response, harmProbe }: SiteRow): JudgedText => ({
  prompt,
  response,
  ...(harmProbe ? { harmProbe } : {}),
});

/** @param concurrency judgements under way at once */
export const judgeRows = async (
  rows: readonly SiteRow[],
  classifier: Classifier,
  { thresholds, concurrency }: { thresholds: Thresholds; concurrency: number },
): Promise<JudgedFile> => {
  const judgements = new Map<SiteRow, Judgement>();
  const waiting = rows.values();
  // All take from one line, so a slow answer holds up nobody else.
  const work = async () => {
    for (const row of waiting) judgements.set(row, await classifier.judge(textOf(row)));
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const file: JudgedFile = { bySource: new Map(), errors: new Map() };
  for (const row of rows) {
    const judgement = judgements.get(row);
    if (judgement === undefined) continue;
    if (judgement.kind === "error") {
      file.errors.set(judgement.reason, (file.errors.get(judgement.reason) ?? 0) + 1);
      continue;
    }
    const { score, harmful, source } = judgement;
    const threshold = row.harmProbe ? thresholds.probe : thresholds.live;
    const judged = file.bySource.get(source) ?? [];
    judged.push({ ...row, score, flagged: threshold === null ? harmful : score >= threshold });
    file.bySource.set(source, judged);
  }
  return file;
};
