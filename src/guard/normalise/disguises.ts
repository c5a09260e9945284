/** A quick look over a text: which kinds of disguise it may hold at all. Most texts hold none, and cost no more than this. */

import { fillLetterBytes, letterBytes, stretch } from "../letter-bytes.ts";

export interface Disguises {
  /** Letters outside ASCII, or control characters. */
  unusual: boolean;
  /** Letters that stand alone, several in a row. */
  spelt: boolean;
  /** Digits or signs within words. */
  leet: boolean;
  /** Signs or runs of letters that encodings are made of. */
  encoded: boolean;
}

const [other, letter, digit, inRun, sign, coded, unusual] = [0, 1, 2, 3, 4, 5, 6] as const;

const classOf = (character: string): number => {
  if (/[A-Za-z]/.test(character)) return letter;
  if (/[0-9]/.test(character)) return digit;
  if (/[/_-]/.test(character)) return inRun;
  if (/[@$!|+]/.test(character)) return sign;
  if (/[%\\&]/.test(character)) return coded;
  return /[\s!-~]/.test(character) ? other : unusual;
};

/** By byte. */
const classes = Uint8Array.from({ length: 256 }, (_, byte) => classOf(String.fromCharCode(byte)));

const exclamationMark = 0x21;
const plus = 0x2b;

/** Shortest run of letters, digits and signs that may be an encoding. */
const shortestRun = 16;
/** Shortest row of single letters that may be a word. */
const shortestRow = 4;

/** Whether the text can be read in one way only. */
export const isUndisguised = ({ unusual, spelt, leet, encoded }: Disguises): boolean =>
  !unusual && !spelt && !leet && !encoded;

/** What is known behind a stretch of a text. */
interface Walk {
  found: Disguises;
  /** Class of the last unit. */
  before: number;
  /** Units of encodings in a row; units of a word in a row; words of one unit in a row; words of two. */
  run: number;
  word: number;
  row: number;
  pairs: number;
}

/** Over `letterBytes`. In plain variables: fields would be written to memory at every letter. */
const walkOver = (walk: Walk, length: number): void => {
  const { found } = walk;
  const bytes = letterBytes;
  let { before, run, word, row, pairs } = walk;
  for (let at = 0; at < length; ) {
    const start = at;
    // Most of a text is letters.
    while (at < length && classes[bytes[at] ?? 0] === letter) at += 1;
    if (at > start) {
      if (before === digit || before === sign) found.leet = true;
      run += at - start;
      word += at - start;
      if (run >= shortestRun) found.encoded = true;
      before = letter;
      if (at === length) break;
    }
    const byte = bytes[at] ?? 0;
    const kind = classes[byte] ?? unusual;
    at += 1;
    if (kind === digit) {
      if (before === letter) found.leet = true;
      run += 1;
      word += 1;
    } else {
      if (word !== 0) {
        row = word === 1 ? row + 1 : 0;
        // Two digits of hexadecimal at a time, with something between them.
        pairs = word === 2 ? pairs + 1 : 0;
        if (row >= shortestRow) found.spelt = true;
        if (pairs >= shortestRun / 2) found.encoded = true;
        word = 0;
      }
      run = kind === inRun || byte === plus ? run + 1 : 0;
      if (kind === sign) {
        // Sentences end in exclamation marks.
        if (before === letter && byte !== exclamationMark) found.leet = true;
      } else if (kind === coded) found.encoded = true;
      else if (kind === unusual) found.unusual = true;
    }
    if (run >= shortestRun) found.encoded = true;
    before = kind;
  }
  walk.before = before;
  walk.run = run;
  walk.word = word;
  walk.row = row;
  walk.pairs = pairs;
};

/** Never misses one that is there. */
export const disguisesIn = (text: string): Disguises => {
  const found: Disguises = { unusual: false, spelt: false, leet: false, encoded: false };
  const walk: Walk = { found, before: other, run: 0, word: 0, row: 0, pairs: 0 };
  for (let from = 0; from < text.length; from += stretch) {
    const to = Math.min(text.length, from + stretch);
    fillLetterBytes(text, from, to);
    walkOver(walk, to - from);
  }
  if (walk.word === 1 && walk.row + 1 >= shortestRow) found.spelt = true;
  if (walk.word === 2 && walk.pairs + 1 >= shortestRun / 2) found.encoded = true;
  return found;
};
