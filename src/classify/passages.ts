/** A long answer in overlapping pieces: harm between many harmless words stands out in its own piece, not in the whole. */
import { excerptOf } from "./judge-excerpt.ts";

/** Beginning and end of longer answers; 40 pieces at most, which together cost the screen less than a millisecond. */
const readLength = 8_000;
const passageLength = 400;

/** Each half over the one before it. Empty for an answer that is no longer than one piece. */
export const passagesOf = (answer: string): string[] => {
  if (answer.length <= passageLength) return [];
  const text = excerptOf(answer, readLength);
  const passages: string[] = [];
  for (let at = 0; at + passageLength / 2 < text.length; at += passageLength / 2) {
    passages.push(text.slice(at, at + passageLength));
  }
  return passages;
};
