/**
 * Tries to tell two kinds of requests apart by their features: logistic regression, trained on one half, tried on
 * the other.
 */
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

const rounds = 20;
const step = 0.2;
/** Pulls weights towards 0, so that chance is not learned for a rule. */
const restraint = 0.002;

const noticesOf = (features: Features): string[] => [...features].map(([name, value]) => `${name}=${value}`);

/** Logistic regression by stochastic gradient descent with a step for each weight (AdaGrad). */
const train = (sides: readonly (readonly Features[])[], random: () => number): ((features: Features) => number) => {
  const weights = new Map<string, { value: number; moved: number }>();
  const samples = sides.flatMap((side, index) =>
    side.map((features) => ({ wanted: index === 0 ? 1 : 0, notices: noticesOf(features) })),
  );
  const seen = new Map<string, number>();
  for (const { notices } of samples) for (const notice of notices) seen.set(notice, (seen.get(notice) ?? 0) + 1);
  // What came once can't tell anything of what comes next.
  for (const [notice, times] of seen) if (times > 1) weights.set(notice, { value: 0, moved: 1e-6 });
  const odds = (notices: readonly string[]): number =>
    notices.reduce((sum, notice) => sum + (weights.get(notice)?.value ?? 0), 0);
  for (let round = 0; round < rounds; round += 1) {
    for (const { wanted, notices } of shuffled(samples, random)) {
      const error = wanted - 1 / (1 + Math.exp(-odds(notices)));
      for (const notice of notices) {
        const weight = weights.get(notice);
        if (weight === undefined) continue;
        const gradient = error - restraint * weight.value;
        weight.moved += gradient * gradient;
        weight.value += (step * gradient) / Math.sqrt(weight.moved);
      }
    }
  }
  return (features) => odds(noticesOf(features));
};

/** Share of requests whose kind it told right, as many of each kind; 0.5 is guessing. */
export const accuracyOfTelling = (ones: readonly Features[], others: readonly Features[], seed: number): number => {
  const random = seededRandom(seed);
  const each = Math.min(ones.length, others.length);
  const half = Math.floor(each / 2);
  const drawn = [ones, others].map((kind) => shuffled(kind, random).slice(0, 2 * half));
  const oddsOf = train(
    drawn.map((kind) => kind.slice(0, half)),
    random,
  );
  const right = drawn.map((kind, side) =>
    kind.slice(half).reduce((sum, features) => {
      const odds = oddsOf(features);
      return sum + (odds === 0 ? 0.5 : odds > 0 === (side === 0) ? 1 : 0);
    }, 0),
  );
  return right.reduce((sum, count) => sum + count, 0) / (2 * half);
};
