/**
 * When a server that does not answer is left alone, and when it is tried again. Holds nothing but counts and a time; it
 * asks nobody itself.
 */
import type { Clock } from "./clock.ts";

export interface BreakerOptions {
  /** Failures in a row that open it. */
  failures: number;
  /** Failures among the last `window` calls that open it, as a share, 0-1: for servers that fail now and then. */
  share: number;
  /** Calls that the share is of; fewer than these never open it by share, and 0 leaves only those in a row. */
  window: number;
  /** How long it stays open, milliseconds. */
  restMs: number;
  clock: Pick<Clock, "monotonic">;
}

type BreakerState = "closed" | "open" | "half-open";

export interface Breaker {
  /** `half-open` while one call tries whether the server is back. */
  state(): BreakerState;
  /** Whether a call may be made now. After `try`, exactly one `report` or `abandon` must follow. */
  admit(): "ask" | "try" | "refuse";
  report(succeeded: boolean): void;
  /** The server asked to be left alone: open at once, for as long as it said but no longer than `longestRestMs`. */
  rest(ms: number): void;
  /** The try told nothing about the server. */
  abandon(): void;
  /** Milliseconds until it is tried again; 0 when it may be asked. */
  restLeft(): number;
}

/** A server that is mistaken about its own rest is tried again after this, milliseconds. */
const longestRestMs = 10 * 60_000;

export const createBreaker = ({ failures, share, window, restMs, clock }: BreakerOptions): Breaker => {
  let state: BreakerState = "closed";
  let openUntil = 0;
  let inARow = 0;
  let recent: boolean[] = [];

  const open = (): void => {
    state = "open";
    openUntil = clock.monotonic() + restMs;
  };
  const openFor = (ms: number): void => {
    state = "open";
    openUntil = Math.max(openUntil, clock.monotonic() + Math.min(ms, longestRestMs));
  };
  const close = (): void => {
    state = "closed";
    inARow = 0;
    recent = [];
  };
  const tooMany = (): boolean =>
    inARow >= failures ||
    (window > 0 && recent.length >= window && recent.filter((ok) => !ok).length >= share * window);

  return {
    state: () => state,
    rest: openFor,
    admit() {
      if (state === "closed") return "ask";
      if (state === "half-open" || clock.monotonic() < openUntil) return "refuse";
      state = "half-open";
      return "try";
    },
    report(succeeded) {
      // Calls that were under way when it opened tell nothing new; only the try decides.
      if (state === "open") return;
      if (state === "half-open") {
        if (succeeded) close();
        else open();
        return;
      }
      inARow = succeeded ? 0 : inARow + 1;
      if (window > 0) recent = [...recent, succeeded].slice(-window);
      if (tooMany()) open();
    },
    restLeft: () => (state === "closed" ? 0 : Math.max(0, openUntil - clock.monotonic())),
    abandon() {
      // The rest is over, so the next call is the try.
      if (state === "half-open") state = "open";
    },
  };
};
