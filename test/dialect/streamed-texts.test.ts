import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSseFrames, type SseFrame, withData } from "../../src/dialect/sse-frames.ts";
import {
  createStreamReading,
  eventIn,
  type StreamedEvent,
  type StreamedTexts,
  type StreamReading,
} from "../../src/dialect/streamed-texts.ts";

const textsOf = (path: string, reading = createStreamReading()): StreamedTexts => {
  const texts = reading(path);
  if (texts === null) throw new Error("no such dialect");
  return texts;
};

const readAll = (path: string, events: readonly unknown[]): StreamedEvent[] => {
  const texts = textsOf(path);
  return events.map((event) => {
    const data = typeof event === "string" ? event : JSON.stringify(event);
    return texts.read(data, { raw: Buffer.from(`data: ${data}\n\n`) });
  });
};

/** The bytes cut at these places, in their order. */
const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, place) => bytes.subarray(edges[place], end));
};

const framesOf = (chunks: readonly Buffer[]): SseFrame[] => {
  const found: SseFrame[] = [];
  const frames = createSseFrames({ frame: (frame) => void found.push(frame) });
  for (const chunk of chunks) frames.push(chunk);
  frames.end();
  return found;
};

/** Every text of a stream as put together from what was new in each event. */
const assembled = (events: readonly StreamedEvent[]): Record<string, string> => {
  const texts: Record<string, string> = {};
  for (const { place, fresh, start, end, carrier } of events.flatMap(({ pieces }) => pieces)) {
    const key = `${place.kind} ${place.choice}.${place.index}${place.tool === null ? "" : ` ${place.tool}`}`;
    texts[key] = (texts[key] ?? "") + fresh;
    expect(texts[key]?.slice(start, end)).toBe(carrier.text);
  }
  return texts;
};

const chunk = (index: number, delta: unknown, finish: string | null = null) => ({
  id: "c",
  choices: [{ index, delta, finish_reason: finish }],
});

describe("the texts of a stream", () => {
  test("are put together by choice, kind and index of the call", () => {
    const events = readAll("/chat/completions", [
      chunk(0, { role: "assistant", content: "" }),
      chunk(0, { content: "Hel" }),
      chunk(1, { content: "Sa" }),
      chunk(0, { content: "lo", reasoning_content: "hm" }),
      chunk(1, { content: "lut", refusal: "no" }),
      chunk(0, { tool_calls: [{ index: 1, id: "b", function: { name: "g", arguments: "" } }] }),
      chunk(0, { tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: '{"x' } }] }),
      chunk(0, {
        tool_calls: [
          { index: 1, function: { arguments: "{}" } },
          { index: 0, function: { arguments: '":1}' } },
        ],
      }),
      chunk(0, {}, "stop"),
      "[DONE]",
    ]);
    expect(assembled(events)).toMatchObject({
      "message 0.0": "Hello",
      "message 1.0": "Salut",
      "reasoning 0.0": "hm",
      "refusal 1.0": "no",
      // Numbered as they appear: the second call came first, without arguments yet.
      "tool-arguments 0.0 g": "{}",
      "tool-arguments 0.1 f": '{"x":1}',
    });
    expect(events.at(-2)?.closed.map(({ kind, choice }) => `${kind} ${choice}`)).toContain("message 0");
    expect(events.at(-2)?.closed.some(({ choice }) => choice === 1)).toBe(false);
    expect(events.at(-1)?.isEnd).toBe(true);
  });

  test("of calls without an index open with each id", () => {
    const call = (id: string | undefined, args: string) =>
      chunk(0, { tool_calls: [{ id, function: { arguments: args } }] });
    const events = readAll("/chat/completions", [call("a", "1"), call(undefined, "2"), call("b", "3")]);
    expect(assembled(events)).toEqual({ "tool-arguments 0.0": "12", "tool-arguments 0.1": "3" });
  });

  test("of completions are each choice's text and tokens", () => {
    const events = readAll("/completions", [
      { choices: [{ index: 0, text: "a", logprobs: { tokens: ["a"] } }] },
      { choices: [{ index: 0, text: "b", logprobs: { tokens: ["b"] }, finish_reason: "stop" }] },
    ]);
    expect(assembled(events)).toEqual({ "message 0.0": "ab", "logprobs 0.0": "ab" });
  });

  test("of responses are not added to by the events that repeat them", () => {
    const at = { item_id: "i", output_index: 0, content_index: 0 };
    const part = { type: "output_text", text: "Hello", annotations: [] };
    const item = { type: "message", id: "i", role: "assistant", status: "completed", content: [part] };
    const call = { type: "function_call", id: "j", call_id: "k", name: "f", arguments: '{"a":1}' };
    const events = readAll("/responses", [
      { type: "response.created", response: { id: "r", instructions: "be kind", output: [] } },
      { type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
      { type: "response.content_part.added", ...at, part: { ...part, text: "" } },
      { type: "response.output_text.delta", ...at, delta: "Hel", obfuscation: "x8" },
      { type: "response.output_text.delta", ...at, delta: "lo" },
      { type: "response.output_text.done", ...at, text: "Hello" },
      { type: "response.content_part.done", ...at, part },
      { type: "response.output_item.done", output_index: 0, item },
      { type: "response.output_item.added", output_index: 1, item: { ...call, arguments: "" } },
      { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"a"' },
      { type: "response.function_call_arguments.done", output_index: 1, arguments: '{"a":1}' },
      { type: "response.output_item.done", output_index: 1, item: call },
      { type: "response.completed", response: { id: "r", output: [item, call] } },
    ]);
    expect(assembled(events)).toMatchObject({ "message 0.0": "Hello", "tool-arguments 0.0 f": '{"a":1}' });
    expect(events.flatMap(({ gaps }) => gaps)).toEqual([]);
    expect(events[5]?.closed).toHaveLength(1);
    expect(events[12]?.pieces.map(({ fresh }) => fresh).join("")).toBe("");
  });

  test("of responses that are repeated otherwise than streamed are texts of their own", () => {
    const at = { output_index: 0, content_index: 0 };
    const events = readAll("/responses", [
      { type: "response.output_text.delta", ...at, delta: "mild" },
      { type: "response.output_text.done", ...at, text: "wild" },
    ]);
    expect(assembled(events)).toEqual({ "message 0.0": "mild", "message 0.1": "wild" });
  });

  test("of messages are their blocks", () => {
    const events = readAll("/messages", [
      { type: "message_start", message: { id: "m", role: "assistant", content: [], usage: {} } },
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
      { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "x y" } },
      { type: "content_block_stop", index: 0 },
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "He" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "llo" } },
      { type: "content_block_stop", index: 1 },
      { type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "t", name: "f", input: {} } },
      { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"a":' } },
      { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "1}" } },
      { type: "content_block_stop", index: 2 },
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: {} },
      { type: "message_stop" },
    ]);
    expect(assembled(events)).toMatchObject({
      "reasoning 0.0": "hm",
      "message 0.0": "Hello",
      "tool-arguments 0.0 f": '{"a":1}',
    });
    expect(events[4]?.closed.map(({ kind }) => kind)).toEqual(["reasoning"]);
  });

  test.each([
    ["data that is no JSON object", "<html>"],
    ["a field given twice", '{"choices":[],"choices":[]}'],
  ])("have a gap for %s", (_name, data) => {
    expect(readAll("/chat/completions", [data])[0]?.gaps).toEqual(["unreadable-body"]);
  });
});

const line = fc.constantFrom("data: a", "data:b", "data", ": comment", "event: x", "id: 1", "data: ünï 🎈", "retry: 1");
const frame = fc.tuple(fc.array(line, { maxLength: 4 }), fc.constantFrom("\n", "\r\n", "\r"));

describe("frames", () => {
  test("are the stream, byte for byte, and the same data, whatever the chunking", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(80), { maxLength: 12 }), (frames, cuts) => {
        const text = frames.map(([lines, end]) => [...lines, ""].join(end) + end).join("");
        const bytes = Buffer.from(text);
        const cut = (places: readonly number[]) => framesOf(cutAt(bytes, places));
        const whole = cut([]);
        const cutUp = cut(cuts);
        expect(Buffer.concat(cutUp.map(({ raw }) => raw))).toEqual(bytes);
        const dataOf = (found: typeof whole) => found.flatMap(({ data }) => data ?? []);
        expect(dataOf(cutUp)).toEqual(dataOf(whole));
        expect(dataOf(cut([...bytes.keys()]))).toEqual(dataOf(whole));
      }),
      { numRuns: 500, seed: 12 },
    );
  });

  test("take other data in place of all theirs and keep every other line", () => {
    const [first] = framesOf([Buffer.from(": hi\r\nevent: e\r\ndata: {\r\ndata: }\r\nid: 7\r\n\r\n")]);
    if (first === undefined) throw new Error("no frame");
    expect(first.data).toBe("{\n}");
    expect(withData(first, '{"a":1}').toString()).toBe(': hi\r\nevent: e\r\ndata: {"a":1}\r\nid: 7\r\n\r\n');
  });
});

describe("an event that is read as the one before it was", () => {
  const said = fc
    .array(fc.constantFrom("a", "hi", '"', "\\", "\n", "\u007f", "é", '","x":"', '"}', "?", "\ud83d\ude00"), {
      maxLength: 4,
    })
    .map((parts) => parts.join(""));
  /** Some letters written as escapes. */
  const written = fc
    .tuple(said, fc.boolean())
    .map(([text, escapes]) => (escapes ? JSON.stringify(text).replaceAll("h", "\\u0068") : JSON.stringify(text)));
  const raw = fc.constantFrom(
    '"',
    "\\",
    "a",
    'a","content":"b',
    "\\u00",
    '\\"',
    "\t",
    'x"},"finish_reason":"stop","y":{"z":"',
  );
  const event = fc.oneof(
    {
      weight: 40,
      arbitrary: written.map(
        (text) => `{"id":"c","choices":[{"index":0,"delta":{"content":${text}},"finish_reason":null}]}`,
      ),
    },
    {
      weight: 2,
      arbitrary: raw.map(
        (text) => `{"id":"c","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}`,
      ),
    },
    written.chain((twin) =>
      written.map((text) => `{"usage":{"content":${twin}},"choices":[{"index":0,"delta":{"content":${text}}}]}`),
    ),
    written.chain((twin) => written.map((text) => `{"choices":[{"delta":{"content":${text}},"content":${twin}}]}`)),
    written.map((text) => `{"choices":[{"delta":{"content":"hi","content":${text}}}]}`),
    written.map((text) => `{"choices":[{"index":0,"message":{"content":${text}}}]}`),
    written.map((text) => `{"choices":[{"index":1,"delta":{"content":${text}}}]}`),
    written.map(
      (text) => `{"choices":[{"index":0,"delta":{"content":${text},"tool_calls":[{"function":{"arguments":"{"}}]}}]}`,
    ),
    fc.constantFrom('{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', "{}", "[]", "{"),
  );

  /** Every event of a stream with its bytes: as many as can be are read at once where there is a reading for that. */
  const readThrough = (path: string, chunks: readonly Buffer[], inRuns: StreamReading | null) => {
    const texts = textsOf(path, inRuns ?? undefined);
    const told: unknown[] = [];
    const tell = (frame: SseFrame, event: StreamedEvent) =>
      void told.push({ raw: frame.raw.toString("latin1"), event });
    let inRun = 0;
    const frames = createSseFrames({
      frame(frame) {
        if (frame.data !== null) tell(frame, texts.read(frame.data, frame));
      },
      run(bytes, start) {
        const run = inRuns === null ? null : texts.readRun(bytes, start);
        if (run === null) return start;
        const events = run.byteEnds.map((_end, index) => eventIn(run, index));
        expect(events.map(({ event }) => event.pieces[0]?.fresh ?? "").join("")).toBe(run.text);
        expect(Buffer.concat(events.map(({ frame }) => frame.raw)).equals(run.bytes)).toBe(true);
        for (const { frame, event } of events) tell(frame, event);
        inRun += events.length;
        return start + run.bytes.length;
      },
    });
    for (const chunk of chunks) frames.push(chunk);
    frames.end();
    return { told, inRun };
  };

  test("says what it says by itself", () => {
    const reading = createStreamReading();
    let inRuns = 0;
    fc.assert(
      fc.property(
        fc.constantFrom("/chat/completions", "/completions"),
        fc.array(event, { maxLength: 16 }),
        fc.constantFrom("data: ", "data: ", "data:", "data:  ", "event: x\ndata: ", ": {}\ndata: "),
        fc.constantFrom("\n\n", "\n\n", "\r\n\r\n", "\r\n\r\n", "\r\r", "\n", "\n\ndata: {}\n\n"),
        fc.array(fc.nat(1_000), { maxLength: 3 }),
        (path, events, opening, closing, cuts) => {
          const bytes = Buffer.from(events.map((data) => opening + data + closing).join(""));
          const { told, inRun } = readThrough(path, cutAt(bytes, cuts), reading);
          expect(told).toEqual(readThrough(path, cutAt(bytes, cuts), null).told);
          inRuns += inRun;
        },
      ),
      { numRuns: 5_000, seed: 7 },
    );
    expect(inRuns).toBeGreaterThan(2_000);
  });

  /** Mostly as it usually is. */
  const usually = (usual: fc.Arbitrary<unknown>, ...odd: unknown[]) =>
    fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
  const names = fc.constantFrom("a", "chatcmpl-9", "");
  const id = usually(names, "two words", 'x","id":"y', "é", "\\u0061", "x".repeat(81), 7, null, ["x y"]);
  const count = usually(fc.nat(), -1, 0.5, 1e21, null, "1", "x y", [], [1], ["x"], { id: "x" }, { id: "x y" });
  const text = fc.string({ unit: "binary", maxLength: 6 });
  /** As each API's are, with whatever may differ between two of them. */
  const real: Record<string, fc.Arbitrary<unknown>> = {
    "/chat/completions": fc.record({
      id,
      created: count,
      model: fc.constantFrom("m", "n"),
      system_fingerprint: id,
      choices: fc.tuple(
        fc.record({ index: fc.nat(1), delta: fc.record({ content: text }), finish_reason: fc.constant(null) }),
      ),
      obfuscation: id,
    }),
    "/responses": fc.record({
      type: fc.constantFrom("response.output_text.delta", "response.refusal.delta", "response.reasoning_text.delta"),
      item_id: id,
      output_index: fc.nat(1),
      delta: text,
      sequence_number: count,
      obfuscation: id,
    }),
    "/messages": fc.record({
      type: fc.constant("content_block_delta"),
      index: fc.nat(1),
      delta: fc.oneof(
        fc.record({ type: fc.constant("text_delta"), text }),
        fc.record({ type: fc.constant("thinking_delta"), thinking: text }),
      ),
    }),
  };

  test.each(Object.entries(real))(
    "%s: is read with others, of other streams too, only where it says the same",
    (path, said) => {
      const reading = createStreamReading();
      let inRuns = 0;
      fc.assert(
        fc.property(fc.array(said, { maxLength: 24 }), (events) => {
          const written = events.map((one) => `event: ${path.slice(1, 4)}\ndata: ${JSON.stringify(one)}\n\n`);
          const bytes = Buffer.from(written.join(""));
          const { told, inRun } = readThrough(path, [bytes], reading);
          expect(told).toEqual(readThrough(path, [bytes], null).told);
          inRuns += inRun;
        }),
        { numRuns: 1_500, seed: 11 },
      );
      expect(inRuns).toBeGreaterThan(2_000);
    },
  );

  test("is one of many that are read at once, whatever letters their texts have and whatever their ids are", () => {
    const reading = createStreamReading();
    const letters = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
    const written = (texts: readonly string[], nth: number) =>
      texts
        .map((said) => ({
          ...chunk(0, { content: said }),
          id: `c-${nth}`,
          created: nth,
          obfuscation: `o${said.length}`,
        }))
        .map((one) => `data: ${JSON.stringify(one)}\n\n`)
        .join("");
    readThrough("/chat/completions", [Buffer.from(written(["first"], 0))], reading);
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 12 }), fc.nat(), (texts, nth) => {
        const bytes = Buffer.from(written(texts, nth));
        const { told, inRun } = readThrough("/chat/completions", [bytes], reading);
        expect(told).toEqual(readThrough("/chat/completions", [bytes], null).told);
        expect(inRun).toBe(texts.length);
      }),
      { numRuns: 500, seed: 12 },
    );
  });

  test("may be of bytes that are no UTF-8", () => {
    const bytes = Buffer.concat(
      ["first", "\xe2\x82", "\xac", "\xff\xe9", "\x80"].map((letters) =>
        Buffer.from(`data: {"choices":[{"index":0,"delta":{"content":"${letters}"}}]}\n\n`, "latin1"),
      ),
    );
    const { told, inRun } = readThrough("/chat/completions", [bytes], createStreamReading());
    expect(told).toEqual(readThrough("/chat/completions", [bytes], null).told);
    expect(inRun).toBe(4);
  });
});

describe("frames of one line", () => {
  test("are what they are when they come byte by byte", () => {
    const line = fc.constantFrom("data: a", "data:b", "data", "event: x", ": c", "data: é", "");
    const end = fc.constantFrom("\n", "\n", "\n\n", "\n\n", "\r", "\r\n", "\r\n\r\n");
    fc.assert(
      fc.property(fc.constantFrom("", "\ufeff"), fc.array(fc.tuple(line, end), { maxLength: 12 }), (mark, lines) => {
        const bytes = Buffer.from(mark + lines.flat().join(""));
        const read = (chunks: readonly Buffer[]) => {
          const all = framesOf(chunks);
          expect(Buffer.concat(all.map(({ raw }) => raw)).equals(bytes)).toBe(true);
          return all.flatMap(({ data }) => data ?? []);
        };
        expect(read([bytes])).toEqual(read([...bytes].map((byte) => Buffer.of(byte))));
      }),
      { numRuns: 2_000 },
    );
  });
});
