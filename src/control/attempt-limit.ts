/** A token bucket per caller, for requests that are rare by nature. Remembers a bounded number of callers. */
import { LRUCache } from "lru-cache";
import type { Clock } from "../kernel/clock.ts";

interface AttemptLimit {
  /** Whether this caller may try once more; counts the attempt. */
  admit(caller: string): boolean;
}

interface Options {
  clock: Pick<Clock, "monotonic">;
  /** Attempts that may come at once. */
  burst: number;
  /** Attempts a second that are given back. */
  perSecond: number;
}

export const createAttemptLimit = ({ clock, burst, perSecond }: Options): AttemptLimit => {
  const callers = new LRUCache<string, { left: number; at: number }>({ max: 1_000 });
  return {
    admit(caller) {
      const now = clock.monotonic();
      const { left, at } = callers.get(caller) ?? { left: burst, at: now };
      const available = Math.min(burst, left + ((now - at) / 1000) * perSecond);
      const admitted = available >= 1;
      callers.set(caller, { left: admitted ? available - 1 : available, at: now });
      return admitted;
    },
  };
};
