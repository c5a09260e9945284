/**
 * Puts the texts of a streamed answer together from its events and tells, for each event, which parts of which texts it
 * delivers. An event may repeat a text that was streamed before: then it adds nothing to it.
 */
import type { Carrier, CarrierKind, Gap } from "./carriers.ts";
import { createChatEvents, createCompletionsEvents } from "./choice-events.ts";
import type { EventCarrier, EventReader, EventReading } from "./event-carriers.ts";
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
  /** The event's JSON, or that of an earlier event that differs from it in the text of its one piece only; null where it is none. */
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
  /** Whether another text goes under its key now. */
  replaced: boolean;
}

/**
 * An event that was read, and what stands in its JSON before and after the one string that is its piece. Another with the
 * same around another string says the same, that string aside.
 */
interface Mould {
  before: string;
  after: string;
  body: Fields;
  /** The text that it continues. */
  growing: Growing;
  carrier: Carrier;
}

/** Nothing in between needs to be undone. */
const bare = /^[^"\\\p{Cc}]+$/u;

/** What the JSON string with these letters between its quotes says; null where it is empty or none. */
const saidBy = (letters: string): string | null => {
  if (bare.test(letters)) return letters;
  const said = parseJson(`"${letters}"`);
  return typeof said === "string" && said !== "" ? said : null;
};

const mark = "?";

/** Whether what is put between is the text of the first choice of a chat completion. */
const isContent = (before: string, after: string): boolean => {
  const body = parseJson(before + mark + after);
  if (!isFields(body) || !Array.isArray(body.choices) || body.choices.length !== 1) return false;
  const [choice] = body.choices;
  return isFields(choice) && isFields(choice.delta) && choice.delta.content === mark;
};

const mostUnused = 8;

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
  let mould: Mould | null = null;
  /** Moulds in a row of which none was of use: in such a stream every event differs in more. */
  let unused = 0;
  const counts = new Map<string, number>();

  const open = (key: string, { kind, choice, tool }: Carrier): Growing => {
    const among = `${kind} ${choice}`;
    const index = counts.get(among) ?? 0;
    counts.set(among, index + 1);
    const growing = { place: { kind, choice: choice ?? 0, index, tool }, text: "", closed: false, replaced: false };
    const before = texts.get(key);
    if (before !== undefined) before.replaced = true;
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

  /** What is learnt of an event that is nothing but the next piece of a text. */
  const mouldOf = (data: string, body: Fields, { found, closes, gaps }: EventReading): Mould | null => {
    const [only] = found;
    if (only === undefined || found.length + closes.length + gaps.length > 1 || only.form !== "piece") return null;
    const { carrier } = only;
    if (carrier.kind !== "message" || carrier.at.at(-1) !== "content") return null;
    const key = `${carrier.kind} ${only.key}`;
    const growing = texts.get(key);
    const written = JSON.stringify(carrier.text);
    const start = data.indexOf(`"content":${written}`);
    if (growing === undefined || start === -1) return null;
    const before = data.slice(0, start + '"content":"'.length);
    const after = data.slice(before.length + written.length - 2);
    // The same letters may stand elsewhere as well: what is between must be what is read as the piece.
    return isContent(before, after) ? { before, after, body, growing, carrier } : null;
  };

  /** The event as the mould has it; null where it is another. */
  const cast = (data: string): StreamedEvent | null => {
    if (mould === null) return null;
    const { before, after, body, growing, carrier } = mould;
    if (growing.closed || growing.replaced) return null;
    const end = data.length - after.length;
    if (end <= before.length) return null;
    // A comparison of slices takes a fifth of what startsWith takes.
    if (data.slice(0, before.length) !== before || data.slice(end) !== after) return null;
    const text = saidBy(data.slice(before.length, end));
    if (text === null) return null;
    const { kind, role, choice, tool, at } = carrier;
    const piece = add(growing, { kind, role, choice, tool, at, text }, text);
    unused = 0;
    return { body, pieces: [piece], closed: [], gaps: [], isEnd: false };
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
      const known = cast(data);
      if (known !== null) return known;
      const body = parseJson(data);
      if (!isFields(body)) return { body: null, pieces: [], closed: [], gaps: ["unreadable-body"], isEnd: false };
      const reading = readEvent(body);
      const { found, closes, gaps } = reading;
      const pieces = found.map(pieceOf);
      const closed = closes.flatMap(close);
      if (hasDuplicateKeys(data, body))
        return { body, pieces, closed, gaps: [...gaps, "unreadable-body"], isEnd: false };
      if (unused < mostUnused) {
        mould = mouldOf(data, body, reading) ?? mould;
        unused += 1;
      }
      return { body, pieces, closed, gaps, isEnd: false };
    },
  };
};
