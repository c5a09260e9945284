/**
 * Keeps the events of a stream back until all text in them is released, then passes them on: byte for byte, or with the
 * edits made. Never delivers a byte of what was blocked, however the answer was cut into chunks and events.
 */
import type { Carrier, Gap } from "../dialect/carriers.ts";
import { editJson, type PlacedEdit } from "../dialect/edited-body.ts";
import { createSseFrames, type SseFrame, withData } from "../dialect/sse-frames.ts";
import type { StreamedEvent, StreamedPiece, StreamedTexts } from "../dialect/streamed-texts.ts";
import type { Decision, StreamGuard } from "../guard/guard.ts";
import { passes } from "./block-answer.ts";
import { joined } from "./joined.ts";

interface HeldStreamParts {
  texts: StreamedTexts;
  /** Calls back when more may be released. */
  guard(progress: () => void): StreamGuard;
  /** Most bytes kept back; beyond that the rest cannot be inspected, and the policies say what then. */
  maxBytes: number;
  /** The decision that stands for one that could not be carried out, or could not be made. */
  unedited(decision: Decision | null): Decision;
  failed(error: unknown): Decision;
  /** Takes bytes for the client, and the events that they are; comments are none. */
  deliver(bytes: Buffer, events: readonly StreamedEvent[]): void;
  wantsMore(): void;
  /** Nothing more is delivered: the answer was blocked. */
  blocked(decision: Decision): void;
  /** All is delivered. */
  finished(decision: Decision | null): void;
}

export interface HeldStream {
  /** False asks for no more until `wantsMore` was called. */
  push(chunk: Buffer): boolean;
  end(): void;
  /** Drops what is kept back. */
  stop(): void;
  /** Whether anything waits. */
  holds(): boolean;
  /** Null while it is not known. */
  decision(): Decision | null;
}

interface Waiting {
  frame: SseFrame;
  event: StreamedEvent | null;
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

export const createHeldStream = (parts: HeldStreamParts): HeldStream => {
  const { texts, maxBytes, unedited, failed, deliver, wantsMore, blocked, finished } = parts;
  const frames = createSseFrames();
  const gaps = new Set<Gap>();
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  /** Too much is kept back: nothing more is inspected, and nothing passes before the policies have said so. */
  let overfull = false;
  /** They have. */
  let open = false;
  let begun = false;
  let over = false;
  let guardEnded = false;
  let upstreamEnded = false;
  let working = false;

  const isReleased = ({ event }: Waiting): boolean => {
    if (open || event === null) return true;
    for (const { place, end } of event.pieces) if (guard.released(place).to < end) return false;
    return true;
  };

  /** Whether words may leave. Until then nothing does: what only opens a stream would rule out a true error for a block. */
  const hasWords = (): boolean => {
    for (const one of waiting) {
      if (!isReleased(one)) return false;
      if (one.event?.pieces.some(({ place }) => place.kind !== "parameter")) return true;
    }
    return false;
  };

  /** The bytes to deliver; null where an edit cannot be made. */
  const edited = ({ frame, event }: Waiting): Buffer | null => {
    if (event === null || frame.data === null) return frame.raw;
    let edits: readonly PlacedEdit[] = noEdits;
    for (const piece of event.pieces) {
      const made = guard.released(piece.place).edits;
      if (made.length > 0) edits = [...edits, ...editsWithin(piece, made)];
    }
    if (edits.length === 0) return frame.raw;
    const carriers: Carrier[] = event.pieces.map(({ carrier }) => carrier);
    const data = editJson(frame.data, carriers, edits);
    return data === null ? null : withData(frame, data);
  };

  const block = (decision: Decision): void => {
    over = true;
    waiting = [];
    waitingBytes = 0;
    blocked(decision);
  };

  /** All of it in one write; what stands before an edit that can't be made goes, and nothing behind it. */
  const deliverReleased = (decision: Decision | null): boolean => {
    const bytes: Buffer[] = [];
    const events: StreamedEvent[] = [];
    let count = 0;
    let isWhole = true;
    for (const one of waiting) {
      if (!isReleased(one)) break;
      const part = edited(one);
      if (part === null) {
        isWhole = false;
        break;
      }
      count += 1;
      bytes.push(part);
      if (one.event !== null) events.push(one.event);
    }
    if (count > 0) {
      for (const { frame } of waiting.splice(0, count)) waitingBytes -= frame.raw.length;
      begun = true;
      deliver(joined(bytes), events);
    }
    if (!isWhole) block(unedited(decision));
    return isWhole;
  };

  const advance = (): void => {
    // The guard may report progress from within a call to it.
    if (working || over) return;
    const { decision } = guard;
    if (decision !== null && !passes(decision)) {
      block(decision);
      return;
    }
    if (overfull && !open && decision !== null) {
      open = true;
      wantsMore();
    }
    if (!begun && decision === null && !hasWords()) return;
    if (!deliverReleased(decision)) return;
    if (upstreamEnded && waiting.length === 0 && decision !== null) {
      over = true;
      finished(decision);
    }
  };

  const guarding = (work: () => void): void => {
    working = true;
    try {
      work();
      working = false;
      advance();
    } catch (error) {
      working = false;
      if (!over) block(failed(error));
    }
  };

  /** Pieces of one text that came in one read are pushed as one. */
  let pushing: StreamedPiece["place"] | null = null;
  let pushed = "";
  const pushNow = (): void => {
    if (pushing !== null) guard.push(pushing, pushed);
    pushing = null;
    pushed = "";
  };
  const pushSoon = (place: StreamedPiece["place"], fresh: string): void => {
    if (place !== pushing) pushNow();
    pushing = place;
    pushed += fresh;
  };

  const endGuard = (): void => {
    if (guardEnded) return;
    pushNow();
    guardEnded = true;
    guard.end([...gaps]);
  };

  const noteGap = (gap: Gap): void => {
    if (gaps.has(gap)) return;
    gaps.add(gap);
    pushNow();
    guard.gap(gap);
  };

  const take = (frame: SseFrame): void => {
    const event = frame.data === null || overfull ? null : texts.read(frame.data);
    // What follows the end of a stream belongs to no answer.
    if (event !== null && guardEnded) return;
    waiting.push({ frame, event });
    waitingBytes += frame.raw.length;
    if (event === null) return;
    for (const { place, fresh } of event.pieces) if (fresh !== "" || place.tool !== null) pushSoon(place, fresh);
    if (event.closed.length > 0) pushNow();
    for (const place of event.closed) guard.close(place);
    for (const gap of event.gaps) noteGap(gap);
    if (event.isEnd) endGuard();
  };

  const guard = parts.guard(() => guarding(() => {}));
  return {
    push(chunk) {
      if (over) return true;
      guarding(() => {
        for (const frame of frames.push(chunk)) take(frame);
        pushNow();
      });
      if (over || overfull || waitingBytes + frames.pending() <= maxBytes) return over || open || !overfull;
      guarding(() => {
        overfull = true;
        noteGap("too-large");
        endGuard();
      });
      return over || open;
    },
    end() {
      if (over) return;
      guarding(() => {
        const rest = frames.rest();
        if (rest !== null) take(rest);
        upstreamEnded = true;
        endGuard();
      });
    },
    stop() {
      over = true;
      waiting = [];
      waitingBytes = 0;
    },
    holds: () => !over && (waiting.length > 0 || frames.pending() > 0),
    decision: () => guard.decision,
  };
};
