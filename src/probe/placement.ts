/**
 * Puts a due probe where the app itself might have called: after a pause since the app's last call that is as long as one
 * of the app's own. Who sees only the times of calls, in bursts or not, then sees no stranger among them.
 */
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { TrafficRhythm } from "./conversations.ts";
import { pick } from "./deck.ts";

/** Fewer pauses than this are no rhythm yet. */
const fewest = 16;
/** Longest wait for a pause that is long enough: in mean pauses, and in milliseconds. */
const longestInPauses = 32;
const longestMs = 5 * 60_000;

interface Parts {
  /** Undefined where nobody knows it: then nothing waits. */
  rhythm: TrafficRhythm | undefined;
  clock: Pick<Clock, "after">;
  random: Random;
}

export interface Placement {
  /** Calls back once, at once or later. */
  place(callback: () => void): void;
  waiting(): number;
  /** Forgets what waits. */
  clear(): void;
}

export const createPlacement = ({ rhythm, clock, random }: Parts): Placement => {
  const cancels = new Set<() => void>();

  const afterPause = (known: TrafficRhythm, pauses: readonly number[], callback: () => void): void => {
    const pause = (pick(pauses, random) ?? 0) * (0.9 + 0.2 * random());
    const mean = pauses.reduce((sum, one) => sum + one, 0) / pauses.length;
    let cancelPause = (): void => {};
    let cancelCall = (): void => {};
    const cancel = (): void => {
      cancels.delete(cancel);
      cancelCall();
      cancelPause();
      cancelDeadline();
    };
    const fire = (): void => {
      cancel();
      callback();
    };
    // The same pause is tried again after each call until one lasts: a new draw each time would favour the short ones.
    const called = (): void => {
      cancelPause();
      cancelPause = clock.after(pause, fire);
      cancelCall = known.atNextCall(called);
    };
    const cancelDeadline = clock.after(Math.min(longestMs, longestInPauses * mean), fire);
    cancelCall = known.atNextCall(called);
    cancels.add(cancel);
  };

  return {
    place(callback) {
      const pauses = rhythm?.pauses().filter((pause) => pause < longestMs) ?? [];
      if (rhythm === undefined || pauses.length < fewest) callback();
      else afterPause(rhythm, pauses, callback);
    },
    waiting: () => cancels.size,
    clear() {
      for (const cancel of [...cancels]) cancel();
    },
  };
};
