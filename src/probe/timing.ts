/** When a prober asks: at the times of its own Poisson process, or at those of the one that a fleet shares. */
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { FleetProbing } from "./fleet-probing.ts";
import { createPacing } from "./pacing.ts";

export interface Timing {
  /** Calls back with the number of probes that are due, until it is ended by the returned function. */
  begin(due: (count: number) => void): () => void;
}

interface Parts {
  /** Mean number of probes an hour, now. */
  rate(): number;
  clock: Clock;
  random: Random;
}

export const ownTiming = ({ rate, clock, random }: Parts): Timing => ({
  begin(due) {
    const pacing = createPacing(clock.monotonic(), random);
    const tick = (): void => {
      const perHour = rate();
      due(pacing.due(clock.monotonic(), perHour));
      cancel = clock.after(pacing.wait(perHour), tick);
    };
    let cancel = clock.after(pacing.wait(rate()), tick);
    return () => cancel();
  },
});

/** The rate may rise meanwhile, here or at another replica: nobody sleeps longer than this. */
const longestSleepMs = 5_000;
/** All sleep until the same slot is due: who wakes first has it, and that is a matter of chance. */
const jitterMs = (perHour: number): number => Math.min(250, 3_600_000 / Math.max(1, perHour));

interface FleetParts extends Parts {
  fleet: FleetProbing;
  /** The fleet's schedule can't be reached, so nothing was asked. */
  unreachable(): void;
}

export const fleetTiming = ({ rate, clock, random, fleet, unreachable }: FleetParts): Timing => ({
  begin(due) {
    let ended = false;
    const sleep = (ms: number): void => {
      if (!ended)
        cancel = clock.after(Math.min(longestSleepMs, ms) + jitterMs(rate()) * random(), () => void takeTurn());
    };
    const takeTurn = async (): Promise<void> => {
      try {
        const { mine, waitMs } = await fleet.takeTurn(rate());
        if (mine && !ended) due(1);
        sleep(waitMs);
      } catch {
        unreachable();
        sleep(longestSleepMs);
      }
    };
    let cancel = (): void => {};
    sleep(0);
    return () => {
      ended = true;
      cancel();
    };
  },
});
