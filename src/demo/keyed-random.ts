/**
 * Chance that depends on what is being decided, not on when: the same seed gives the same question the same answer,
 * in whatever order the network delivers the questions.
 */
import { createHash } from "node:crypto";
import { type Random, seededRandom } from "../kernel/random.ts";

export const keyedRandom = (seed: number, ...key: readonly (string | number)[]): Random =>
  seededRandom(
    createHash("sha256")
      .update(JSON.stringify([seed, ...key]))
      .digest()
      .readUInt32LE(0),
  );

/** An element by chance; throws for an empty list, which is a mistake in the code that wrote the list. */
export const oneOf = <T>(items: readonly T[], random: Random): T => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
};
