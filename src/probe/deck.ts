/** Draws without replacement: every item comes once before any comes again, so no single question carries an estimate. */
import type { Random } from "../kernel/random.ts";

export interface Deck<T> {
  /** Null only when the deck was made of nothing. */
  draw(): T | null;
}

export const pick = <T>(items: readonly T[], random: Random): T | undefined =>
  items[Math.floor(random() * items.length)];

const shuffled = <T>(items: readonly T[], random: Random): T[] =>
  items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);

export const createDeck = <T>(items: readonly T[], random: Random): Deck<T> => {
  let rest: T[] = [];
  let last: T | null = null;
  return {
    draw() {
      if (rest.length === 0) {
        rest = shuffled(items, random);
        // The first card of a new cycle must not be the last one of the old.
        if (rest.length > 1 && rest.at(-1) === last) rest.reverse();
      }
      last = rest.pop() ?? null;
      return last;
    },
  };
};
