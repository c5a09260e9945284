import type { Clock } from "../../src/kernel/clock.ts";

/** Time that stands still until it is turned by hand. */
export const handTurnedClock = (): Pick<Clock, "now" | "monotonic"> & { turn(ms: number): void } => {
  let elapsed = 0;
  return {
    now: () => 1_700_000_000_000 + elapsed,
    monotonic: () => elapsed,
    turn(ms) {
      elapsed += ms;
    },
  };
};
