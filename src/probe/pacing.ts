/**
 * When probes are due: a Poisson process, so that their times carry no pattern. The rate may change at any moment, and a
 * clock that jumps or a process that slept makes no storm: what was missed is not made up for.
 */
import type { Random } from "../kernel/random.ts";

/** A longer silence than this, milliseconds, is a stall: the rest of it is forgotten. Timers are never set longer. */
const longestTick = 1_000;
/** Timers are not finer than this; several probes may be due at one tick. */
const shortestTick = 5;
const hour = 3_600_000;

export interface Pacing {
  /** How many probes became due since the last call. @param perHour mean rate over that time */
  due(now: number, perHour: number): number;
  /** How long to sleep until the next call, milliseconds. */
  wait(perHour: number): number;
}

export const createPacing = (start: number, random: Random): Pacing => {
  const exponential = (): number => -Math.log(1 - random());
  let last = start;
  // Measured in expected probes, not in time: that is what stays the same when the rate changes.
  let untilNext = exponential();
  return {
    due(now, perHour) {
      const elapsed = Math.min(Math.max(0, now - last), 2 * longestTick);
      last = now;
      untilNext -= (elapsed / hour) * perHour;
      let count = 0;
      while (untilNext <= 0) {
        count += 1;
        untilNext += exponential();
      }
      return count;
    },
    wait: (perHour) => {
      const next = perHour > 0 ? (untilNext * hour) / perHour : longestTick;
      return Math.min(longestTick, Math.max(shortestTick, next));
    },
  };
};
