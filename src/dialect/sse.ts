/**
 * Reads server-sent events as their bytes arrive. Source: WHATWG HTML, 9.2.6 "Interpreting an event stream".
 * Gives the same events for every chunking, and never holds more than one event of bounded size.
 */

export interface SseEvent {
  /** Event name; `message` where the stream gave none. */
  event: string;
  data: string;
}

export interface SseReader {
  /** The events that these bytes complete, oldest first. An event without its closing blank line is never given. */
  push(bytes: Uint8Array): SseEvent[];
  /** Events passed over so far because they were larger than the cap. */
  oversized(): number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = "\ufeff";

/** `maxEventBytes` bounds the lines of one event together, comments only while they are being read. */
export const createSseReader = (maxEventBytes = 256 * 1024): SseReader => {
  let pieces: Uint8Array[] = [];
  let lineBytes = 0;
  let eventBytes = 0;
  let tooLarge = false;
  let oversized = 0;
  let firstLine = true;
  let afterCarriageReturn = false;
  let name = "";
  let data: string[] = [];

  const addToLine = (piece: Uint8Array): void => {
    if (piece.length === 0) return;
    lineBytes += piece.length;
    eventBytes += piece.length;
    if (eventBytes > maxEventBytes) {
      tooLarge = true;
      pieces = [];
      data = [];
    } else {
      pieces.push(piece);
    }
  };

  const endEvent = (): SseEvent | null => {
    const event = !tooLarge && data.length > 0 ? { event: name || "message", data: data.join("\n") } : null;
    if (tooLarge) oversized += 1;
    name = "";
    data = [];
    eventBytes = 0;
    tooLarge = false;
    return event;
  };

  const readField = (line: string): void => {
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") data.push(value);
    else if (field === "event") name = value;
  };

  const endLine = (): SseEvent | null => {
    const bytes = lineBytes;
    // A line is decoded whole: its ends are ASCII, so no character is ever cut.
    let line = Buffer.concat(pieces).toString("utf8");
    pieces = [];
    lineBytes = 0;
    if (firstLine && line.startsWith(byteOrderMark)) line = line.slice(1);
    firstLine = false;
    if (tooLarge) return bytes === 0 ? endEvent() : null;
    if (line === "") return endEvent();
    if (line.startsWith(":")) eventBytes -= bytes;
    else readField(line);
    return null;
  };

  return {
    push(bytes) {
      const events: SseEvent[] = [];
      let start = 0;
      for (let at = 0; at < bytes.length; at += 1) {
        const byte = bytes[at];
        if (byte === lineFeed && afterCarriageReturn) {
          afterCarriageReturn = false;
          start = at + 1;
          continue;
        }
        afterCarriageReturn = byte === carriageReturn;
        if (byte !== lineFeed && byte !== carriageReturn) continue;
        addToLine(bytes.subarray(start, at));
        start = at + 1;
        const event = endLine();
        if (event !== null) events.push(event);
      }
      addToLine(bytes.subarray(start));
      return events;
    },
    oversized: () => oversized,
  };
};
