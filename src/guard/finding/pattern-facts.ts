/**
 * What can be told of a regular expression without running it: how long a match can get, and which letters must be in
 * it. Whatever is not understood is told as unknown, which costs time and never a match.
 */

export interface PatternFacts {
  /** Most UTF-16 units of a match; null where no bound is known, or where a match depends on where the text begins. */
  longest: number | null;
  /** Every match holds one of these, in small letters of ASCII; null where nothing is known. */
  literals: readonly string[] | null;
  /**
   * How every match begins, as JavaScript has it: a row of letters and classes without repetition, so that looking for
   * it takes time in proportion to the text. Null where nothing is known.
   */
  head: RegExp | null;
}

/** How matches of a part begin. `whole`: the part is nothing but this. */
interface Head {
  source: string;
  /** Least and most code points. */
  least: number;
  most: number;
  whole: boolean;
}

/** A part of an expression. `exact` is the one text that it matches, in small letters. */
interface Part extends Omit<PatternFacts, "head"> {
  exact: string | null;
  head: Head;
}

const noHead: Head = { source: "", least: 0, most: 0, whole: false };
const unknown: Part = { longest: null, literals: null, exact: null, head: noHead };
const empty: Part = { longest: 0, literals: null, exact: "", head: { ...noHead, whole: true } };
const anyCharacter = "[^]";
/** Code points; beginnings longer than this tell no more. */
export const longestHead = 20;
/** Nor do more repetitions. */
const mostCopies = 16;

/** One code point of a class. @param longest two UTF-16 units where it may be outside the basic plane */
const someCharacter = (source: string, longest = 2): Part => ({
  longest,
  literals: null,
  exact: null,
  head: { source, least: 1, most: 1, whole: true },
});

const outsideAscii = /[^\x20-\x7e]|\\x\{/;

/** The class as JavaScript has it, or all characters: what it lets through must be no less than what RE2 does. */
const classOf = (source: string): Part => {
  // Names of classes differ, and so does what is not in a class where case does not matter.
  if (/^\[\^|\[:\^?\w+:\]|\\[pPDWSQ]|&&|--/.test(source)) return someCharacter(anyCharacter);
  try {
    new RegExp(source, "u");
    return someCharacter(source, outsideAscii.test(source) ? 2 : 1);
  } catch {
    return someCharacter(anyCharacter);
  }
};

const shortestOf = (texts: readonly string[]): number => Math.min(...texts.map(({ length }) => length));

/** The more telling of two sets, of each of which every match holds one. */
const better = (one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null => {
  if (one === null || other === null) return one ?? other;
  const [a, b] = [shortestOf(one), shortestOf(other)];
  return b > a || (b === a && other.length < one.length) ? other : one;
};

const sum = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : one + other;

const joined = (one: Head, other: Head): Head =>
  one.most + other.most > longestHead
    ? { ...one, whole: false }
    : {
        source: one.source + other.source,
        least: one.least + other.least,
        most: one.most + other.most,
        whole: other.whole,
      };

const inSequence = (parts: readonly Part[]): Part => {
  let longest: number | null = 0;
  let literals: readonly string[] | null = null;
  let run = "";
  let head: Head = { ...noHead, whole: true };
  const endRun = (): void => {
    if (run !== "") literals = better(literals, [run]);
    run = "";
  };
  for (const part of parts) {
    longest = sum(longest, part.longest);
    if (head.whole) head = joined(head, part.head);
    if (part.exact !== null) run += part.exact;
    else {
      endRun();
      literals = better(literals, part.literals);
    }
  }
  const exact = parts.every((part) => part.exact !== null) ? run : null;
  endRun();
  return { longest, literals, exact, head };
};

const oneOf = (parts: readonly Part[]): Part => {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  let longest: number | null = 0;
  let literals: string[] | null = [];
  for (const part of parts) {
    longest = longest === null || part.longest === null ? null : Math.max(longest, part.longest);
    literals = literals === null || part.literals === null ? null : [...literals, ...part.literals];
  }
  const heads = parts.map(({ head }) => head);
  const head: Head = heads.some(({ most }) => most === 0)
    ? noHead
    : {
        source: `(?:${heads.map(({ source }) => source).join("|")})`,
        least: Math.min(...heads.map(({ least }) => least)),
        most: Math.max(...heads.map(({ most }) => most)),
        whole: heads.every(({ whole }) => whole),
      };
  return { longest, literals, exact: null, head };
};

const repeatedHead = (head: Head, least: number, most: number): Head => {
  if (most === 0) return { ...noHead, whole: true };
  if (head.most === 0) return head.whole ? head : noHead;
  // What may be there or not is no repetition yet.
  if (least === 0) return most === 1 && head.whole ? { ...head, source: `(?:${head.source})?`, least: 0 } : noHead;
  if (!head.whole) return head;
  const copies = Math.min(least, Math.max(1, Math.floor(mostCopies / head.most)));
  return {
    source: head.source.repeat(copies),
    least: head.least * copies,
    most: head.most * copies,
    whole: copies === least && least === most,
  };
};

const repeated = (part: Part, least: number, most: number): Part => ({
  // A part without width has none, however often it stands there.
  longest:
    part.longest === 0 ? 0 : part.longest === null || most === Number.POSITIVE_INFINITY ? null : part.longest * most,
  literals: least === 0 ? null : part.literals,
  exact: least === most && part.exact !== null ? part.exact.repeat(Math.min(most, 100)) : null,
  head: repeatedHead(part.head, least, most),
});

const literalOf = (character: string): Part => {
  if (character.length !== 1 || character >= "\u0080") return someCharacter(anyCharacter);
  const source = `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  const small = character.toLowerCase();
  return { longest: 1, literals: [small], exact: small, head: { source, least: 1, most: 1, whole: true } };
};

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
    const set = eat(/\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/suy)?.[0];
    if (set !== undefined) return classOf(set);
    if (eat(/\./y)) return someCharacter(anyCharacter);
    if (eat(/\^/y)) return lines ? empty : unknown;
    if (eat(/\$|\\[bBz]/y)) return empty;
    const quoted = eat(/\\Q(.*?)(?:\\E|$)/suy)?.[1];
    if (quoted !== undefined) return inSequence([...quoted].map(literalOf));
    if (eat(/\\A/y)) return unknown;
    const named = eat(/\\[dsw]/y)?.[0];
    if (named !== undefined) return someCharacter(named, 1);
    if (eat(/\\[DSWC]/y) ?? eat(/\\[pP](?:\{[^}]*\}|.)/suy)) return someCharacter(anyCharacter);
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
  const { longest, literals, head } = read(pattern) ?? unknown;
  return {
    longest,
    literals: literals === null || shortestOf(literals) === 0 ? null : literals,
    // In all cases: flags may be set anywhere in an expression.
    head: head.least < 2 ? null : new RegExp(head.source, "giu"),
  };
};
