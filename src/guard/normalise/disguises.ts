/** A quick look over a text: which kinds of disguise it may hold at all. Most texts hold none, and cost no more than this. */

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

/** Of the units of ASCII. */
const classes = Uint8Array.from({ length: 128 }, (_, unit) => classOf(String.fromCharCode(unit)));

/** Shortest run of letters, digits and signs that may be an encoding. */
const shortestRun = 16;
/** Shortest row of single letters that may be a word. */
const shortestRow = 4;

/** Never misses one that is there. */
export const disguisesIn = (text: string): Disguises => {
  const found: Disguises = { unusual: false, spelt: false, leet: false, encoded: false };
  const length = text.length;
  let before: number = other;
  /** Units of encodings in a row; units of a word in a row; words of one unit in a row. */
  let run = 0;
  let word = 0;
  let row = 0;
  let pairs = 0;
  for (let at = 0; at < length; at += 1) {
    const unit = text.charCodeAt(at);
    const kind: number = unit < 128 ? (classes[unit] ?? other) : unusual;
    if (kind === letter || kind === digit) {
      if (kind + before === 3 || (before === sign && kind === letter)) found.leet = true;
      run += 1;
      word += 1;
      if (run === shortestRun) found.encoded = true;
    } else {
      if (word !== 0) {
        row = word === 1 ? row + 1 : 0;
        // Two digits of hexadecimal at a time, with something between them.
        pairs = word === 2 ? pairs + 1 : 0;
        if (row === shortestRow) found.spelt = true;
        if (pairs === shortestRun / 2) found.encoded = true;
        word = 0;
      }
      if (kind === inRun || unit === 43) {
        run += 1;
        if (run === shortestRun) found.encoded = true;
      } else run = 0;
      if (kind === sign) {
        // Sentences end in exclamation marks.
        if (before === letter && unit !== 33) found.leet = true;
      } else if (kind === coded) found.encoded = true;
      else if (kind === unusual) found.unusual = true;
    }
    before = kind;
  }
  if (word === 1 && row + 1 >= shortestRow) found.spelt = true;
  if (word === 2 && pairs + 1 >= shortestRun / 2) found.encoded = true;
  return found;
};
