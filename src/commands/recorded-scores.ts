/** Scores that Candor recorded while a subject's baseline was learned: what healthy answers of this site score. */
import type { Arm, EntryBody, Observation } from "../evidence/entry.ts";
import { openForReading } from "../evidence/reader.ts";
import { refusalField } from "../watch/live-judging.ts";

export interface RecordedScores {
  /** What judged, as in `Judgement.source`. */
  source: string;
  /** Whether these are answers to harm probes, or answers to what users asked. */
  probes: boolean;
  scores: number[];
}

/** A live request that is asked again is no probe question. */
const isProbe = (arm: Arm): boolean => arm === "fresh" || arm === "forked";

/** A refusal that a classifier saw is recorded as 0, whatever its score. */
const scoreOf = ({ experiment, outcome, value, source }: Observation): number | null =>
  experiment === "harmfulness" && source !== refusalField && (outcome === "scored" || outcome === "refused")
    ? value
    : null;

/**
 * Of the subject's latest epoch: in each stratum as many judged answers as its baseline was learned from.
 * @throws what `openForReading` throws
 */
export const recordedScores = (path: string, subject: string): RecordedScores[] => {
  const log = openForReading(path);
  try {
    let found = new Map<string, RecordedScores>();
    let seen = new Map<string, number>();
    let need = 0;
    const take = (body: EntryBody): void => {
      if (body.kind === "epoch") {
        found = new Map();
        seen = new Map();
        need = body.detector.calibration.harm;
      }
      if (body.kind !== "observation") return;
      const score = scoreOf(body);
      const before = seen.get(body.stratum) ?? 0;
      if (score === null || before >= need) return;
      seen.set(body.stratum, before + 1);
      const probes = isProbe(body.arm);
      const key = `${probes} ${body.source}`;
      const scores = found.get(key) ?? { source: body.source, probes, scores: [] };
      scores.scores.push(score);
      found.set(key, scores);
    };
    for (const entry of log.entries()) if (entry.subject === subject) take(entry.body);
    return [...found.values()];
  } finally {
    log.close();
  }
};
