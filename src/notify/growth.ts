/** How much totals have grown within the last minutes: what `increase()` is in Prometheus, from looks now and then. */

export interface Growth {
  /** The totals as they are. `now` is on the monotonic clock, in milliseconds. */
  saw(now: number, totals: ReadonlyMap<string, number>): void;
  /**
   * What a total has grown by from the first look within `withinMs` before the last one to that, and how many seconds
   * were between them. A total that was not there counts as 0.
   */
  of(key: string, withinMs: number): { by: number; seconds: number };
}

/** @param keptMs how far back may be asked */
export const createGrowth = (keptMs: number): Growth => {
  let looks: { at: number; totals: ReadonlyMap<string, number> }[] = [];
  return {
    saw(now, totals) {
      looks = [...looks.filter(({ at }) => now - at <= keptMs), { at: now, totals }];
    },
    of(key, withinMs) {
      const last = looks.at(-1);
      const first = looks.find(({ at }) => (last?.at ?? at) - at <= withinMs);
      if (last === undefined || first === undefined) return { by: 0, seconds: 0 };
      return {
        by: (last.totals.get(key) ?? 0) - (first.totals.get(key) ?? 0),
        seconds: (last.at - first.at) / 1000,
      };
    },
  };
};
