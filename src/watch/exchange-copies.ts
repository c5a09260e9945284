/**
 * Copies answers as they pass: keeps references to the relay's own chunks, within bounds of each copy and of all
 * together, and hands over what came whole once the hot path is done with it.
 */
import type { AnswerRecorder, ExchangeEnd } from "../relay/exchange.ts";
import type { SkipReason } from "./watch-meter.ts";

export interface CopyLimits {
  /** Largest request and largest answer that are copied, each. */
  copyBytes: number;
  /** Most bytes held by all copies together, with their requests, until they are read. */
  heldBytes: number;
}

interface CopyReader {
  /** Called off the hot path; the bytes count as held until it resolves. Must not reject. */
  whole(end: ExchangeEnd, answer: Buffer): Promise<void>;
  givenUp(reason: Extract<SkipReason, "too-large" | "busy" | "incomplete">): void;
}

export interface ExchangeCopies {
  /** Null, with the reason told to the reader, when there is no room even for the request. */
  copy(requestBytes: number, reader: CopyReader): AnswerRecorder | null;
  /** Resolves once every copy that has ended is read. */
  settled(): Promise<void>;
}

/** Counted together where several copy beside each other. */
export interface HeldBytes {
  bytes: number;
}

export const createExchangeCopies = (limits: CopyLimits, held: HeldBytes = { bytes: 0 }): ExchangeCopies => {
  const reading = new Set<Promise<void>>();

  const recorderFor = (requestBytes: number, reader: CopyReader): AnswerRecorder => {
    let chunks: Buffer[] = [];
    let answerBytes = 0;
    let copying = true;

    const letGo = (): void => {
      held.bytes -= requestBytes + answerBytes;
      chunks = [];
    };

    const giveUp = (reason: Parameters<CopyReader["givenUp"]>[0]): void => {
      copying = false;
      letGo();
      reader.givenUp(reason);
    };

    const read = async (end: ExchangeEnd): Promise<void> => {
      await new Promise<void>((turned) => setImmediate(turned));
      await reader.whole(end, Buffer.concat(chunks)).finally(letGo);
    };

    return {
      chunk(bytes) {
        if (!copying) return;
        chunks.push(bytes);
        answerBytes += bytes.length;
        held.bytes += bytes.length;
        if (answerBytes > limits.copyBytes) giveUp("too-large");
        else if (held.bytes > limits.heldBytes) giveUp("busy");
      },
      end(end) {
        if (!copying) return;
        if ((end.outcome !== "complete" && end.outcome !== "blocked") || end.status !== 200)
          return giveUp("incomplete");
        copying = false;
        const work = read(end);
        reading.add(work);
        void work.finally(() => reading.delete(work));
      },
    };
  };

  return {
    copy(requestBytes, reader) {
      const tooLarge = requestBytes > limits.copyBytes;
      if (tooLarge || held.bytes + requestBytes > limits.heldBytes) {
        reader.givenUp(tooLarge ? "too-large" : "busy");
        return null;
      }
      held.bytes += requestBytes;
      return recorderFor(requestBytes, reader);
    },
    async settled() {
      await Promise.all(reading);
    },
  };
};
