/** Keeps an exchange whole when the code that watches it throws: a bug in the watching must never reach an app. */
import type { Log } from "../kernel/log.ts";
import type { AnswerRecorder, DecisionObserver, ExchangeObserver } from "./exchange.ts";

/** Calls through; an observer that threw loses that exchange, and the first time is logged. */
export const guardObserver = (observer: ExchangeObserver, log: Log): ExchangeObserver => {
  let logged = false;
  const report = (error: unknown): void => {
    if (logged) return;
    logged = true;
    log.error({ err: error }, "the observer of live exchanges threw; it misses exchanges");
  };
  const guardRecorder = (recorder: AnswerRecorder): AnswerRecorder => {
    let broken = false;
    const attempt = (call: () => void): void => {
      if (broken) return;
      try {
        call();
      } catch (error) {
        broken = true;
        report(error);
      }
    };
    return {
      chunk: (bytes) => attempt(() => recorder.chunk(bytes)),
      end: (end) => attempt(() => recorder.end(end)),
    };
  };
  const attemptBegin = (begin: () => AnswerRecorder | null): AnswerRecorder | null => {
    try {
      const recorder = begin();
      return recorder === null ? null : guardRecorder(recorder);
    } catch (error) {
      report(error);
      return null;
    }
  };
  return {
    begin: (exchange) => attemptBegin(() => observer.begin(exchange)),
    beginUnread: (exchange) => attemptBegin(() => observer.beginUnread?.(exchange) ?? null),
  };
};

/** Calls through; what it throws is logged and reaches no exchange. */
export const guardDecisions = (observer: DecisionObserver, log: Log): DecisionObserver => ({
  decided(exchange, decision) {
    try {
      observer.decided(exchange, decision);
    } catch (error) {
      log.error({ err: error, decision: decision.id }, "a decision could not be recorded");
    }
  },
});
