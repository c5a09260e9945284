/**
 * Keeps the events of a stream back until all text in them is released, then passes them on: byte for byte, or with the
 * edits made. Never delivers a byte of what was blocked, however the answer was cut into chunks and events.
 */
import type { Gap } from "../dialect/carriers.ts";
import type { Fields } from "../dialect/inspecting.ts";
import { createSseFrames } from "../dialect/sse-frames.ts";
import type { StreamedTexts } from "../dialect/streamed-texts.ts";
import type { Decision, StreamGuard } from "../guard/guard.ts";
import { passes } from "./block-answer.ts";
import { pushEvent } from "./push-event.ts";
import { createWaitingEvents } from "./waiting-events.ts";

interface HeldStreamParts {
  texts: StreamedTexts;
  /** Calls back when more may be released. */
  guard(progress: () => void): StreamGuard;
  /** Most bytes kept back; beyond that the rest cannot be inspected, and the policies say what then. */
  maxBytes: number;
  /** The decision that stands for one that could not be carried out, or could not be made. */
  unedited(decision: Decision | null): Decision;
  failed(error: unknown): Decision;
  /** Takes bytes for the client. */
  deliver(bytes: Buffer): void;
  /** Told of the events that were delivered, in order; of many that differ in texts and ids only, of the last. */
  delivered(event: Fields): void;
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

export const createHeldStream = (parts: HeldStreamParts): HeldStream => {
  const { texts, maxBytes, unedited, failed, deliver, delivered, wantsMore, blocked, finished } = parts;
  const gaps = new Set<Gap>();
  const waiting = createWaitingEvents({ released: (place) => guard.released(place), delivered });
  /** Too much is kept back: nothing more is inspected, and nothing passes before the policies have said so. */
  let overfull = false;
  /** They have. */
  let open = false;
  let begun = false;
  let over = false;
  let guardEnded = false;
  let upstreamEnded = false;
  let working = false;

  const block = (decision: Decision): void => {
    over = true;
    waiting.clear();
    waiting.tellRest();
    blocked(decision);
  };

  /** What stands before an edit that can't be made goes, and nothing behind it. */
  const deliverReleased = (decision: Decision | null): boolean => {
    const { bytes, isBroken } = waiting.take();
    if (bytes !== null) {
      begun = true;
      deliver(bytes);
    }
    if (isBroken) block(unedited(decision));
    return !isBroken;
  };

  const advance = (): void => {
    if (over) return;
    const { decision } = guard;
    if (decision !== null && !passes(decision)) {
      block(decision);
      return;
    }
    if (overfull && !open && decision !== null) {
      open = true;
      waiting.openUp();
      wantsMore();
    }
    // Until words may leave nothing does: what only opens a stream would rule out a true error for a block.
    if (!begun && decision === null && !waiting.hasWords()) return;
    if (!deliverReleased(decision)) return;
    if (upstreamEnded && waiting.isEmpty() && decision !== null) {
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

  const endGuard = (): void => {
    if (guardEnded) return;
    guardEnded = true;
    guard.end([...gaps]);
  };

  const noteGap = (gap: Gap): void => {
    if (gaps.has(gap)) return;
    gaps.add(gap);
    guard.gap(gap);
  };

  const frames = createSseFrames({
    frame(frame) {
      const event = frame.data === null || overfull ? null : texts.read(frame.data, frame);
      // What follows the end of a stream belongs to no answer.
      if (event !== null && guardEnded) return;
      waiting.add(frame, event);
      if (event === null) return;
      pushEvent(guard, event);
      for (const gap of event.gaps) noteGap(gap);
      if (event.isEnd) endGuard();
    },
    run(bytes, start) {
      const run = overfull || guardEnded ? null : texts.readRun(bytes, start);
      if (run === null) return start;
      waiting.addRun(run);
      guard.push(run.place, run.text);
      return start + run.bytes.length;
    },
  });

  const guard = parts.guard(() => {
    // Of what it reports from within a call to it, that call's end takes care.
    if (!working) guarding(() => {});
  });
  return {
    push(chunk) {
      if (over) return true;
      guarding(() => {
        frames.push(chunk);
        if (!guardEnded) guard.advance();
      });
      if (over || overfull || waiting.bytes() + frames.pending() <= maxBytes) return over || open || !overfull;
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
        frames.end();
        upstreamEnded = true;
        endGuard();
      });
    },
    stop() {
      over = true;
      waiting.clear();
    },
    holds: () => !over && (!waiting.isEmpty() || frames.pending() > 0),
    decision: () => guard.decision,
  };
};
