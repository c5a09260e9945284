/**
 * Cuts a stream of server-sent events into frames, the bytes of one event each, so that an event can be kept back, passed
 * on byte for byte or given other data. The frames together are the stream; where they end does not depend on how it was
 * chunked, but for a line feed that comes apart from its carriage return: it then opens the next frame.
 */

export interface SseFrame {
  raw: Buffer;
  /** Null where the frame has no data field: comments, blank lines. */
  data: string | null;
}

/** Takes what a stream is made of, in order. */
export interface SseTaker {
  frame(frame: SseFrame): void;
  /**
   * Takes as many whole frames as it can that begin at `start`, and returns where they end: there where it takes none.
   * Frames that it leaves are given one by one.
   */
  run?(bytes: Buffer, start: number): number;
}

export interface SseFrames {
  push(bytes: Buffer): void;
  /** Gives what came after the last whole event as one more; clients may or may not read it so. */
  end(): void;
  /** Bytes of the frame that is not whole yet. */
  pending(): number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** The lines of a frame with their line ends. */
const linesOf = (text: string): string[] => text.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];

const valueOfData = (line: string): string | null => {
  const content = line.replace(/[\r\n]+$/, "");
  if (content === "data") return "";
  if (!content.startsWith("data:")) return null;
  return content.slice(content[5] === " " ? 6 : 5);
};

const byteOrderMark = /^\ufeff/;

const dataOf = (raw: Buffer): string | null => {
  const text = raw.toString("utf8").replace(byteOrderMark, "");
  const lines = linesOf(text).flatMap((line) => valueOfData(line) ?? []);
  return lines.length === 0 ? null : lines.join("\n");
};

export const frameOf = (raw: Buffer): SseFrame => ({ raw, data: dataOf(raw) });

const nothing = Buffer.alloc(0);

/**
 * The usual frame, one line of data and an empty one, read without taking it apart: null where it is not that, or not
 * all here. @param end the first line feed at or after `start`
 */
const plainFrame = (bytes: Buffer, start: number, end: number): SseFrame | null => {
  if (end === -1 || bytes[end + 1] !== lineFeed) return null;
  const line = bytes.toString("utf8", start, end);
  if (!line.startsWith("data:") || line.includes("\r")) return null;
  return { raw: bytes.subarray(start, end + 2), data: line.slice(line[5] === " " ? 6 : 5) };
};

/** The frame with other data; every line that is not data stays as it was. */
export const withData = ({ raw }: SseFrame, data: string): Buffer => {
  let written = false;
  const lines = linesOf(raw.toString("utf8")).flatMap((line) => {
    if (valueOfData(line.replace(byteOrderMark, "")) === null) return [line];
    if (written) return [];
    written = true;
    const end = /[\r\n]+$/.exec(line)?.[0] ?? "\n";
    return data.split("\n").map((part) => `data: ${part}${end}`);
  });
  return Buffer.from(lines.join(""), "utf8");
};

export const createSseFrames = (taker: SseTaker): SseFrames => {
  let pieces: Buffer[] = [];
  let pending = 0;
  let lineIsEmpty = true;
  let afterCarriageReturn = false;

  /** What came in more than one read. */
  const give = (): void => {
    const raw = pieces.length === 1 ? (pieces[0] ?? nothing) : Buffer.concat(pieces);
    pieces = [];
    pending = 0;
    const end = taker.run?.(raw, 0) ?? 0;
    if (end < raw.length) taker.frame(frameOf(raw.subarray(end)));
  };

  const keep = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    pieces.push(bytes);
    pending += bytes.length;
  };

  return {
    push(bytes) {
      let start = 0;
      // Looked for once, however many frames end in something else.
      let nextLineFeed = bytes.indexOf(lineFeed);
      for (let at = 0; at < bytes.length; at += 1) {
        if (at === start && pending === 0 && lineIsEmpty) {
          const end = taker.run?.(bytes, start) ?? start;
          if (end > start) {
            afterCarriageReturn = false;
            start = end;
            at = end - 1;
            continue;
          }
          if (nextLineFeed !== -1 && nextLineFeed < start) nextLineFeed = bytes.indexOf(lineFeed, start);
          const frame = plainFrame(bytes, start, nextLineFeed);
          if (frame !== null) {
            afterCarriageReturn = false;
            start += frame.raw.length;
            at = start - 1;
            taker.frame(frame);
            continue;
          }
        }
        const byte = bytes[at];
        if (byte === lineFeed && afterCarriageReturn) {
          afterCarriageReturn = false;
          continue;
        }
        afterCarriageReturn = byte === carriageReturn;
        if (byte !== lineFeed && byte !== carriageReturn) {
          lineIsEmpty = false;
          continue;
        }
        if (!lineIsEmpty) {
          lineIsEmpty = true;
          continue;
        }
        // The line feed of a closing CRLF belongs to this frame when it is here already.
        const end = afterCarriageReturn && bytes[at + 1] === lineFeed ? at + 2 : at + 1;
        keep(bytes.subarray(start, end));
        start = end;
        give();
      }
      keep(bytes.subarray(start));
    },
    end() {
      if (pending > 0) give();
    },
    pending: () => pending,
  };
};
