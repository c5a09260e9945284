/** Finds what one matcher describes in a text, a stretch at a time, so that a stream can be read as it grows. */
import { RE2JS } from "re2js";
import { encodedRuns } from "../normalise/decoding.ts";
import { type HiddenKind, hiddenIn } from "../normalise/hidden-text.ts";
import { factsOf } from "./pattern-facts.ts";
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
  /** One of these is in every text in which anything is found, whatever its case; null where that can't be told. */
  readonly literals: readonly string[] | null;
  /** The same with every letter thirteen further; empty where too little is known to look for that. */
  readonly rotatedLiterals: readonly string[];
  /** All that begins at `from` or later, in order. What is before `from` counts as context only. */
  find(text: string, from: number): Span[];
}

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
    literals,
    rotatedLiterals: rotatedOf(literals),
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
  literals: null,
  rotatedLiterals: [],
  find: (text, from) => find(text).flatMap(({ start, end }) => (start < from ? [] : [{ start, end, matcher }])),
});

/** Characters that people do not see. */
export const findHidden = (kinds: readonly HiddenKind[]): Finder[] =>
  kinds.map((kind) => findIn(`hidden:${kind}`, (text) => hiddenIn(text, [kind])));

/** Long stretches of base64 or hexadecimal that stand for text. */
export const findEncoded = (atLeast: number): Finder => findIn("encoded", (text) => encodedRuns(text, atLeast));

/** Throws on an expression that RE2 does not take. Linear in the text, whatever the expression. */
export const findPattern = (source: string): Finder => {
  const pattern = RE2JS.compile(source);
  const { longest, literals, head } = factsOf(source);
  return {
    longest,
    literals,
    rotatedLiterals: rotatedOf(literals),
    find(text, from) {
      if (head !== null) {
        head.lastIndex = from;
        if (!head.test(text)) return [];
      }
      const finder = pattern.matcher(text);
      const spans: Span[] = [];
      for (let found = finder.find(from); found; found = finder.find()) {
        spans.push({ start: finder.start(), end: finder.end(), matcher: "regex" });
      }
      return spans;
    },
  };
};
