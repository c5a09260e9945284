/**
 * Where a text may be cut in two so that whatever can be read in the whole can be read in one of the parts: disguises
 * (spaced letters, encodings, invisible characters) are stretches of text, and no stretch runs over such a place.
 */

/** A word of ordinary letters that is no hexadecimal number, too short to be an encoding, and more than one letter. */
const ordinaryWord = /^["'(¿¡«“‘]?\p{L}{2,15}[.,;:!?…"')»”’]{0,3}$/u;
const hexadecimal = /^[0-9a-f]+$/i;
const isOrdinary = (word: string): boolean =>
  ordinaryWord.test(word) && !hexadecimal.test(word.replace(/[^\p{L}]/gu, ""));

/** Scripts without spaces: between two of their letters nothing is composed and nothing is encoded. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\uac00-\ud7a3]/u;

const isSpace = (text: string, at: number): boolean => text.charAt(at) === " " || text.charAt(at) === "\n";

/** Words longer than this are not looked at to their ends. */
const longestWord = 24;

const wordBefore = (text: string, end: number): string => {
  let start = end;
  while (start > 0 && end - start < longestWord && !isSpace(text, start - 1)) start -= 1;
  return text.slice(start, end);
};

const wordAfter = (text: string, start: number): string => {
  let end = start;
  while (end < text.length && end - start < longestWord && !isSpace(text, end)) end += 1;
  return text.slice(start, end);
};

const isSafe = (text: string, at: number): boolean => {
  if (isSpace(text, at - 1)) return isOrdinary(wordBefore(text, at - 1)) && isOrdinary(wordAfter(text, at));
  return unspaced.test(text.charAt(at - 1)) && unspaced.test(text.charAt(at));
};

/**
 * The last safe place at or before `target`, and after `least`; `least` where there is none. What follows `target` must
 * hold at least one whole word, so that the word after a cut is known.
 */
export const safeCut = (text: string, target: number, least: number): number => {
  for (let at = target; at > least; at -= 1) if (isSafe(text, at)) return at;
  return least;
};

/** How much of the end of a text is always kept back, so that the word after a cut is there. */
export const keptBack = longestWord + 2;
