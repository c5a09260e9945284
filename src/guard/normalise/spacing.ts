/** Joins words that were spelt out: `b l u e`, `b.l.u.e`, `b-l-u-e`. */
import { type MappedText, type Replacement, replaced } from "./mapped-text.ts";

const letter = String.raw`[\p{L}\p{N}]`;
const separator = String.raw`[ \t._*|·~,/\\\r\n+:–—-]{1,3}`;
/** Four letters or more, each by itself. */
const spelt = new RegExp(`(?<!${letter})${letter}(?:${separator}${letter}(?!${letter})){3,}`, "gu");

/** Several spaces among single letters are a gap between words. */
const joined = (run: string): string =>
  run.replace(new RegExp(separator, "gu"), (gap) => (/^ {2,}$/.test(gap) ? " " : ""));

export const withoutSpacing = (base: MappedText): MappedText => {
  const replacements: Replacement[] = [];
  for (const { 0: run, index } of base.text.matchAll(spelt)) {
    replacements.push({ start: index, end: index + run.length, text: joined(run) });
  }
  return replaced(base, replacements);
};
