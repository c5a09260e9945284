/**
 * Which letters stand next to which in some texts: tells in a few steps that a word is in none of them. Never says no of
 * a word that is there.
 */
import { atOnce, type Steps } from "../../kernel/steps.ts";

export interface LetterSet {
  add(text: string): void;
  /** False: no text that was added holds this, whatever the case. `literal` is ASCII in small letters. */
  mayHold(literal: string): boolean;
}

const least = 1 << 9;
const most = 1 << 17;

/** Of three UTF-16 units; ASCII capitals count as small letters. */
const small = (unit: number): number => (unit >= 65 && unit <= 90 ? unit + 32 : unit);
const place = (one: number, two: number, three: number): number =>
  Math.imul(one, 0x9e3779b1) ^ Math.imul(two, 0x85ebca77) ^ Math.imul(three, 0xc2b2ae3d);

/** The two letters outside ASCII that stand for one within it where case does not matter. */
const foldsToAscii = /[\u017f\u212a]/;

/** @param length of all texts together, about */
export const createLetterSet = (length: number): LetterSet => {
  let size = least;
  while (size < length * 8 && size < most) size *= 2;
  // A plain array: typed ones live outside of the heap, and many short-lived ones of those keep the collector busy.
  const bits: number[] = new Array(size >> 5).fill(0);
  const mask = size - 1;
  let anything = false;

  const has = (hash: number): boolean => {
    const at = (hash ^ (hash >>> 15)) & mask;
    return ((bits[at >> 5] ?? 0) & (1 << (at & 31))) !== 0;
  };

  return {
    add(text) {
      if (foldsToAscii.test(text)) anything = true;
      let one = small(text.charCodeAt(0));
      let two = small(text.charCodeAt(1));
      for (let index = 2; index < text.length; index += 1) {
        const three = small(text.charCodeAt(index));
        const hash = place(one, two, three);
        const at = (hash ^ (hash >>> 15)) & mask;
        bits[at >> 5] = (bits[at >> 5] ?? 0) | (1 << (at & 31));
        one = two;
        two = three;
      }
    },
    mayHold(literal) {
      if (anything) return true;
      for (let index = 2; index < literal.length; index += 1) {
        const hash = place(literal.charCodeAt(index - 2), literal.charCodeAt(index - 1), literal.charCodeAt(index));
        if (!has(hash)) return false;
      }
      return true;
    },
  };
};

/** Of all these texts. */
export function* letterSteps(texts: readonly { text: string }[]): Steps<LetterSet> {
  const letters = createLetterSet(texts.reduce((sum, { text }) => sum + text.length, 0));
  for (const { text } of texts) {
    letters.add(text);
    if (text.length > 4_096) yield;
  }
  return letters;
}

export const lettersOf = (texts: readonly { text: string }[]): LetterSet => atOnce(letterSteps(texts));
