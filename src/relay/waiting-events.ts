/**
 * The events of a held stream that were not passed on yet, and what of them may be: byte for byte, or with the edits made.
 */
import type { Carrier } from "../dialect/carriers.ts";
import { editJson, type PlacedEdit } from "../dialect/edited-body.ts";
import type { Fields } from "../dialect/inspecting.ts";
import { type SseFrame, withData } from "../dialect/sse-frames.ts";
import { eventIn, type StreamedEvent, type StreamedPiece, type StreamedRun } from "../dialect/streamed-texts.ts";
import type { Release } from "../guard/guard.ts";
import { joined } from "./joined.ts";

interface Parts {
  /** How much of a text may leave. */
  released(place: StreamedPiece["place"]): Release;
  /** Told of the events that have left, in order; of many that differ in texts and ids only, of the last. */
  delivered(event: Fields): void;
}

/** What leaves now. */
interface Leaving {
  /** Null where nothing does. */
  bytes: Buffer | null;
  /** An edit behind them cannot be made: nothing more may leave. */
  isBroken: boolean;
}

export interface WaitingEvents {
  /** One event, or what is none: a comment. */
  add(frame: SseFrame, event: StreamedEvent | null): void;
  addRun(run: StreamedRun): void;
  /** Whether words may leave. */
  hasWords(): boolean;
  /** From here on all may leave, whatever is released. */
  openUp(): void;
  /** All that may leave, in one piece. */
  take(): Leaving;
  /** Tells of what has left and was not told yet. */
  tellRest(): void;
  clear(): void;
  isEmpty(): boolean;
  bytes(): number;
}

interface WaitingEvent {
  frame: SseFrame;
  event: StreamedEvent | null;
  run: null;
}

/** Events of one text that came together, and how many of them have left. */
interface WaitingRun {
  run: StreamedRun;
  left: number;
}

/** The edits of a carrier that fall into one of its pieces, in the piece's own terms. What is replaced goes where it begins. */
const editsWithin = (
  { start, end, carrier }: StreamedPiece,
  edits: readonly { start: number; end: number; replacement: string }[],
): PlacedEdit[] =>
  edits
    .filter((edit) => edit.start < end && edit.end > start)
    .map((edit) => ({
      at: carrier.at,
      start: Math.max(edit.start, start) - start,
      end: Math.min(edit.end, end) - start,
      replacement: edit.start >= start ? edit.replacement : "",
    }));

const noEdits: readonly PlacedEdit[] = [];

/** Events that wait one by one: edits are made so. */
const takenApart = ({ run, left }: WaitingRun): WaitingEvent[] =>
  Array.from({ length: run.byteEnds.length - left }, (_, index) => ({ ...eventIn(run, left + index), run: null }));

export const createWaitingEvents = ({ released, delivered }: Parts): WaitingEvents => {
  let waiting: (WaitingEvent | WaitingRun)[] = [];
  let waitingBytes = 0;
  let open = false;
  /** Of which the last event that has left was not told. Nobody asks what it was unless the stream is blocked behind it. */
  let untold: WaitingRun | null = null;

  const isReleased = ({ event }: WaitingEvent): boolean => {
    if (open || event === null) return true;
    for (const { place, end } of event.pieces) if (released(place).to < end) return false;
    return true;
  };

  /** How many events of a run may leave, those that have left among them. */
  const releasedOf = ({ run: { place, start, textEnds }, left }: WaitingRun): number => {
    let count = textEnds.length;
    if (open) return count;
    const to = released(place).to - start;
    while (count > left && (textEnds[count - 1] ?? 0) > to) count -= 1;
    return count;
  };

  /** Null where an edit cannot be made. */
  const edited = ({ frame, event }: WaitingEvent): Buffer | null => {
    if (event === null || frame.data === null) return frame.raw;
    let edits: readonly PlacedEdit[] = noEdits;
    for (const piece of event.pieces) {
      const made = released(piece.place).edits;
      if (made.length > 0) edits = [...edits, ...editsWithin(piece, made)];
    }
    if (edits.length === 0) return frame.raw;
    const carriers: Carrier[] = event.pieces.map(({ carrier }) => carrier);
    const data = editJson(frame.data, carriers, edits);
    return data === null ? null : withData(frame, data);
  };

  const isEdited = ({ run, left }: WaitingRun): boolean => {
    const { edits } = released(run.place);
    if (edits.length === 0) return false;
    const start = run.start + (run.textEnds[left - 1] ?? 0);
    const end = run.start + run.text.length;
    return edits.some((edit) => edit.start < end && edit.end > start);
  };

  const tellRest = (): void => {
    const body = untold === null ? null : eventIn(untold.run, untold.left - 1).event.body;
    untold = null;
    if (body !== null) delivered(body);
  };

  const tell = (body: Fields): void => {
    tellRest();
    delivered(body);
  };

  const tellLater = (one: WaitingRun): void => {
    if (untold !== null && untold.run.pattern !== one.run.pattern) tellRest();
    untold = one;
  };

  /** What of a run may leave; null where nothing may. */
  const leavingOf = (one: WaitingRun): Buffer | null => {
    const { run, left } = one;
    const count = releasedOf(one);
    if (count === left) return null;
    one.left = count;
    tellLater(one);
    return run.bytes.subarray(run.byteEnds[left - 1] ?? 0, run.byteEnds[count - 1]);
  };

  return {
    add(frame, event) {
      waiting.push({ frame, event, run: null });
      waitingBytes += frame.raw.length;
    },
    addRun(run) {
      waiting.push({ run, left: 0 });
      waitingBytes += run.bytes.length;
    },
    hasWords() {
      for (const one of waiting) {
        if (one.run !== null) return releasedOf(one) > one.left;
        if (!isReleased(one)) return false;
        if (one.event?.pieces.some(({ place }) => place.kind !== "parameter")) return true;
      }
      return false;
    },
    openUp() {
      open = true;
    },
    take() {
      const parts: Buffer[] = [];
      let isBroken = false;
      let place = 0;
      while (place < waiting.length) {
        const one = waiting[place];
        if (one === undefined) break;
        if (one.run !== null) {
          if (isEdited(one)) {
            waiting.splice(place, 1, ...takenApart(one));
            continue;
          }
          const part = leavingOf(one);
          if (part === null) break;
          parts.push(part);
          waitingBytes -= part.length;
          if (one.left < one.run.byteEnds.length) break;
        } else {
          if (!isReleased(one)) break;
          const part = edited(one);
          isBroken = part === null;
          if (part === null) break;
          parts.push(part);
          waitingBytes -= one.frame.raw.length;
          if (one.event?.body) tell(one.event.body);
        }
        place += 1;
      }
      if (place > 0) waiting = waiting.slice(place);
      return { bytes: parts.length === 0 ? null : joined(parts), isBroken };
    },
    tellRest,
    clear() {
      waiting = [];
      waitingBytes = 0;
    },
    isEmpty: () => waiting.length === 0,
    bytes: () => waitingBytes,
  };
};
