/** A clock that tests turn by hand. Timers run in order; promises get their turn between them. */
import type { Clock } from "../../src/kernel/clock.ts";

export interface HandClock extends Clock {
  /** Runs every timer that is due within `ms`, in order. */
  advance(ms: number): Promise<void>;
  /** Time passes without any timer running, as when a machine sleeps; overdue timers run at the next advance. */
  jump(ms: number): void;
  timers(): number;
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

export const createHandClock = (): HandClock => {
  let now = 5_000;
  let serial = 0;
  const timers = new Map<number, { at: number; callback: () => void }>();
  return {
    now: () => 1_700_000_000_000 + now,
    monotonic: () => now,
    after(ms, callback) {
      serial += 1;
      const id = serial;
      timers.set(id, { at: now + ms, callback });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (due === undefined) break;
        const [id, { at, callback }] = due;
        timers.delete(id);
        now = Math.max(now, at);
        callback();
        await settle();
      }
      now = end;
      await settle();
    },
    jump(ms) {
      now += ms;
    },
    timers: () => timers.size,
  };
};
