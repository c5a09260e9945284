/**
 * Puts the texts of a streamed answer together from its events and tells, for each event, which parts of which texts it
 * delivers. An event may repeat a text that was streamed before: then it adds nothing to it.
 */
import type { Carrier, CarrierKind, Gap } from "./carriers.ts";
import { createChatEvents, createCompletionsEvents } from "./choice-events.ts";
import type { EventCarrier, EventReader } from "./event-carriers.ts";
import { type Fields, isFields } from "./inspecting.ts";
import { parseJson } from "./json-body.ts";
import { hasDuplicateKeys } from "./json-text.ts";
import { createMessagesEvents } from "./messages-events.ts";
import { createResponsesEvents } from "./responses-events.ts";

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

export interface StreamedTexts {
  /** `data` of one event, in their order. */
  read(data: string): StreamedEvent;
}

interface Growing {
  place: StreamedPlace;
  text: string;
  closed: boolean;
}

const eventReaders: ReadonlyMap<string, () => EventReader> = new Map([
  ["/chat/completions", createChatEvents],
  ["/completions", createCompletionsEvents],
  ["/responses", createResponsesEvents],
  ["/messages", createMessagesEvents],
]);

/** Null for a path whose streams nobody can read. */
export const createStreamedTexts = (path: string): StreamedTexts | null => {
  const readEvent = eventReaders.get(path.split("?", 1)[0] ?? "")?.();
  if (readEvent === undefined) return null;
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

  const pieceOf = ({ carrier, key: name, form }: EventCarrier): StreamedPiece => {
    const key = `${carrier.kind} ${name}`;
    const known = texts.get(key) ?? open(key, carrier);
    if (form === "piece") return add(known.closed ? open(key, carrier) : known, carrier, carrier.text);
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
    read(data) {
      if (data === "[DONE]") return { body: null, pieces: [], closed: [], gaps: [], isEnd: true };
      const body = parseJson(data);
      if (!isFields(body)) return { body: null, pieces: [], closed: [], gaps: ["unreadable-body"], isEnd: false };
      const { found, closes, gaps } = readEvent(body);
      const pieces = found.map(pieceOf);
      const closed = closes.flatMap(close);
      const all: Gap[] = hasDuplicateKeys(data) ? [...gaps, "unreadable-body"] : gaps;
      return { body, pieces, closed, gaps: all, isEnd: false };
    },
  };
};
