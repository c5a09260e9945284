/**
 * What can be told of a regular expression without running it: how long a match can get, and which letters must be in
 * it. Whatever is not understood is told as unknown, which costs time and never a match.
 */

export interface PatternFacts {
  /** Most UTF-16 units of a match; null where no bound is known, or where a match depends on where the text begins. */
  longest: number | null;
  /** Every match holds one of these, in small letters of ASCII; null where nothing is known. */
  literals: readonly string[] | null;
}

/** A part of an expression. `exact` is the one text that it matches, in small letters. */
interface Part extends PatternFacts {
  exact: string | null;
}

const unknown: Part = { longest: null, literals: null, exact: null };
const empty: Part = { longest: 0, literals: null, exact: "" };
/** One code point of a class: at most a pair of surrogates. */
const someCharacter: Part = { longest: 2, literals: null, exact: null };

const shortestOf = (texts: readonly string[]): number => Math.min(...texts.map(({ length }) => length));

/** The more telling of two sets, of each of which every match holds one. */
const better = (one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null => {
  if (one === null || other === null) return one ?? other;
  const [a, b] = [shortestOf(one), shortestOf(other)];
  return b > a || (b === a && other.length < one.length) ? other : one;
};

const sum = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : one + other;

const inSequence = (parts: readonly Part[]): Part => {
  let longest: number | null = 0;
  let literals: readonly string[] | null = null;
  let run = "";
  const endRun = (): void => {
    if (run !== "") literals = better(literals, [run]);
    run = "";
  };
  for (const part of parts) {
    longest = sum(longest, part.longest);
    if (part.exact !== null) run += part.exact;
    else {
      endRun();
      literals = better(literals, part.literals);
    }
  }
  const exact = parts.every((part) => part.exact !== null) ? run : null;
  endRun();
  return { longest, literals, exact };
};

const oneOf = (parts: readonly Part[]): Part => {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  let longest: number | null = 0;
  let literals: string[] | null = [];
  for (const part of parts) {
    longest = longest === null || part.longest === null ? null : Math.max(longest, part.longest);
    literals = literals === null || part.literals === null ? null : [...literals, ...part.literals];
  }
  return { longest, literals, exact: null };
};

const repeated = (part: Part, least: number, most: number): Part => ({
  // A part without width has none, however often it stands there.
  longest:
    part.longest === 0 ? 0 : part.longest === null || most === Number.POSITIVE_INFINITY ? null : part.longest * most,
  literals: least === 0 ? null : part.literals,
  exact: least === most && part.exact !== null ? part.exact.repeat(Math.min(most, 100)) : null,
});

const literalOf = (character: string): Part =>
  character.length === 1 && character < "\u0080"
    ? { longest: 1, literals: [character.toLowerCase()], exact: character.toLowerCase() }
    : someCharacter;

const escapesOfOne: Record<string, string> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", a: "\u0007" };

/** Null for syntax that this reader does not know. */
const read = (source: string): Part | null => {
  let at = 0;
  /** Whether `^` means the beginning of a line. */
  let lines = false;
  let understood = true;

  /** Ends the reading: nothing is told of the whole. */
  const giveUp = (): Part => {
    understood = false;
    at = source.length;
    return unknown;
  };

  const eat = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };

  const alternatives = (): Part => {
    const parts = [sequence()];
    while (eat(/\|/y)) parts.push(sequence());
    return oneOf(parts);
  };

  const sequence = (): Part => {
    const parts: Part[] = [];
    while (at < source.length && !"|)".includes(source.charAt(at))) parts.push(counted());
    return inSequence(parts);
  };

  const counted = (): Part => {
    let part = atom();
    for (;;) {
      const found = eat(/([*+?])\??/y) ?? eat(/\{(\d+)(,?)(\d*)\}\??/y);
      if (found === null) return part;
      const [, first = "", comma = "", second = ""] = found;
      if (first === "*") part = repeated(part, 0, Number.POSITIVE_INFINITY);
      else if (first === "+") part = repeated(part, 1, Number.POSITIVE_INFINITY);
      else if (first === "?") part = repeated(part, 0, 1);
      else {
        const least = Number(first);
        const most = comma === "" ? least : second === "" ? Number.POSITIVE_INFINITY : Number(second);
        part = repeated(part, least, most);
      }
    }
  };

  /** Up to the bracket that closes it; flags that were set within it end with it. */
  const closed = (before: boolean): Part => {
    const part = alternatives();
    lines = before;
    return eat(/\)/y) === null ? giveUp() : part;
  };

  const group = (): Part => {
    const before = lines;
    const flags = eat(/\?([imsU]*)(?:-([imsU]*))?([:)])/y);
    if (flags !== null) {
      const [, on = "", off = "", end] = flags;
      lines = (lines || on.includes("m")) && !off.includes("m");
      // `(?m)` holds for the rest of the group that it stands in, `(?m:...)` for its own content.
      return end === ")" ? empty : closed(before);
    }
    if (eat(/\?P?<\w+>/y) === null && source.charAt(at) === "?") return giveUp();
    return closed(before);
  };

  const atom = (): Part => {
    if (eat(/\(/y)) return group();
    if (eat(/\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/suy) ?? eat(/\./y)) return someCharacter;
    if (eat(/\^/y)) return lines ? empty : unknown;
    if (eat(/\$|\\[bBz]/y)) return empty;
    const quoted = eat(/\\Q(.*?)(?:\\E|$)/suy)?.[1];
    if (quoted !== undefined) return inSequence([...quoted].map(literalOf));
    if (eat(/\\A/y)) return unknown;
    if (eat(/\\[dDsSwWC]/y) ?? eat(/\\[pP](?:\{[^}]*\}|.)/suy)) return someCharacter;
    const hex = eat(/\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/y);
    if (hex !== null) {
      const code = Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
      return code <= 0x10_ffff ? literalOf(String.fromCodePoint(code)) : giveUp();
    }
    const escaped = eat(/\\([ntrfva])/y)?.[1];
    if (escaped !== undefined) return literalOf(escapesOfOne[escaped] ?? "");
    const plain = eat(/\\([^\w\s])/suy)?.[1] ?? eat(/[^\\()[|*+?]/suy)?.[0];
    return plain === undefined ? giveUp() : literalOf(plain);
  };

  const part = alternatives();
  return understood && at === source.length ? part : null;
};

/** For the syntax of RE2 (https://github.com/google/re2/wiki/Syntax). */
export const factsOf = (pattern: string): PatternFacts => {
  const { longest, literals } = read(pattern) ?? unknown;
  return { longest, literals: literals === null || shortestOf(literals) === 0 ? null : literals };
};
