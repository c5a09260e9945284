/**
 * Reads events by their bytes alone that say the same as one that was read before, but for their text, ids, times and
 * numbers: what most of a streamed answer is made of. Whatever is unlike it is left to those who read an event whole.
 */
import type { Carrier } from "./carriers.ts";
import { parseJson } from "./json-body.ts";
import type { SseFrame } from "./sse-frames.ts";

/** What stands there instead of what the first event had. */
type Hole =
  /** Letters of a JSON string, one at least: the event's text. */
  | "text"
  /** Letters of a name that the upstream gives. */
  | "name"
  /** Digits of a whole number. */
  | "number";

/** Bytes to be recognised, four at a time: that takes a third of what one at a time takes. */
interface Literal {
  length: number;
  /** The last of them is the last four bytes, which may overlap with those before. */
  words: Int32Array;
}

/** An event from its first byte to its last: a literal, a hole, a literal, and so on. One of the holes is the text. */
export interface Mould {
  literals: readonly Literal[];
  holes: readonly Hole[];
}

/** Events one behind the other. */
export interface Run {
  /** Their texts, joined. */
  text: string;
  /** By event: where it ends, counted from the beginning of the first. */
  byteEnds: readonly number[];
  /** By event: where its text ends in `text`. */
  textEnds: readonly number[];
}

const quote = 0x22;
const backslash = 0x5c;
const firstPrintable = 0x20;
const lastOfAscii = 0x7f;
const zero = 0x30;
const nine = 0x39;
const wordBytes = 4;
/** An event whose surroundings are longer is read whole. */
const longestMould = 4_096;

/** What differs from event to event, or from stream to stream, and is read by nobody while it has this form. */
const variable =
  /"(?:id|item_id|system_fingerprint|obfuscation)":"(?<name>[A-Za-z0-9_.:/@-]{0,80})"|"(?:created|sequence_number)":(?<number>0|[1-9][0-9]{0,14})(?=[,}])/dg;
const longestName = 80;
const longestNumber = 15;
const isOfName = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9_.:/@-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** How a frame is written whose data is one line. */
const opening = /^(?:event: ?[A-Za-z0-9_.]{1,80}(?:\n|\r\n))?data: ?$/;
const closings: ReadonlySet<string> = new Set(["\n\n", "\r\n\r\n"]);

const literalOf = (text: string): Literal => {
  const bytes = Buffer.from(text);
  const { length } = bytes;
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

/** Where the text stands in the JSON; null where that can't be told for sure. */
const textIn = (data: string, { at, text }: Carrier): Stretch | null => {
  const field = at.at(-1);
  // Without escapes every quote opens or closes a string, so a name that stands there once is that of the text.
  if (typeof field !== "string" || text === "" || data.includes("\\")) return null;
  const name = `"${field}"`;
  const named = data.indexOf(name);
  if (named === -1 || named !== data.lastIndexOf(name)) return null;
  const start = named + name.length + ':"'.length;
  const end = start + text.length;
  return data.slice(named, end + 1) === `${name}:"${text}"` ? { start, end, hole: "text" } : null;
};

/** Null for an event that is to be read whole, and so are those like it. */
export const mouldOf = ({ raw }: Pick<SseFrame, "raw">, data: string, carrier: Carrier): Mould | null => {
  const text = textIn(data, carrier);
  if (text === null || data.length - carrier.text.length > longestMould) return null;
  const whole = raw.toString("utf8");
  const first = whole.indexOf(data);
  const closing = whole.slice(first + data.length);
  if (first === -1 || !opening.test(whole.slice(0, first)) || !closings.has(closing)) return null;
  const varying = [...data.matchAll(variable)].flatMap(({ indices }): Stretch[] => {
    const { name, number } = indices?.groups ?? {};
    const place = name ?? number;
    return place === undefined
      ? []
      : [{ start: place[0], end: place[1], hole: name === undefined ? "number" : "name" }];
  });
  const stretches = [...varying, text].sort((one, other) => one.start - other.start);
  const ends = [0, ...stretches.map(({ end }) => first + end)];
  const starts = [...stretches.map(({ start }) => first + start), whole.length];
  const literals = ends.map((end, place) => literalOf(whole.slice(end, starts[place])));
  if (literals.some(({ length }) => length < wordBytes)) return null;
  return { literals, holes: stretches.map(({ hole }) => hole) };
};

const standsAt = (bytes: DataView, at: number, { length, words }: Literal): boolean => {
  if (at + length > bytes.byteLength) return false;
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

/** Where events are that are cast in a mould, one behind the other. */
interface Casts {
  /** Counted from the beginning of the first. */
  ends: number[];
  /** Where the text of each begins and ends in the bytes, in turn. */
  texts: number[];
}

/** Where the event ends that begins at `start`; -1 where it is another. Adds where its text is. */
const endOfCast = (
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

const castsIn = (bytes: Buffer, start: number, mould: Mould): Casts => {
  const casts: Casts = { ends: [], texts: [] };
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = endOfCast(bytes, words, start, mould, casts.texts);
  while (end !== -1) {
    casts.ends.push(end - start);
    end = endOfCast(bytes, words, end, mould, casts.texts);
  }
  casts.texts.length = 2 * casts.ends.length;
  return casts;
};

const isPlain = (bytes: Buffer, start: number, end: number): boolean => {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte > lastOfAscii || byte === backslash) return false;
  }
  return true;
};

/** The texts one behind the other, and where each ends; null where a letter needs more than its byte to be read. */
const plainRun = (bytes: Buffer, { ends, texts }: Casts): Run | null => {
  const textEnds: number[] = [];
  let length = 0;
  for (let place = 0; place < texts.length; place += 2) {
    const [from = 0, to = 0] = [texts[place], texts[place + 1]];
    if (!isPlain(bytes, from, to)) return null;
    length += to - from;
    textEnds.push(length);
  }
  if (ends.length === 1) return { text: bytes.toString("latin1", texts[0], texts[1]), byteEnds: ends, textEnds };
  const letters = Buffer.allocUnsafe(length);
  let done = 0;
  for (let place = 0; place < texts.length; place += 2) {
    const to = texts[place + 1] ?? 0;
    for (let at = texts[place] ?? 0; at < to; at += 1) {
      letters[done] = bytes[at] ?? 0;
      done += 1;
    }
  }
  return { text: letters.toString("latin1"), byteEnds: ends, textEnds };
};

/** What the letters of a JSON string say; null where that is nothing, or it is none. */
const saidBy = (letters: string): string | null => {
  if (!letters.includes("\\")) return letters;
  const said = parseJson(`"${letters}"`);
  return typeof said === "string" && said !== "" ? said : null;
};

const writtenRun = (bytes: Buffer, { ends, texts }: Casts): Run | null => {
  const textEnds: number[] = [];
  let text = "";
  for (let place = 0; place < texts.length; place += 2) {
    const said = saidBy(bytes.toString("utf8", texts[place], texts[place + 1]));
    if (said === null) break;
    text += said;
    textEnds.push(text.length);
  }
  return textEnds.length === 0 ? null : { text, byteEnds: ends.slice(0, textEnds.length), textEnds };
};

/** The events from `start` on that are cast in the mould; null where the first of them is not, or not all here. */
export const readRun = (bytes: Buffer, start: number, mould: Mould): Run | null => {
  const casts = castsIn(bytes, start, mould);
  if (casts.ends.length === 0) return null;
  return plainRun(bytes, casts) ?? writtenRun(bytes, casts);
};
