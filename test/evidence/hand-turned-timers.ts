import type { Clock } from "../../src/kernel/clock.ts";

/** Timers that ring only when time is turned by hand, in the order in which they are due. */
export const handTurnedTimers = (): Pick<Clock, "after"> & { turn(ms: number): void; waiting(): number } => {
  let now = 0;
  const timers = new Set<{ due: number; ring: () => void }>();
  const earliest = () => [...timers].sort((one, other) => one.due - other.due)[0];
  return {
    after(ms, ring) {
      const timer = { due: now + ms, ring };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    turn(ms) {
      const end = now + ms;
      for (let timer = earliest(); timer !== undefined && timer.due <= end; timer = earliest()) {
        timers.delete(timer);
        now = Math.max(now, timer.due);
        timer.ring();
      }
      now = end;
    },
    waiting: () => timers.size,
  };
};
