/**
 * Recognises JSON by its bytes alone that says the same as some that was read before, but for one text, ids, times and
 * counts: most of what a model's API answers. Whatever is unlike it is left to those who take it apart.
 */
import type { Carrier } from "./carriers.ts";
import { parseJson } from "./json-body.ts";
import { afterString } from "./json-text.ts";

/** What stands there instead of what was there before. */
type Hole =
  /** Letters of a JSON string, one at least: the text. */
  | "text"
  /** Letters of a name that the upstream gives. */
  | "name"
  /** Digits of a whole number. */
  | "number";

/** Bytes to be recognised, four at a time: that takes a third of what one at a time takes. */
interface Literal {
  length: number;
  /** The last of them is the last four bytes, which may overlap with those before. Of fewer than four, each by itself. */
  words: Int32Array;
}

/** From the first byte to the last: a literal, a hole, a literal, and so on. One of the holes is the text. */
export interface Mould {
  literals: readonly Literal[];
  holes: readonly Hole[];
}

const quote = 0x22;
const backslash = 0x5c;
const firstPrintable = 0x20;
const lastOfAscii = 0x7f;
const zero = 0x30;
const nine = 0x39;
const wordBytes = 4;
/** What has more around its text is taken apart. */
const longestAround = 4_096;

/** What differs from one to the other, and is read by nobody while it has this form. */
const variable =
  /"(?:id|item_id|system_fingerprint|obfuscation)": ?"(?<name>[A-Za-z0-9_.:/@-]{0,80})"|"(?:created|created_at|sequence_number|[a-z_]{1,32}_tokens)": ?(?<number>0|[1-9][0-9]{0,14})(?=[,}])/dg;
const longestName = 80;
const longestNumber = 15;
const isOfName = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9_.:/@-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

const literalOf = (text: string): Literal => {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  if (length < wordBytes) return { length, words: Int32Array.from(bytes) };
  const words = new Int32Array(Math.ceil(length / wordBytes));
  for (let word = 0; word < words.length; word += 1) {
    words[word] = bytes.readInt32LE(Math.min(word * wordBytes, length - wordBytes));
  }
  return { length, words };
};

interface Stretch {
  start: number;
  end: number;
  hole: Hole;
}

/** What the letters of a JSON string say; null where that is nothing, or it is none. */
const saidBy = (letters: string): string | null => {
  if (!letters.includes("\\")) return letters;
  const said = parseJson(`"${letters}"`);
  return typeof said === "string" && said !== "" ? said : null;
};

/** What is between a field's name and its value. */
const colon = /\s*:\s*/y;

/** Where a field of this name opens the string that it holds; null where there is no such field, or more than one. */
const stringOf = (json: string, field: string): number | null => {
  const name = `"${field}"`;
  let start: number | null = null;
  for (let at = json.indexOf(name); at !== -1; at = json.indexOf(name, at + 1)) {
    colon.lastIndex = at + name.length;
    if (!colon.test(json)) continue;
    if (start !== null) return null;
    start = colon.lastIndex;
  }
  return start !== null && json[start] === '"' ? start : null;
};

/** Where the letters of the carrier's text stand in the JSON; null where that can't be told for sure. */
const textIn = (json: string, { at, text }: Carrier): Stretch | null => {
  const field = at.at(-1);
  const opened = typeof field === "string" ? stringOf(json, field) : null;
  if (opened === null || text === "") return null;
  const [start, end] = [opened + 1, afterString(json, opened) - 1];
  if (saidBy(json.slice(start, end)) !== text) return null;
  // Without escapes every quote around it opens or closes a string, so what looks like the one field of that name is it.
  return json.slice(0, start).includes("\\") || json.slice(end).includes("\\") ? null : { start, end, hole: "text" };
};

const varyingIn = (json: string, from: number): Stretch[] =>
  [...json.matchAll(variable)].flatMap(({ indices }): Stretch[] => {
    const { name, number } = indices?.groups ?? {};
    const place = name ?? number;
    if (place === undefined) return [];
    return [{ start: from + place[0], end: from + place[1], hole: name === undefined ? "number" : "name" }];
  });

/**
 * Null for what is to be taken apart, and so is what is like it.
 * @param json whose one text is the carrier's, and in which whoever reads it finds nothing else
 * @param opening what stands before it in the bytes, and `closing` what stands behind it
 */
export const mouldOf = (json: string, carrier: Carrier, opening = "", closing = ""): Mould | null => {
  const text = textIn(json, carrier);
  if (text === null || json.length - (text.end - text.start) > longestAround) return null;
  const before = varyingIn(json.slice(0, text.start), 0);
  const after = varyingIn(json.slice(text.end), text.end);
  const stretches = [...before, text, ...after];
  const ends = [0, ...stretches.map(({ end }) => end)];
  const starts = [...stretches.map(({ start }) => start), json.length];
  const around = ends.map((end, place) => json.slice(end, starts[place]));
  const last = around.length - 1;
  const literals = around.map((part, place) =>
    literalOf(`${place === 0 ? opening : ""}${part}${place === last ? closing : ""}`),
  );
  return { literals, holes: stretches.map(({ hole }) => hole) };
};

const standsAt = (bytes: DataView, at: number, { length, words }: Literal): boolean => {
  if (at + length > bytes.byteLength) return false;
  if (length < wordBytes) return words.every((byte, place) => bytes.getUint8(at + place) === byte);
  const last = words.length - 1;
  for (let word = 0; word < last; word += 1) {
    if (bytes.getInt32(at + word * wordBytes, true) !== words[word]) return false;
  }
  return bytes.getInt32(at + length - wordBytes, true) === words[last];
};

/** Where what fills a hole ends, there where the next literal is to stand; -1 where it is something else, or not all here. */
const endOfText = (bytes: Buffer, start: number): number => {
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) return at === start ? -1 : at;
    if (byte === backslash) at += 1;
    else if (byte < firstPrintable) return -1;
  }
  return -1;
};
const endOfName = (bytes: Buffer, start: number): number => {
  let at = start;
  while (at < bytes.length && isOfName[bytes[at] ?? 0] === 1) at += 1;
  return at - start > longestName ? -1 : at;
};
const endOfNumber = (bytes: Buffer, start: number): number => {
  let at = start;
  while (at < bytes.length && (bytes[at] ?? 0) >= zero && (bytes[at] ?? 0) <= nine) at += 1;
  const digits = at - start;
  if (digits === 0 || digits > longestNumber) return -1;
  return digits > 1 && bytes[start] === zero ? -1 : at;
};

/**
 * Where what is cast in a mould ends that begins at `start`; -1 where that is something else, or not all here.
 * @param words the bytes
 * @param texts is added to: where the letters of its text begin, and where they end
 */
export const endOfCast = (
  bytes: Buffer,
  words: DataView,
  start: number,
  { literals, holes }: Mould,
  texts: number[],
): number => {
  let at = start;
  for (let place = 0; place < literals.length; place += 1) {
    const literal = literals[place];
    if (literal === undefined || !standsAt(words, at, literal)) return -1;
    at += literal.length;
    const hole = holes[place];
    if (hole === undefined) return at;
    const from = at;
    if (hole === "text") at = endOfText(bytes, from);
    else at = hole === "name" ? endOfName(bytes, from) : endOfNumber(bytes, from);
    if (at === -1) return -1;
    if (hole === "text") texts.push(from, at);
  }
  return -1;
};

/** To be looked at four at a time. */
export const wordsOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Whether each of these letters of a JSON string says itself, and is one byte. */
export const isPlain = (bytes: Buffer, start: number, end: number): boolean => {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte > lastOfAscii || byte === backslash) return false;
  }
  return true;
};

/** What these letters of a JSON string say; null where that is nothing, or it is none. */
export const textAt = (bytes: Buffer, start: number, end: number): string | null =>
  isPlain(bytes, start, end) ? bytes.toString("latin1", start, end) : saidBy(bytes.toString("utf8", start, end));
