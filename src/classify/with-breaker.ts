/** A classifier behind a breaker: while its server is left alone, what is not asked is an error, never harmless. */

import { type BreakerOptions, createBreaker } from "../kernel/breaker.ts";
import type { Log } from "../kernel/log.ts";
import type { Classifier, Judgement } from "./classifier.ts";

interface Options extends BreakerOptions {
  log: Pick<Log, "warn" | "info">;
}

/** Null for what tells nothing: our own limits, not the server's. What can't be read came from a server that is there. */
const succeeded = (judgement: Judgement): boolean | null => {
  if (judgement.kind === "judged" || judgement.reason === "unparseable") return true;
  return judgement.reason === "overloaded" ? null : false;
};

export const withBreaker = (classifier: Classifier, { log, ...options }: Options): Classifier => {
  const { source } = classifier;
  const breaker = createBreaker(options);
  const leftAlone: Judgement = {
    kind: "error",
    reason: "unavailable",
    detail: "left alone after too many failures",
    source,
  };

  const note = (ok: boolean): void => {
    const before = breaker.state();
    breaker.report(ok);
    const after = breaker.state();
    if (before === "closed" && after === "open") log.warn({ classifier: source }, "a classifier does not answer");
    if (before === "half-open" && after === "closed") log.info({ classifier: source }, "a classifier answers again");
  };

  return {
    source,
    async judge(text, signal) {
      const admitted = breaker.admit();
      if (admitted === "refuse") return leftAlone;
      const judgement = await classifier.judge(text, signal);
      // A caller who gave up tells nothing about the server.
      const ok = signal?.aborted === true ? null : succeeded(judgement);
      // Nor does a call from before the breaker opened about a server that is being tried.
      if (admitted === "ask" && breaker.state() !== "closed") return judgement;
      if (ok === false && judgement.kind === "error" && judgement.retryAfterMs !== undefined) {
        if (breaker.state() === "closed") log.warn({ classifier: source }, "a classifier asks to be left alone");
        breaker.rest(judgement.retryAfterMs);
      } else if (ok !== null) note(ok);
      else if (admitted === "try") breaker.abandon();
      return judgement;
    },
  };
};
