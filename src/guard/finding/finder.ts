/** Finds what one matcher describes in a text, a stretch at a time, so that a stream can be read as it grows. */
import { RE2JS } from "re2js";
import type { Steps } from "../../kernel/steps.ts";
import { encodedRuns } from "../normalise/decoding.ts";
import { type HiddenKind, hiddenIn } from "../normalise/hidden-text.ts";
import { factsOf, longestHead } from "./pattern-facts.ts";
import { rotated } from "./rotation.ts";

export interface Span {
  /** UTF-16 units. */
  start: number;
  end: number;
  /** Which matcher found it: `terms`, `regex`, `secret:aws-access-key`. */
  matcher: string;
}

export interface Finder {
  /**
   * Most UTF-16 units that one match covers; null where there is no bound, or where it depends on more of the text.
   * What is found at a place then depends on no more than the letters around it.
   */
  readonly longest: number | null;
  /**
   * How everything that is found begins, in a few letters: what does not begin so is settled at once, however long a
   * match may get. Null where that can't be told.
   */
  readonly opening: RegExp | null;
  /** One of these is in every text in which anything is found, whatever its case; null where that can't be told. */
  readonly literals: readonly string[] | null;
  /** The same with every letter thirteen further; empty where too little is known to look for that. */
  readonly rotatedLiterals: readonly string[];
  /** Whether what begins within a match is found as well. */
  readonly overlaps: boolean;
  /** All that begins at `from` or later, in order. What is before `from` counts as context only. */
  find(text: string, from: number): Span[];
}

/** Of a long text, how much is looked through before others get their turn. */
const stretch = 16 * 1024;
/** What matchers look at beside what they find: a letter before and behind, or two. */
const context = 8;

/**
 * The same as `find` gives from the beginning, a stretch at a time where a match has a bound: what is found in a stretch
 * depends on no more than the longest match behind its end.
 */
export function* findSteps(finder: Finder, text: string): Steps<Span[]> {
  const { longest } = finder;
  if (longest === null || text.length <= 2 * stretch) return finder.find(text, 0);
  const spans: Span[] = [];
  let from = 0;
  for (let to = stretch; from < text.length; to += stretch) {
    const begin = wholeAt(text, Math.max(0, from - context));
    const end = wholeAt(text, to + longest + context);
    const last = end >= text.length;
    let next = last ? text.length : to;
    if (from < next) {
      for (const { start, end: ends, matcher } of finder.find(text.slice(begin, end), from - begin)) {
        if (!last && begin + start >= to) break;
        spans.push({ start: begin + start, end: begin + ends, matcher });
        // Terms overlap: what begins within one is found as well.
        if (!finder.overlaps) next = Math.max(next, begin + ends);
      }
    }
    from = Math.max(from, next);
    yield;
  }
  return spans;
}

/** The place itself, or the one behind where it would cut a character in two. */
const wholeAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at + 1 : at;
};

/** Most UTF-16 units of an opening. */
export const longestOpening = 2 * longestHead;

/** Shorter ones are everywhere. */
const shortestRotated = 4;

const rotatedOf = (literals: readonly string[] | null): string[] =>
  literals === null || literals.some(({ length }) => length < shortestRotated) ? [] : literals.map(rotated);

const word = String.raw`[\p{L}\p{N}\p{M}_]`;
const escaped = (term: string): string => term.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/** A boundary is asked for only at an end of the term that is itself part of a word: `c++` has none behind it. */
const bounded = (term: string): string => {
  const before = new RegExp(`^${word}`, "u").test(term) ? `(?<!${word})` : "";
  const after = new RegExp(`${word}$`, "u").test(term) ? `(?!${word})` : "";
  return `${before}${escaped(term)}${after}`;
};

/** What stands in every text that holds the term; null where other letters may stand for its own. */
const literalOf = (term: string): string | null => (/^[\x20-\x7e]{3,}$/.test(term) ? term.toLowerCase() : null);

const findAnyOf = (terms: readonly string[], literals: readonly string[] | null): Finder => {
  // The longest first, so that of terms that start together the longest is what is found.
  const pattern = [...terms]
    .sort((one, other) => other.length - one.length)
    .map(bounded)
    .join("|");
  const expression = new RegExp(pattern, "giu");
  return {
    longest: Math.max(...terms.map(({ length }) => 2 * length)),
    opening: null,
    literals,
    rotatedLiterals: rotatedOf(literals),
    overlaps: true,
    find(text, from) {
      const spans: Span[] = [];
      expression.lastIndex = from;
      for (let hit = expression.exec(text); hit !== null; hit = expression.exec(text)) {
        spans.push({ start: hit.index, end: expression.lastIndex, matcher: "terms" });
        // Terms may overlap, and the tail of the second must not stay; a whole code point on, or the same is found again.
        expression.lastIndex = hit.index + ((text.codePointAt(hit.index) ?? 0) > 0xffff ? 2 : 1);
      }
      return spans;
    },
  };
};

/** Whole words and phrases, whatever their case. Those that can be looked up quickly are kept apart from the others. */
export const findTerms = (terms: readonly string[]): Finder[] => {
  const quick = terms.flatMap((term) => literalOf(term) ?? []);
  const others = terms.filter((term) => literalOf(term) === null);
  return [
    ...(quick.length === 0
      ? []
      : [
          findAnyOf(
            terms.filter((term) => literalOf(term) !== null),
            quick,
          ),
        ]),
    ...(others.length === 0 ? [] : [findAnyOf(others, null)]),
  ];
};

/** Whatever looks through a text as a whole, and at the text as it stands alone. */
const findIn = (matcher: string, find: (text: string) => { start: number; end: number }[]): Finder => ({
  longest: null,
  opening: null,
  literals: null,
  rotatedLiterals: [],
  overlaps: false,
  find: (text, from) => find(text).flatMap(({ start, end }) => (start < from ? [] : [{ start, end, matcher }])),
});

/** Characters that people do not see. */
export const findHidden = (kinds: readonly HiddenKind[]): Finder[] =>
  kinds.map((kind) => findIn(`hidden:${kind}`, (text) => hiddenIn(text, [kind])));

/** Long stretches of base64 or hexadecimal that stand for text. */
export const findEncoded = (atLeast: number): Finder => findIn("encoded", (text) => encodedRuns(text, atLeast));

/** Signs that have no other case, of which one is in everything that is found; null where that is not so. */
const signsOf = (literals: readonly string[] | null): readonly string[] | null =>
  literals?.every((literal) => !/[a-z]/.test(literal)) ? literals : null;

interface PatternOptions {
  /** As spans name it. */
  matcher: string;
  /** Whether what has the form is what is meant: a checksum, a range. With the two letters before it and behind it. */
  isMeant?: (found: string, before: string, next: string) => boolean;
  /** Whether what has the form may have other numbers behind what is meant. */
  mayTrail?: boolean;
}

/** Where what is meant ends, of what has the form; null where nothing of it is meant. Looks at nothing but that. */
const meantEnd = (text: string, start: number, end: number, options: PatternOptions): number | null => {
  const { isMeant, mayTrail = false } = options;
  if (isMeant === undefined) return end;
  const before = text.slice(Math.max(0, start - 2), start);
  let found = text.slice(start, end);
  for (;;) {
    const to = start + found.length;
    if (isMeant(found, before, text.slice(to, to + 2))) return to;
    const shorter = mayTrail ? Math.max(found.lastIndexOf(" "), found.lastIndexOf("-")) : 0;
    if (shorter <= 0) return null;
    found = found.slice(0, shorter);
  }
};

/** Throws on an expression that RE2 does not take. Linear in the text, whatever the expression. */
export const findPattern = (source: string, options: PatternOptions = { matcher: "regex" }): Finder => {
  const { matcher, isMeant } = options;
  const pattern = RE2JS.compile(source);
  const { longest, literals, head } = factsOf(source);
  const signs = signsOf(literals);
  return {
    longest,
    opening: head,
    literals,
    rotatedLiterals: isMeant === undefined ? rotatedOf(literals) : [],
    overlaps: false,
    find(text, from) {
      if (signs !== null && !signs.some((sign) => text.includes(sign, from))) return [];
      if (head !== null) {
        head.lastIndex = from;
        if (!head.test(text)) return [];
      }
      const finder = pattern.matcher(text);
      const spans: Span[] = [];
      let found = finder.find(from);
      while (found) {
        const start = finder.start();
        const end = meantEnd(text, start, finder.end(), options);
        if (end !== null) spans.push({ start, end, matcher });
        // What only has the form may hide what is meant behind its beginning.
        if (end === finder.end()) found = finder.find();
        else found = (end ?? start + 1) <= text.length && finder.find(end ?? start + 1);
      }
      return spans;
    },
  };
};
