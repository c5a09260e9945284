/** Yes-or-no data, counted. Immutable, so that remembering a moment costs a reference. */
export interface Count {
  readonly n: number;
  readonly hits: number;
}

export const nothing: Count = { n: 0, hits: 0 };

export const countOne = ({ n, hits }: Count, hit: boolean): Count => ({ n: n + 1, hits: hit ? hits + 1 : hits });

export const countSince = (now: Count, then: Count): Count => ({ n: now.n - then.n, hits: now.hits - then.hits });
