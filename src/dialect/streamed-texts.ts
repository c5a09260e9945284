/**
 * Puts the texts of a streamed answer together from its events and tells, for each event, which parts of which texts it
 * delivers. An event may repeat a text that was streamed before: then it adds nothing to it.
 */
import type { Mould } from "./byte-moulds.ts";
import type { Carrier, CarrierKind, Gap } from "./carriers.ts";
import { createChatEvents, createCompletionsEvents } from "./choice-events.ts";
import type { EventCarrier, EventReader, EventReading } from "./event-carriers.ts";
import { mouldOfEvent, type Run, readRun } from "./event-runs.ts";
import { type Fields, isFields } from "./inspecting.ts";
import { parseJson } from "./json-body.ts";
import { hasDuplicateKeys } from "./json-text.ts";
import { createKnownPatterns, type KnownPatterns } from "./known-patterns.ts";
import { createMessagesEvents } from "./messages-events.ts";
import { createResponsesEvents } from "./responses-events.ts";
import { frameOf, type SseFrame } from "./sse-frames.ts";

/** Which text of a streamed answer: every one of these is a text of its own. */
interface StreamedPlace {
  kind: CarrierKind;
  choice: number;
  /** Counts the texts of this kind and choice as they appear. */
  index: number;
  tool: string | null;
}

/** A stretch of one text that an event delivers. */
export interface StreamedPiece {
  place: StreamedPlace;
  /** UTF-16 units within the whole text. */
  start: number;
  end: number;
  /** What of it was not delivered before; empty for a repetition. */
  fresh: string;
  /** Within the event's JSON. */
  carrier: Carrier;
}

export interface StreamedEvent {
  /** The event's JSON; null where it is none. */
  body: Fields | null;
  pieces: StreamedPiece[];
  /** No more text will come for these. */
  closed: StreamedPlace[];
  gaps: Gap[];
  /** The end of the stream, which carries nothing. */
  isEnd: boolean;
}

/** Events one behind the other that are each no more than the next piece of one text. */
export interface StreamedRun extends Run {
  /** All of theirs. */
  bytes: Buffer;
  /** Two runs of one pattern differ in their texts, ids, times and numbers only. */
  pattern: Pattern;
  place: StreamedPlace;
  /** Where their pieces begin within the whole text; all in them is fresh. */
  start: number;
}

export interface StreamedTexts {
  /** One event of the stream, in their order. `data` is that of the frame. */
  read(data: string, frame: Pick<SseFrame, "raw">): StreamedEvent;
  /** As many events from `start` on as can be read at once, one at least; null where the next has to be read by itself. */
  readRun(bytes: Buffer, start: number): StreamedRun | null;
}

/** One event of a run, as it would have been read by itself. */
export const eventIn = (run: StreamedRun, index: number): { frame: SseFrame; event: StreamedEvent } => {
  const frame = frameOf(run.bytes.subarray(run.byteEnds[index - 1] ?? 0, run.byteEnds[index]));
  const text = run.text.slice(run.textEnds[index - 1] ?? 0, run.textEnds[index]);
  const end = run.start + (run.textEnds[index] ?? 0);
  const carrier = { ...run.pattern.carrier, text };
  const piece = { place: run.place, start: end - text.length, end, fresh: text, carrier };
  const body = parseJson(frame.data ?? "");
  return { frame, event: { body: isFields(body) ? body : null, pieces: [piece], closed: [], gaps: [], isEnd: false } };
};

interface Growing {
  place: StreamedPlace;
  text: string;
  closed: boolean;
}

/** An event that is nothing but the next piece of a text. Those that are cast in its mould say the same, the text aside. */
interface Pattern {
  mould: Mould;
  carrier: Carrier;
  /** Of the text that it continues. */
  key: string;
}

const readers: ReadonlyMap<string, () => EventReader> = new Map([
  ["/chat/completions", createChatEvents],
  ["/completions", createCompletionsEvents],
  ["/responses", createResponsesEvents],
  ["/messages", createMessagesEvents],
]);

/** Names one text of an answer. */
const keyOf = ({ carrier, key }: EventCarrier): string => `${carrier.kind} ${key}`;

/** What an event carries that is nothing but the next piece of what the model says; null for any other. */
const onlyPiece = ({ found, closes, gaps }: EventReading): EventCarrier | null => {
  const [only] = found;
  if (only === undefined || found.length + closes.length + gaps.length > 1 || only.form !== "piece") return null;
  return only.carrier.kind === "message" || only.carrier.kind === "reasoning" ? only : null;
};

const patternOf = (data: string, frame: Pick<SseFrame, "raw">, only: EventCarrier): Pattern | null => {
  const mould = mouldOfEvent(frame, data, only.carrier);
  return mould === null ? null : { mould, carrier: { ...only.carrier, text: "" }, key: keyOf(only) };
};

const createStreamedTexts = (readEvent: EventReader, patterns: KnownPatterns<Pattern>): StreamedTexts => {
  const texts = new Map<string, Growing>();
  const counts = new Map<string, number>();

  const open = (key: string, { kind, choice, tool }: Carrier): Growing => {
    const among = `${kind} ${choice}`;
    const index = counts.get(among) ?? 0;
    counts.set(among, index + 1);
    const growing = { place: { kind, choice: choice ?? 0, index, tool }, text: "", closed: false };
    texts.set(key, growing);
    return growing;
  };

  const add = (growing: Growing, carrier: Carrier, fresh: string): StreamedPiece => {
    growing.text += fresh;
    const end = growing.text.length;
    return { place: growing.place, start: end - carrier.text.length, end, fresh, carrier };
  };

  /** The text that the next piece under this key is added to. */
  const growingAt = (key: string, carrier: Carrier): Growing => {
    const known = texts.get(key);
    return known === undefined || known.closed ? open(key, carrier) : known;
  };

  const pieceOf = (found: EventCarrier): StreamedPiece => {
    const { carrier, form } = found;
    const key = keyOf(found);
    if (form === "piece") return add(growingAt(key, carrier), carrier, carrier.text);
    const known = texts.get(key) ?? open(key, carrier);
    if (carrier.text === known.text) return add(known, carrier, "");
    if (!known.closed && carrier.text.startsWith(known.text)) {
      return add(known, carrier, carrier.text.slice(known.text.length));
    }
    return add(open(key, carrier), carrier, carrier.text);
  };

  const close = (prefix: string): StreamedPlace[] =>
    [...texts].flatMap(([key, growing]) => {
      if (growing.closed || !key.slice(key.indexOf(" ") + 1).startsWith(prefix)) return [];
      growing.closed = true;
      return [growing.place];
    });

  return {
    read(data, frame) {
      if (data === "[DONE]") return { body: null, pieces: [], closed: [], gaps: [], isEnd: true };
      const body = parseJson(data);
      if (!isFields(body)) return { body: null, pieces: [], closed: [], gaps: ["unreadable-body"], isEnd: false };
      const reading = readEvent(body);
      const { found, closes, gaps } = reading;
      const pieces = found.map(pieceOf);
      const closed = closes.flatMap(close);
      if (hasDuplicateKeys(data, body))
        return { body, pieces, closed, gaps: [...gaps, "unreadable-body"], isEnd: false };
      const only = onlyPiece(reading);
      if (only !== null) patterns.learn(() => patternOf(data, frame, only));
      return { body, pieces, closed, gaps, isEnd: false };
    },
    readRun(bytes, start) {
      for (const pattern of patterns.recent()) {
        const run = readRun(bytes, start, pattern.mould);
        if (run === null) continue;
        patterns.used(pattern);
        const growing = growingAt(pattern.key, pattern.carrier);
        const before = growing.text.length;
        growing.text += run.text;
        const { text, byteEnds, textEnds } = run;
        const all = bytes.subarray(start, start + (byteEnds.at(-1) ?? 0));
        return { text, byteEnds, textEnds, bytes: all, pattern, place: growing.place, start: before };
      }
      return null;
    },
  };
};

/** Begins to read a stream that answers a request to this path; null where nobody can read its streams. */
export type StreamReading = (path: string) => StreamedTexts | null;

export const createStreamReading = (): StreamReading => {
  const known = new Map<string, KnownPatterns<Pattern>>();
  return (path) => {
    const api = path.split("?", 1)[0] ?? "";
    const createReader = readers.get(api);
    if (createReader === undefined) return null;
    const patterns = known.get(api) ?? createKnownPatterns();
    known.set(api, patterns);
    return createStreamedTexts(createReader(), patterns);
  };
};
