/** Decides which exchanges of a subject are judged: a fair coin of a given bias, and a hard bound on any hour. */
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";

export interface Sampler {
  /** Tosses the coin for one exchange. `capped`: it would have been sampled, but the hour is full. */
  draw(): "sampled" | "passed-over" | "capped";
  /** Takes one of the hour's places; false when none is left. */
  claim(): boolean;
}

interface SamplerParts {
  /** Share of exchanges to sample, 0-1. */
  rate: number;
  /** Most places in any 60 minutes. */
  maxPerHour: number;
  random: Random;
  clock: Pick<Clock, "monotonic">;
}

const minute = 60_000;

export const createSampler = ({ rate, maxPerHour, random, clock }: SamplerParts): Sampler => {
  // Whole minutes of the last hour, with the one that it began in: memory stays the same for any cap.
  const taken = new Map<number, number>();

  const placesLeft = (now: number): number => {
    let used = 0;
    for (const [at, count] of taken) {
      if (at < now - 60) taken.delete(at);
      else used += count;
    }
    return maxPerHour - used;
  };

  const thisMinute = (): number => Math.floor(clock.monotonic() / minute);

  return {
    draw() {
      if (random() >= rate) return "passed-over";
      return placesLeft(thisMinute()) > 0 ? "sampled" : "capped";
    },
    claim() {
      const now = thisMinute();
      if (placesLeft(now) <= 0) return false;
      taken.set(now, (taken.get(now) ?? 0) + 1);
      return true;
    },
  };
};
