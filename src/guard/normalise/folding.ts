/**
 * Undoes what makes letters look other than they are: invisible characters, tag characters, wide, mathematical and other
 * compatibility forms; and, apart from that, accents and letters of other scripts that look like Latin ones.
 */
import type { Steps } from "../../kernel/steps.ts";
import { confusables } from "./confusables.ts";
import { type MappedText, type Replacement, replaced } from "./mapped-text.ts";

/** Without any shape of their own, or steering the direction of writing. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\ufff9-\ufffb]/u;
/** Marks, and the later parts of a Korean syllable, are composed with the letter before them. */
const belongsToTheOneBefore = /[\p{M}\u1161-\u1175\u11a8-\u11c2]/u;

const tagged = (codePoint: number): string | null =>
  codePoint >= 0xe0020 && codePoint <= 0xe007e ? String.fromCodePoint(codePoint - 0xe0000) : null;

const longestExpansion = 8;

/** Ligatures and fractions become several letters, which nobody reads as anything else. */
const compatible = (letters: string): string => {
  let kept = "";
  for (const letter of letters) {
    kept += tagged(letter.codePointAt(0) ?? 0) ?? (invisible.test(letter) ? "" : letter);
  }
  const usual = kept.normalize("NFKC");
  // A few letters stand for whole sentences: what nobody would write a word in must not make a long text many times as long.
  return usual.length > longestExpansion ? kept : usual;
};

const marks = /\p{M}+/gu;
const latin = (letters: string): string => {
  let text = "";
  for (const letter of letters.normalize("NFD").replace(marks, "")) text += confusables.get(letter) ?? letter;
  return text.normalize("NFC");
};

/** More marks than this on one letter are not looked at: nobody can read what is below them. */
const longestCluster = 32;

/** Remembers for letters what they became: texts repeat them. */
const remembering = <T>(work: (codePoint: number) => T): ((codePoint: number) => T) => {
  const known = new Map<number, T>();
  return (codePoint) => {
    const before = known.get(codePoint);
    if (before !== undefined) return before;
    const result = work(codePoint);
    known.set(codePoint, result);
    return result;
  };
};

/** Of a long text, how much is folded before others get their turn. */
const stretch = 8 * 1024;

function* folded(base: MappedText, fold: (letters: string) => string): Steps<MappedText> {
  const { text } = base;
  const isAppended = remembering((codePoint) => belongsToTheOneBefore.test(String.fromCodePoint(codePoint)));
  const foldOne = remembering((codePoint) => fold(String.fromCodePoint(codePoint)));
  const replacements: Replacement[] = [];
  let last: Replacement | undefined;

  const replace = (start: number, end: number, becomes: string): void => {
    const aligned = end - start === becomes.length;
    // Rows of such letters are one replacement, or a long text of them would be many objects.
    if (last?.end === start && becomes === "" && last.text === "") last.end = end;
    else if (last?.end === start && aligned && last.aligned) {
      last.end = end;
      last.text += becomes;
    } else {
      last = { start, end, text: becomes, aligned };
      replacements.push(last);
    }
  };

  let nextTurn = stretch;
  for (let at = 0; at < text.length; ) {
    if (at >= nextTurn) {
      nextTurn = at + stretch;
      yield;
    }
    const codePoint = text.codePointAt(at) ?? 0;
    const start = at;
    at += codePoint > 0xffff ? 2 : 1;
    // What is appended to a letter is never of ASCII.
    if (codePoint < 0x80 && (at === text.length || text.charCodeAt(at) < 0x80)) continue;
    const single = at;
    while (at < text.length && at - start < longestCluster) {
      const next = text.codePointAt(at) ?? 0;
      if (next < 0x300 || !isAppended(next)) break;
      at += next > 0xffff ? 2 : 1;
    }
    if (at === single && codePoint < 0x80) continue;
    const becomes = at === single ? foldOne(codePoint) : fold(text.slice(start, at));
    if (becomes.length !== at - start || !text.startsWith(becomes, start)) replace(start, at, becomes);
  }
  return yield* replaced(base, replacements);
}

/** Without what is invisible, in the usual form of every letter. Accents stay. */
export const inUsualForm = (base: MappedText): Steps<MappedText> => folded(base, compatible);

/** Without accents, in Latin letters where others look like them. */
export const inLatinLetters = (base: MappedText): Steps<MappedText> => folded(base, latin);
