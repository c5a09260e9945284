/**
 * Leaves a classifier alone whose server does not answer: after some failures in a row it is not asked for a while, then
 * one text tries whether it is back. What is not asked is an error, never harmless.
 */
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Classifier, Judgement } from "./classifier.ts";

interface Options {
  /** Failures in a row that open it. */
  failures: number;
  /** How long it stays open, milliseconds. */
  restMs: number;
  clock: Pick<Clock, "monotonic">;
  log: Pick<Log, "warn" | "info">;
}

/** What cannot be read says nothing about whether the server is there. */
const isFailure = (judgement: Judgement): boolean =>
  judgement.kind === "error" && judgement.reason !== "unparseable" && judgement.reason !== "overloaded";

export const withBreaker = (classifier: Classifier, { failures, restMs, clock, log }: Options): Classifier => {
  const { source } = classifier;
  let inARow = 0;
  let openUntil = Number.NEGATIVE_INFINITY;
  let trying = false;

  const isOpen = (): boolean => inARow >= failures;
  const opened: Judgement = {
    kind: "error",
    reason: "unavailable",
    detail: `left alone after ${failures} failures in a row`,
    source,
  };

  const note = (judgement: Judgement): void => {
    const wasOpen = isOpen();
    inARow = isFailure(judgement) ? inARow + 1 : 0;
    if (isOpen()) openUntil = clock.monotonic() + restMs;
    if (!wasOpen && isOpen()) log.warn({ classifier: source, failures: inARow }, "a classifier does not answer");
    if (wasOpen && !isOpen()) log.info({ classifier: source }, "a classifier answers again");
  };

  return {
    source,
    async judge(text, signal) {
      if (isOpen() && (trying || clock.monotonic() < openUntil)) return opened;
      const isTry = isOpen();
      trying ||= isTry;
      const judgement = await classifier.judge(text, signal);
      if (isTry) trying = false;
      // A caller who gave up tells nothing about the server.
      if (signal?.aborted !== true) note(judgement);
      return judgement;
    },
  };
};
