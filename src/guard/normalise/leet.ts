/** Reads digits and signs within words as the letters that they are drawn for: `p4ssw0rd`, `h@ck`. */
import type { Steps } from "../../kernel/steps.ts";
import type { MappedText } from "./mapped-text.ts";

const word = /(?<![\p{L}\p{N}@$!+|])[\p{L}\p{N}@$!+|]{3,40}(?![\p{L}\p{N}@$!+|])/gu;
const hasLetter = /\p{L}/u;
const hasSign = /[013457@$!+|]/;

const letters: Readonly<Record<string, string>> = {
  "0": "o",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
  "+": "t",
  "|": "l",
};

/** Of a long text, how much is read before others get their turn. */
const stretch = 16 * 1024;
const outsideOfWords = /[^\p{L}\p{N}@$!+|]/gu;

/** Between two words. */
const endOfStretch = (text: string, start: number): number => {
  if (text.length - start <= stretch) return text.length;
  outsideOfWords.lastIndex = start + stretch;
  return outsideOfWords.exec(text)?.index ?? text.length;
};

/** Letter by letter, so that everything keeps its place. @param one what the digit 1 is read as: it is drawn for two letters */
export function* withoutLeet(base: MappedText, one: "l" | "i"): Steps<MappedText> {
  const read = (run: string): string =>
    hasLetter.test(run) && hasSign.test(run)
      ? run.replace(/[013457@$!+|]/g, (sign) => (sign === "1" ? one : (letters[sign] ?? sign)))
      : run;
  const pieces: string[] = [];
  for (let start = 0; start < base.text.length; ) {
    const end = endOfStretch(base.text, start);
    pieces.push(base.text.slice(start, end).replace(word, read));
    start = end;
    if (end < base.text.length) yield;
  }
  const text = pieces.join("");
  return text === base.text ? base : { text, origin: base.origin };
}
