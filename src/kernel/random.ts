/** A source of uniform numbers in [0, 1) as an argument, so that a seed reproduces every draw. */
export type Random = () => number;

/** mulberry32: 32 bits of state, good enough for schedules and simulations; not for secrets. Source: Tommy Ettinger, public domain. */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};
