/** Reads digits and signs within words as the letters that they are drawn for: `p4ssw0rd`, `h@ck`. */
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

/** Letter by letter, so that everything keeps its place. @param one what the digit 1 is read as: it is drawn for two letters */
export const withoutLeet = (base: MappedText, one: "l" | "i"): MappedText => {
  const read = (run: string): string =>
    hasLetter.test(run) && hasSign.test(run)
      ? run.replace(/[013457@$!+|]/g, (sign) => (sign === "1" ? one : (letters[sign] ?? sign)))
      : run;
  const text = base.text.replace(word, read);
  return text === base.text ? base : { text, origin: base.origin };
};
