/**
 * Finds in one text what a policy describes. Never slower than linear in the text, whatever the pattern and whoever
 * wrote the text.
 */
import { RE2JS } from "re2js";
import type { Match } from "./policy.ts";

export interface Span {
  start: number;
  end: number;
  /** Which matcher found it: `terms`, `regex`. */
  matcher: string;
}

/** Null where the text does not match. A match through `not` alone has no spans. */
export type Matcher = (text: string) => Span[] | null;

const found = (spans: Span[]): Span[] | null => (spans.length === 0 ? null : spans);

const word = String.raw`[\p{L}\p{N}\p{M}_]`;
const escaped = (term: string): string => term.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/** A boundary is asked for only at an end of the term that is itself part of a word: `c++` has none behind it. */
const bounded = (term: string): string => {
  const before = new RegExp(`^${word}`, "u").test(term) ? `(?<!${word})` : "";
  const after = new RegExp(`${word}$`, "u").test(term) ? `(?!${word})` : "";
  return `${before}${escaped(term)}${after}`;
};

const matchTerms = (terms: readonly string[]): Matcher => {
  // The longest first, so that of terms that start together the longest is what is redacted.
  const pattern = [...terms]
    .sort((one, other) => other.length - one.length)
    .map(bounded)
    .join("|");
  return (text) => {
    const finder = new RegExp(pattern, "giu");
    const spans: Span[] = [];
    for (let hit = finder.exec(text); hit !== null; hit = finder.exec(text)) {
      spans.push({ start: hit.index, end: finder.lastIndex, matcher: "terms" });
      // Terms may overlap, and the tail of the second must not stay; a whole code point on, or the same is found again.
      finder.lastIndex = hit.index + ((text.codePointAt(hit.index) ?? 0) > 0xffff ? 2 : 1);
    }
    return found(spans);
  };
};

const matchRegex = (source: string): Matcher => {
  const pattern = RE2JS.compile(source);
  return (text) => {
    const finder = pattern.matcher(text);
    const spans: Span[] = [];
    let matched = false;
    while (finder.find()) {
      matched = true;
      if (finder.end() > finder.start()) spans.push({ start: finder.start(), end: finder.end(), matcher: "regex" });
    }
    return matched ? spans : null;
  };
};

/** Throws on a regular expression that RE2 does not take. */
export const compileMatch = (match: Match): Matcher => {
  if ("terms" in match) return matchTerms(match.terms);
  if ("regex" in match) return matchRegex(match.regex);
  if ("not" in match) {
    const inner = compileMatch(match.not);
    return (text) => (inner(text) === null ? [] : null);
  }
  if ("any" in match) {
    const parts = match.any.map(compileMatch);
    return (text) => {
      const results = parts.map((part) => part(text)).filter((spans) => spans !== null);
      return results.length === 0 ? null : results.flat();
    };
  }
  const parts = match.all.map(compileMatch);
  return (text) => {
    const spans: Span[] = [];
    for (const part of parts) {
      const here = part(text);
      if (here === null) return null;
      spans.push(...here);
    }
    return spans;
  };
};
