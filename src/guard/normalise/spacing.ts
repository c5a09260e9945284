/** Joins words that were spelt out: `b l u e`, `b.l.u.e`, `b-l-u-e`. */
import type { Steps } from "../../kernel/steps.ts";
import { type MappedText, type Replacement, replaced } from "./mapped-text.ts";

const letter = String.raw`[\p{L}\p{N}]`;
const separator = String.raw`[ \t._*|·~,/\\\r\n+:–—-]{1,3}`;
/** Four letters or more, each by itself. */
const spelt = new RegExp(`(?<!${letter})${letter}(?:${separator}${letter}(?!${letter})){3,}`, "gu");

/** Several spaces among single letters are a gap between words. */
const joined = (run: string): string =>
  run.replace(new RegExp(separator, "gu"), (gap) => (/^ {2,}$/.test(gap) ? " " : ""));

/** Of a long text, how much is read before others get their turn. */
const stretch = 16 * 1024;
/** Behind two letters of one word: nothing that is spelt out touches the second of them. */
const wordEnd = new RegExp(`(?<=${letter}${letter})(?!${letter})`, "gu");

const endOfStretch = (text: string, start: number): number => {
  if (text.length - start <= stretch) return text.length;
  wordEnd.lastIndex = start + stretch;
  return wordEnd.exec(text)?.index ?? text.length;
};

export function* withoutSpacing(base: MappedText): Steps<MappedText> {
  const replacements: Replacement[] = [];
  for (let start = 0; start < base.text.length; ) {
    const end = endOfStretch(base.text, start);
    for (const { 0: run, index } of base.text.slice(start, end).matchAll(spelt)) {
      replacements.push({ start: start + index, end: start + index + run.length, text: joined(run) });
    }
    start = end;
    if (end < base.text.length) yield;
  }
  return yield* replaced(base, replacements);
}
