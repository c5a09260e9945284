/** Tries to tell two kinds of requests apart by their features: naive Bayes, trained on one half, tried on the other. */
import { seededRandom } from "../../src/kernel/random.ts";

/** What was noticed of a request, each notice once: `name=value`. */
export type Features = ReadonlyMap<string, string>;

const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other] as T, order[at] as T];
  }
  return order;
};

const smoothing = 0.5;

const train = (sides: readonly (readonly Features[])[]): ((features: Features) => number) => {
  const counts = sides.map((side) => {
    const seen = new Map<string, number>();
    for (const features of side)
      for (const [name, value] of features) seen.set(`${name}=${value}`, (seen.get(`${name}=${value}`) ?? 0) + 1);
    return seen;
  });
  const likelihood = (side: number, notice: string): number =>
    Math.log(((counts[side]?.get(notice) ?? 0) + smoothing) / ((sides[side]?.length ?? 0) + 2 * smoothing));
  return (features) =>
    [...features].reduce((sum, [name, value]) => {
      const notice = `${name}=${value}`;
      return sum + likelihood(0, notice) - likelihood(1, notice);
    }, 0);
};

/** Share of requests whose kind it told right, as many of each kind; 0.5 is guessing. */
export const accuracyOfTelling = (ones: readonly Features[], others: readonly Features[], seed: number): number => {
  const random = seededRandom(seed);
  const each = Math.min(ones.length, others.length);
  const half = Math.floor(each / 2);
  const drawn = [ones, others].map((kind) => shuffled(kind, random).slice(0, 2 * half));
  const oddsOf = train(drawn.map((kind) => kind.slice(0, half)));
  const right = drawn.map((kind, side) =>
    kind.slice(half).reduce((sum, features) => {
      const odds = oddsOf(features);
      return sum + (odds === 0 ? 0.5 : odds > 0 === (side === 0) ? 1 : 0);
    }, 0),
  );
  return right.reduce((sum, count) => sum + count, 0) / (2 * half);
};
