import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSseReader, type SseEvent } from "../../src/dialect/sse.ts";

const read = (chunks: Uint8Array[], maxEventBytes?: number): { events: SseEvent[]; oversized: number } => {
  const reader = createSseReader(maxEventBytes);
  const events = chunks.flatMap((chunk) => reader.push(chunk));
  return { events, oversized: reader.oversized() };
};

const readText = (text: string, maxEventBytes?: number) => read([Buffer.from(text)], maxEventBytes).events;

const message = (data: string, event = "message"): SseEvent => ({ event, data });

/** Cuts bytes at the given places, in any order, also into empty chunks. */
const cut = (bytes: Buffer, places: number[]): Buffer[] => {
  const ends = [...places.map((place) => Math.min(place, bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
};

describe("an event stream", () => {
  test.each<[string, string, SseEvent[]]>([
    ["lines ended by LF", "data: a\n\ndata: b\n\n", [message("a"), message("b")]],
    ["lines ended by CR", "data: a\r\rdata: b\r\r", [message("a"), message("b")]],
    ["lines ended by CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", [message("a"), message("b")]],
    ["mixed line ends", "data: a\r\ndata: b\r\n\ndata: c\r\r\n", [message("a\nb"), message("c")]],
    ["a byte order mark at the start", "\ufeffdata: a\n\n", [message("a")]],
    ["a byte order mark later is part of a field's name", "data: a\n\n\ufeffdata: b\n\n", [message("a")]],
    ["comments", ": keep-alive\n\ndata: a\n:\n\n", [message("a")]],
    ["data of several lines", "data: a\ndata\ndata: b\n\n", [message("a\n\nb")]],
    ["one space after the colon belongs to the syntax", "data:a\n\ndata:  b\n\n", [message("a"), message(" b")]],
    ["event names", "event: error\ndata: a\n\ndata: b\n\n", [message("a", "error"), message("b")]],
    ["an event without data is none", "event: ping\n\ndata: a\n\n", [message("a")]],
    ["empty data is data", "data:\n\n", [message("")]],
    ["unknown fields", "id: 1\nretry: 2\nxdata: 3\ndata: a\n\n", [message("a")]],
    ["an event that is not closed is not given", "data: a\n\ndata: b\n", [message("a")]],
    ["nothing", "", []],
  ])("reads %s", (_, text, events) => {
    expect(readText(text)).toEqual(events);
  });

  const piece = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom("data: ", "data:", "event: x", ": c", "\n", "\r", "\r\n", "\n\n", "\ufeff"),
    },
    { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 6 }) },
  );
  const bytes = fc.oneof(
    fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join(""))),
    fc.uint8Array({ maxLength: 80 }).map((raw) => Buffer.from(raw)),
  );

  test("says the same for every chunking, also where characters are cut or events are too large", () => {
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.nat(120), { maxLength: 20 }),
        fc.constantFrom(8, 20, 1000),
        (whole, places, cap) => {
          expect(read(cut(whole, places), cap)).toEqual(read([whole], cap));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("comes out as it was put in", () => {
    const line = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ""));
    const ends = fc.constantFrom("\n", "\r", "\r\n");
    fc.assert(
      fc.property(fc.array(fc.array(line, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), ends, (events, end) => {
        const text = events.map((lines) => `${lines.map((one) => `data: ${one}${end}`).join("")}${end}`).join("");
        expect(readText(text)).toEqual(events.map((lines) => message(lines.join("\n"))));
      }),
    );
  });
});

describe("an event beyond the cap", () => {
  test("is passed over and counted, and the next one is read", () => {
    const { events, oversized } = read([Buffer.from(`data: ${"x".repeat(50)}\n\ndata: a\n\n`)], 20);
    expect(events).toEqual([message("a")]);
    expect(oversized).toBe(1);
  });

  test("is passed over to its end, not only to the end of the line that was too long", () => {
    expect(readText(`data: ${"x".repeat(50)}\ndata: b\n\ndata: a\n\n`, 20)).toEqual([message("a")]);
  });

  test("is measured over all its lines, in bytes", () => {
    expect(readText("data: aaaa\ndata: bbbb\n\n", 20)).toEqual([message("aaaa\nbbbb")]);
    expect(readText("data: aaaa\ndata: bbbbb\n\n", 20)).toEqual([]);
    expect(readText("data: éééééééé\n\n", 20)).toEqual([]);
  });

  test("is not what many small comments make", () => {
    expect(readText(`${": ping\n".repeat(100)}data: a\n\n`, 20)).toEqual([message("a")]);
  });

  test("is 256 KiB unless told", () => {
    const data = "x".repeat(256 * 1024 - "data: ".length);
    expect(readText(`data: ${data}\n\n`)).toHaveLength(1);
    expect(readText(`data: ${data}x\n\n`)).toHaveLength(0);
  });
});
