/** How long to leave an arm alone after failures: exponential, with jitter, capped; a server's Retry-After is a floor. */
import type { Random } from "../kernel/random.ts";

export interface Backoff {
  /** Whether nothing may be asked at `now` (milliseconds of the monotonic clock). */
  holds(now: number): boolean;
  failed(now: number, retryAfterMs: number | null): void;
  succeeded(): void;
}

const firstWait = 2_000;
const longestWait = 15 * 60_000;
/** A server that asks for more than this is asking for an operator. */
const longestRetryAfter = 24 * 3_600_000;

export const createBackoff = (random: Random): Backoff => {
  let failures = 0;
  let until = Number.NEGATIVE_INFINITY;
  return {
    holds: (now) => now < until,
    failed(now, retryAfterMs) {
      const wait = Math.min(longestWait, firstWait * 2 ** Math.min(failures, 20));
      failures += 1;
      const jittered = wait * (0.5 + random() / 2);
      const asked = Math.min(longestRetryAfter, Math.max(0, retryAfterMs ?? 0));
      until = Math.max(until, now + Math.max(jittered, asked));
    },
    succeeded() {
      failures = 0;
    },
  };
};
