/** Reads events one behind the other, by their bytes, that are cast in one mould: what most of a stream is made of. */
import { endOfCast, isPlain, type Mould, mouldOf, textAt, wordsOf } from "./byte-moulds.ts";
import type { Carrier } from "./carriers.ts";
import type { SseFrame } from "./sse-frames.ts";

/** Events one behind the other. */
export interface Run {
  /** Their texts, joined. */
  text: string;
  /** By event: where it ends, counted from the beginning of the first. */
  byteEnds: readonly number[];
  /** By event: where its text ends in `text`. */
  textEnds: readonly number[];
}

/** How a frame is written whose data is one line. */
const opening = /^(?:event: ?[A-Za-z0-9_.]{1,80}(?:\n|\r\n))?data: ?$/;
const closings: ReadonlySet<string> = new Set(["\n\n", "\r\n\r\n"]);

/** Null for an event that is to be read whole, and so are those like it. */
export const mouldOfEvent = ({ raw }: Pick<SseFrame, "raw">, data: string, carrier: Carrier): Mould | null => {
  const whole = raw.toString("utf8");
  const first = whole.indexOf(data);
  if (first === -1) return null;
  const [before, after] = [whole.slice(0, first), whole.slice(first + data.length)];
  return opening.test(before) && closings.has(after) ? mouldOf(data, carrier, before, after) : null;
};

/** Where events are that are cast in a mould, one behind the other. */
interface Casts {
  /** Counted from the beginning of the first. */
  ends: number[];
  /** Where the text of each begins and ends in the bytes, in turn. */
  texts: number[];
}

const castsIn = (bytes: Buffer, start: number, mould: Mould): Casts => {
  const casts: Casts = { ends: [], texts: [] };
  const words = wordsOf(bytes);
  let end = endOfCast(bytes, words, start, mould, casts.texts);
  while (end !== -1) {
    casts.ends.push(end - start);
    end = endOfCast(bytes, words, end, mould, casts.texts);
  }
  casts.texts.length = 2 * casts.ends.length;
  return casts;
};

/** All texts at once; null where a letter needs more than its byte to be read. */
const plainRun = (bytes: Buffer, { ends, texts }: Casts): Run | null => {
  const textEnds: number[] = [];
  let length = 0;
  for (let place = 0; place < texts.length; place += 2) {
    const [from = 0, to = 0] = [texts[place], texts[place + 1]];
    if (!isPlain(bytes, from, to)) return null;
    length += to - from;
    textEnds.push(length);
  }
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

/** Text by text. */
const writtenRun = (bytes: Buffer, { ends, texts }: Casts): Run | null => {
  const textEnds: number[] = [];
  let text = "";
  for (let place = 0; place < texts.length; place += 2) {
    const said = textAt(bytes, texts[place] ?? 0, texts[place + 1] ?? 0);
    if (said === null) break;
    text += said;
    textEnds.push(text.length);
  }
  return textEnds.length === 0 ? null : { text, byteEnds: ends.slice(0, textEnds.length), textEnds };
};

/** The events from `start` on that are cast in the mould; null where the first of them is not, or not all here. */
export const readRun = (bytes: Buffer, start: number, mould: Mould): Run | null => {
  const casts = castsIn(bytes, start, mould);
  const count = casts.ends.length;
  if (count === 0) return null;
  return (count > 1 ? plainRun(bytes, casts) : null) ?? writtenRun(bytes, casts);
};
