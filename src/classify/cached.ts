/** Remembers judgements by what was judged, so that equal texts cost one call; errors are asked again. */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../kernel/clock.ts";
import type { Classifier, JudgedText, Judgement } from "./classifier.ts";

/** Told about every text; `alert/` implements it. */
export interface JudgingMeter {
  judged(judgement: Judgement, durationMs: number): void;
  /** The judgement was known from an equal text. */
  cacheHit(source: string): void;
}

export interface CacheOptions {
  /** Judgements remembered; 0 remembers none. */
  entries: number;
  meter: JudgingMeter;
  clock: Pick<Clock, "monotonic">;
}

/** Lengths first, so that no prompt and response can be shifted against each other into the same key. */
const keyOf = (source: string, { prompt, response, harmProbe }: JudgedText): string =>
  createHash("sha256")
    .update(
      `${harmProbe === true} ${source.length} ${prompt?.length ?? -1} ${response.length}\n${source}${prompt ?? ""}${response}`,
    )
    .digest("base64");

export const cached = (classifier: Classifier, { entries, meter, clock }: CacheOptions): Classifier => {
  const { source } = classifier;
  const known = entries === 0 ? null : new LRUCache<string, Judgement>({ max: entries });

  const ask = async (text: JudgedText, signal?: AbortSignal): Promise<Judgement> => {
    const began = clock.monotonic();
    const judgement = await classifier.judge(text, signal);
    meter.judged(judgement, clock.monotonic() - began);
    return judgement;
  };

  return {
    source,
    async judge(text, signal) {
      if (text.anew) return ask(text, signal);
      const key = keyOf(source, text);
      const remembered = known?.get(key);
      if (remembered !== undefined) {
        meter.cacheHit(source);
        return remembered;
      }
      const judgement = await ask(text, signal);
      if (judgement.kind === "judged") known?.set(key, judgement);
      return judgement;
    },
  };
};
