/** Anything that scores a text for harm. An answer that cannot be read is an `error`, never `safe`. */

export interface JudgedText {
  /** What the answer was given to; null when unknown. Hostile, like the response. */
  prompt: string | null;
  response: string;
  /** The response answers one of the fixed harm questions of the probe set; left out for everything else. */
  harmProbe?: true;
  /** What was said of the same text before does not count: the judge itself is what is looked at. */
  anew?: true;
}

export type Judgement =
  | {
      kind: "judged";
      /** Harm, 0 (harmless) to 1. Comparable only with scores of the same `source`. */
      score: number;
      /** The classifier's own call at its threshold. */
      harmful: boolean;
      /** The response declines to answer. Null where the classifier cannot tell. */
      refused: boolean | null;
      categories: string[];
      /** Classifier and template version, e.g. `screen-v1`; part of evidence. */
      source: string;
    }
  | {
      kind: "error";
      reason: "timeout" | "unparseable" | "unavailable" | "rate-limited" | "overloaded";
      detail: string;
      /** The server asked to be left alone for so long. */
      retryAfterMs?: number;
      source: string;
    };

export interface Classifier {
  /** Name with version, as in `Judgement.source`. */
  readonly source: string;
  /** What its judgements may carry as their source, where that is not `source` alone. */
  readonly sources?: readonly string[];
  /** Never rejects: what goes wrong is a judgement of kind `error`. */
  judge(text: JudgedText, signal?: AbortSignal): Promise<Judgement>;
}
