/** A small corpus of made-up words, for tests of training: enough to learn from, nobody's text. */
import type { LabelledRow } from "../../src/classify/training/labelled-row.ts";
import { seededRandom } from "../../src/kernel/random.ts";

const bad = ["steal", "poison", "threaten", "burn", "lie"];
const good = ["share", "cook", "listen", "plant", "help"];
const filler = ["then", "you", "the", "house", "with", "every", "day", "and"];

/** Answers of made-up words: harmful ones have a bad word, harmless ones a good one, and some have neither. */
export const madeUp = (count: number, seed: number): LabelledRow[] => {
  const random = seededRandom(seed);
  const one = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? "";
  return Array.from({ length: count }, (_, at) => {
    const harmful = at % 3 === 0;
    const telling = random() < 0.8 ? one(harmful ? bad : good) : one(filler);
    return { response: `${one(filler)} ${telling} ${one(filler)} ${one(filler)}`, harmful, group: `${at % 20}` };
  });
};
