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
  /** What was taken already; left out by who begins anew. */
  taken?: SamplesTaken;
}

/** By minute of the monotonic clock. */
export type TakenByMinute = Map<number, number>;

export interface SamplesTaken {
  places: TakenByMinute;
  looks: TakenByMinute;
}

export const noSamplesTaken = (): SamplesTaken => ({ places: new Map(), looks: new Map() });

/** Exchanges sampled for one place: many turn out to say nothing, or more of a conversation that was judged already. */
const looksPerPlace = 10;

/** At most `limit` in any 60 minutes, counted by whole minutes, so that memory is the same for any limit. */
export const createSlidingHour = (limit: number, clock: Pick<Clock, "monotonic">, taken: TakenByMinute = new Map()) => {
  const minute = (): number => Math.floor(clock.monotonic() / 60_000);

  const hasPlace = (): boolean => {
    const oldest = minute() - 60;
    let used = 0;
    for (const [at, count] of taken) {
      if (at < oldest) taken.delete(at);
      else used += count;
    }
    return used < limit;
  };

  const take = (): boolean => {
    if (!hasPlace()) return false;
    taken.set(minute(), (taken.get(minute()) ?? 0) + 1);
    return true;
  };
  return { hasPlace, take };
};

export const createSampler = (parts: SamplerParts): Sampler => {
  const { rate, maxPerHour, random, clock, taken = noSamplesTaken() } = parts;
  const places = createSlidingHour(maxPerHour, clock, taken.places);
  // Reading an answer costs too, so looking for one that can be judged is bounded as well.
  const looks = createSlidingHour(maxPerHour * looksPerPlace, clock, taken.looks);
  return {
    draw() {
      if (random() >= rate) return "passed-over";
      return places.hasPlace() && looks.take() ? "sampled" : "capped";
    },
    claim: places.take,
  };
};
