/**
 * Looks for many words at once: one walk over a text tells which lists of literals have none that stands in it. Most texts
 * hold none of the words that policies look for, and cost no more than this. Never says no of a word that is there.
 *
 * The walk is that of Wu and Manber, "A fast algorithm for multi-pattern searching" (TR 94-17, University of Arizona): of
 * three letters that stand in no word it leaps over as many as the shortest word has.
 */
import { atOnce, type Steps } from "../../kernel/steps.ts";
import { fillLetterBytes, letterBytes, outside, stretch } from "../letter-bytes.ts";

/** What was seen of an index's literals in some texts. */
export interface Sightings {
  /**
   * False: none of these literals stands in any of the texts, whatever its case.
   * @param literals a list that the index was made of, that very array
   */
  mayHoldAny(literals: readonly string[]): boolean;
}

export interface LiteralIndex {
  lookSteps(texts: readonly { text: string }[]): Steps<Sightings>;
  look(texts: readonly { text: string }[]): Sightings;
}

/** Five bits of each of three letters. */
const slots = 1 << 15;
const mask = slots - 1;

/** 1 to 26 for letters, whatever their case; everything else shares what is left. */
const codeOf = (unit: number): number => {
  const small = unit | 0x20;
  if (small >= 97 && small <= 122) return small - 96;
  return unit >= 48 && unit <= 57 ? 27 : 28 + (unit & 3);
};
/** By byte; 0 for what is outside ASCII. */
const codes = Uint8Array.from({ length: 256 }, (_, unit) => (unit < outside ? codeOf(unit) : 0));

const small = (unit: number): number => (unit >= 65 && unit <= 90 ? unit + 32 : unit);

/** From the most to the least frequent in English. What stands before is more often met. */
const byFrequency = " etaoinshrdlcumwfgypbvkjxqz";
const rarity = (letter: string): number => {
  const place = byFrequency.indexOf(letter);
  return place === -1 ? byFrequency.length : place;
};

/**
 * Where in a literal the three letters begin by which it is noticed: those of them that other texts hold the least often.
 * @param reach as many letters of it, which these three end, are there before it is noticed
 */
const rarest = (literal: string, reach: number): number => {
  let best = reach - 3;
  let most = -1;
  for (let at = best; at + 3 <= literal.length; at += 1) {
    const rare = rarity(literal.charAt(at)) + rarity(literal.charAt(at + 1)) + rarity(literal.charAt(at + 2));
    if (rare > most) [best, most] = [at, rare];
  }
  return best;
};

const codeAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at);
  return unit < outside ? (codes[unit] ?? 0) : 0;
};

/** Of the three letters that begin there. */
const slotOf = (text: string, at: number): number =>
  (codeAt(text, at) << 10) | (codeAt(text, at + 1) << 5) | codeAt(text, at + 2);

/**
 * Where in `letterBytes` three letters end that are noticed; `to` where there are none. A function of its own, so that it
 * is compiled for all indexes alike.
 * @param leaps by slot of three letters: how many more letters come at the least before a word is noticed
 * @param from at least 2
 */
const nextByLeaps = (leaps: Uint8Array, from: number, to: number): number => {
  // An import is looked up each time that it is named.
  const bytes = letterBytes;
  let at = from;
  while (at < to) {
    const slot =
      ((codes[bytes[at - 2] ?? 0] ?? 0) << 10) | ((codes[bytes[at - 1] ?? 0] ?? 0) << 5) | (codes[bytes[at] ?? 0] ?? 0);
    const leap = leaps[slot] ?? 0;
    if (leap === 0) return at;
    at += leap;
  }
  return to;
};

/** The same, letter by letter: where leaps would be short this takes half the time. */
const nextByLetters = (leaps: Uint8Array, from: number, to: number): number => {
  const bytes = letterBytes;
  let slot = ((codes[bytes[from - 2] ?? 0] ?? 0) << 5) | (codes[bytes[from - 1] ?? 0] ?? 0);
  for (let at = from; at < to; at += 1) {
    slot = ((slot << 5) | (codes[bytes[at] ?? 0] ?? 0)) & mask;
    if (leaps[slot] === 0) return at;
  }
  return to;
};

/** Shorter ones are everywhere. */
const shortest = 3;
/** A leap is a byte. */
const farthest = 255;
/** With a shorter word among them, leaps are not worth it. */
const worthLeaping = 8;

interface Wanted {
  literal: string;
  /** Of the three letters by which it is noticed. */
  offset: number;
  /** The lists that it is in. */
  lists: (readonly string[])[];
}

const standsAt = (text: string, start: number, literal: string): boolean => {
  if (start < 0 || start + literal.length > text.length) return false;
  for (let at = 0; at < literal.length; at += 1) {
    if (small(text.charCodeAt(start + at)) !== literal.charCodeAt(at)) return false;
  }
  return true;
};

/** The two letters outside ASCII that stand for one within it where case does not matter. */
const foldsToAscii = /[\u017f\u212a]/;

/** @param lists of literals in ASCII and small letters */
export const createLiteralIndex = (lists: Iterable<readonly string[]>): LiteralIndex => {
  const kinds = new Map<readonly string[], "everywhere" | "looked-for">();
  const wanted = new Map<number, Wanted[]>();
  let reach = farthest;
  for (const list of lists) {
    const isEverywhere = list.some(({ length }) => length < shortest);
    kinds.set(list, isEverywhere ? "everywhere" : "looked-for");
    if (!isEverywhere) for (const { length } of list) reach = Math.min(reach, length);
  }
  if (reach < worthLeaping) reach = shortest;
  const nextNoticed = reach < worthLeaping ? nextByLetters : nextByLeaps;
  const leaps = new Uint8Array(slots).fill(reach - 2);
  const add = (literal: string, list: readonly string[]): void => {
    const offset = rarest(literal, reach);
    for (let before = 0; before <= reach - 3; before += 1) {
      const slot = slotOf(literal, offset - before);
      leaps[slot] = Math.min(leaps[slot] ?? 0, before);
    }
    const slot = slotOf(literal, offset);
    const others = wanted.get(slot) ?? [];
    wanted.set(slot, others);
    const known = others.find((other) => other.literal === literal);
    if (known === undefined) others.push({ literal, offset, lists: [list] });
    else if (!known.lists.includes(list)) known.lists.push(list);
  };
  for (const [list, kind] of kinds) if (kind === "looked-for") for (const literal of list) add(literal, list);

  /** Null while nothing was seen: nearly always. */
  type Seen = Set<readonly string[]> | "anything" | null;

  const compare = (text: string, at: number, slot: number, seen: Seen): Seen => {
    if (seen === "anything") return seen;
    let now = seen;
    for (const { literal, offset, lists: own } of wanted.get(slot) ?? []) {
      if (now !== null && own.every((list) => now?.has(list))) continue;
      if (!standsAt(text, at - offset, literal)) continue;
      now ??= new Set();
      for (const list of own) now.add(list);
    }
    return now;
  };

  const nothing: Sightings = { mayHoldAny: (literals) => kinds.get(literals) !== "looked-for" };
  const anything: Sightings = { mayHoldAny: () => true };
  const sightingsOf = (seen: Seen): Sightings => {
    if (seen === null) return nothing;
    if (seen === "anything") return anything;
    return { mayHoldAny: (literals) => seen.has(literals) || nothing.mayHoldAny(literals) };
  };

  /** With what is seen from `from` to `to`; a literal is noticed where its three letters end. */
  const walk = (text: string, from: number, to: number, before: Seen): Seen => {
    const length = to - from;
    let seen = before;
    if (!fillLetterBytes(text, from, to) && foldsToAscii.test(text.slice(from, to))) return "anything";
    let at = nextNoticed(leaps, Math.max(2, reach - 1 - from), length);
    for (; at < length; at = nextNoticed(leaps, at + 1, length)) {
      const start = from + at - 2;
      seen = compare(text, start, slotOf(text, start), seen);
    }
    return seen;
  };

  /** Texts of no more than a stretch. */
  const look = (texts: readonly { text: string }[]): Sightings => {
    let seen: Seen = null;
    for (const { text } of texts) seen = walk(text, 0, text.length, seen);
    return sightingsOf(seen);
  };

  function* lookSteps(texts: readonly { text: string }[]): Steps<Sightings> {
    let seen: Seen = null;
    for (const { text } of texts) {
      // Three letters are to be in one stretch.
      for (let from = 0; from < text.length; from += stretch - 2) {
        seen = walk(text, from, Math.min(text.length, from + stretch), seen);
        yield;
      }
    }
    return sightingsOf(seen);
  }

  return {
    lookSteps,
    look: (texts) => (texts.every(({ text }) => text.length <= stretch) ? look(texts) : atOnce(lookSteps(texts))),
  };
};
