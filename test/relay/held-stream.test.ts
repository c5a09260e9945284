/**
 * For any text and any way to send it (pieces, choices and calls, line ends, comments, data over many lines, bytes cut
 * anywhere) a held stream is decided as the whole answer is, and no byte of what is blocked is delivered.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspectAnswer } from "../../src/dialect/inspection.ts";
import { createStreamReading } from "../../src/dialect/streamed-texts.ts";
import { failedClosed } from "../../src/guard/failed-closed.ts";
import { type Decision, denies, type ExchangeGuard } from "../../src/guard/guard.ts";
import { blockedUnedited } from "../../src/relay/block-answer.ts";
import { createHeldStream } from "../../src/relay/held-stream.ts";
import { realGuard } from "./real-guard.ts";

/** One text of an answer: of a choice, or the arguments of its call. */
interface Said {
  choice: number;
  isCall: boolean;
  pieces: string[];
}

const paths = ["/chat/completions", "/completions", "/responses", "/messages"] as const;
type Path = (typeof paths)[number];

const textOf = ({ pieces }: Said): string => pieces.join("");

const call = (args: string) => ({ id: "t", type: "function", function: { name: "f", arguments: args } });

/** The same said as a whole. Only chat has many choices, and calls beside their text. */
const wholeOf = (path: Path, said: readonly Said[]): unknown => {
  const [only] = said;
  const text = only === undefined ? "" : textOf(only);
  if (path === "/completions") return { choices: [{ index: 0, text, finish_reason: "stop" }] };
  if (path === "/responses") return { output: [{ type: "message", content: [{ type: "output_text", text }] }] };
  if (path === "/messages") return { role: "assistant", content: [{ type: "text", text }], stop_reason: "end_turn" };
  const choices = [0, 1].map((index) => {
    const own = said.filter(({ choice }) => choice === index);
    const content = own.filter(({ isCall }) => !isCall).map(textOf);
    const calls = own.filter(({ isCall }) => isCall).map((one) => call(textOf(one)));
    return { index, message: { role: "assistant", content: content[0] ?? null, tool_calls: calls } };
  });
  return { choices };
};

const eventsOf = (path: Path, said: readonly Said[]): unknown[] => {
  const [only] = said;
  const pieces = only?.pieces ?? [];
  const at = { item_id: "i", output_index: 0, content_index: 0 };
  if (path === "/completions") return pieces.map((text) => ({ choices: [{ index: 0, text, finish_reason: null }] }));
  if (path === "/responses") {
    const text = pieces.join("");
    return [
      { type: "response.created", response: { id: "r", output: [] } },
      ...pieces.map((delta) => ({ type: "response.output_text.delta", ...at, delta })),
      { type: "response.output_text.done", ...at, text },
      { type: "response.completed", response: wholeOf(path, said) },
    ];
  }
  if (path === "/messages") {
    return [
      { type: "message_start", message: { id: "m", content: [] } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      ...pieces.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
      { type: "content_block_stop", index: 0 },
      { type: "message_stop" },
    ];
  }
  // Texts come side by side, a piece of each in turn.
  const longest = Math.max(0, ...said.map((one) => one.pieces.length));
  return Array.from({ length: longest }, (_, turn) =>
    said.flatMap(({ choice: index, isCall, pieces: own }) => {
      const piece = own[turn];
      if (piece === undefined) return [];
      const opening = turn === 0 ? { id: `t${index}`, type: "function" } : {};
      const made = { ...opening, index: 0, function: { ...(turn === 0 ? { name: "f" } : {}), arguments: piece } };
      return [
        { choices: [{ index, delta: isCall ? { tool_calls: [made] } : { content: piece }, finish_reason: null }] },
      ];
    }),
  ).flat();
};

/** How an event is written. */
interface Writing {
  end: string;
  /** A comment, an id, a name of the event before its data. */
  before: string[];
  /** Over many lines of data. */
  spread: boolean;
}

const written = (event: unknown, { end, before, spread }: Writing): string => {
  const data = JSON.stringify(event, null, spread ? 1 : undefined).split("\n");
  return [...before, ...data.map((line) => `data: ${line}`), "", ""].join(end);
};

/** What a client reads of these bytes: what was said, by choice and kind. Reads as the specification says. */
const readBack = (path: Path, bytes: Buffer): Map<string, string> => {
  const texts = new Map<string, string>();
  const add = (key: string, text: string) => texts.set(key, (texts.get(key) ?? "") + text);
  for (const block of bytes.toString("utf8").split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = block
      .split(/\r\n|\n|\r/)
      .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).replace(/^ /, "")] : []))
      .join("\n");
    if (data === "" || data === "[DONE]") continue;
    const event = JSON.parse(data);
    if (path === "/responses" && event.type === "response.output_text.delta") add("0 text", event.delta);
    if (path === "/messages" && event.type === "content_block_delta") add("0 text", event.delta.text);
    for (const { index, text, delta } of event.choices ?? []) {
      if (typeof text === "string") add(`${index} text`, text);
      if (typeof delta?.content === "string") add(`${index} text`, delta.content);
      for (const { function: made } of delta?.tool_calls ?? []) add(`${index} call`, made.arguments);
    }
  }
  return texts;
};

const guardOf = (action: string): ExchangeGuard => {
  const match = { any: [{ terms: ["bluebird", "red fox"] }, { personalData: ["email", "phone"] }] };
  const guard = realGuard([{ stage: "response", match, action, replacement: "[R]" }]);
  const begun = guard.begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
  if (begun === null) throw new Error("no policy concerns the exchange");
  return begun;
};

/** One for all, so that what was learnt of one stream is there when the next one comes. */
const reading = createStreamReading();

/** Sends the bytes, cut at these places, through a held stream. */
const through = (path: Path, guard: ExchangeGuard, bytes: Buffer, cuts: readonly number[]) => {
  const delivered: Buffer[] = [];
  let outcome: { kind: "blocked" | "finished"; decision: Decision | null } | null = null;
  const stream = createHeldStream({
    texts: reading(path) ?? expect.fail("it has no streams"),
    guard: (progress) => guard.stream(progress),
    maxBytes: 1024 * 1024,
    unedited: (decision) => blockedUnedited("x", "response", decision),
    failed: () => failedClosed("x", "response"),
    deliver(some) {
      delivered.push(Buffer.from(some));
    },
    delivered() {},
    wantsMore() {},
    blocked(decision) {
      outcome = { kind: "blocked", decision };
    },
    finished(decision) {
      outcome = { kind: "finished", decision };
    },
  });
  const edges = [0, ...new Set([...cuts].sort((one, other) => one - other)), bytes.length];
  for (const [index, edge] of edges.slice(1).entries()) stream.push(bytes.subarray(edges[index], edge));
  stream.end();
  const ended = outcome as { kind: "blocked" | "finished"; decision: Decision | null } | null;
  if (ended?.decision == null) throw new Error("it should be decided by now");
  return { bytes: Buffer.concat(delivered), kind: ended.kind, decision: ended.decision };
};

const word = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("the", "quick", "brown", "fox", "sagt", "Grüße", "🎈", "\\n", '"', "red") },
  { weight: 1, arbitrary: fc.constantFrom("bluebird", "red fox", "b l u e b i r d", "blu\u200bebird") },
  { weight: 1, arbitrary: fc.constantFrom("jane@example.com", "+44 20 7946 0958", "\n\n", "\r\n", "data: x") },
);
const pieces = fc
  .tuple(fc.array(word, { maxLength: 24 }), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }))
  .map(([words, sizes]) => {
    const letters = [...words.join(" ")];
    const cut: string[] = [];
    for (let turn = 0; letters.length > 0; turn += 1) cut.push(letters.splice(0, sizes[turn % sizes.length]).join(""));
    return cut;
  });
const side = (choice: number, isCall: boolean) => pieces.map((own): Said => ({ choice, isCall, pieces: own }));
const saidIn = (path: Path): fc.Arbitrary<Said[]> => {
  if (path !== "/chat/completions") return fc.tuple(side(0, false));
  const more = fc.oneof(fc.constant([]), fc.tuple(side(1, false)), fc.tuple(side(0, true), side(1, false)));
  return fc.tuple(side(0, false), more).map(([first, others]) => [first, ...others]);
};
const writing: fc.Arbitrary<Writing> = fc.record({
  end: fc.constantFrom("\n", "\r\n", "\r"),
  before: fc.subarray([": still here", ":", "event: message", "id: 7", "retry: 10", "unknown: field"]),
  spread: fc.boolean(),
});
/** Now and then every byte by itself. */
const cutting = fc.oneof(
  { weight: 5, arbitrary: fc.array(fc.nat(6_000), { maxLength: 30 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const sent = (path: Path, said: readonly Said[], ways: readonly Writing[]): Buffer => {
  const plain: Writing = { end: "\n", before: [], spread: false };
  const events = eventsOf(path, said).map((event, index) => written(event, ways[index % ways.length] ?? plain));
  return Buffer.from(`${events.join("")}data: [DONE]\n\n`);
};
const places = (bytes: Buffer, cuts: readonly number[] | null): number[] =>
  cuts === null ? [...bytes.keys()].slice(1) : cuts.filter((cut) => cut > 0 && cut < bytes.length);

const keyOf = ({ choice, isCall }: Said): string => `${choice} ${isCall ? "call" : "text"}`;
const decidedNow = (decision: Decision | Promise<Decision>): Decision => {
  if (decision instanceof Promise) throw new Error("it should be decided by now");
  return decision;
};
const wholly = (guard: ExchangeGuard, path: Path, said: readonly Said[]): Decision =>
  decidedNow(guard.answer(inspectAnswer(path, Buffer.from(JSON.stringify(wholeOf(path, said))))));

const runs = 1_000;

describe.each(paths)("a held stream of %s", (path) => {
  const blocking = guardOf("block");
  const redacting = guardOf("redact");
  /** What is left of a text that is redacted as a whole. */
  const redacted = (one: Said): string => {
    const { edits } = wholly(redacting, "/completions", [{ ...one, choice: 0, isCall: false }]);
    return edits
      .toReversed()
      .reduce((text, { start, end }) => `${text.slice(0, start)}[R]${text.slice(end)}`, textOf(one));
  };
  const firstHit = (one: Said): number =>
    wholly(redacting, "/completions", [{ ...one, choice: 0, isCall: false }]).edits[0]?.start ?? textOf(one).length;

  test("is denied where the whole answer is, and nothing of what is denied is delivered", () => {
    let denied = 0;
    fc.assert(
      fc.property(saidIn(path), fc.array(writing, { minLength: 1, maxLength: 5 }), cutting, (said, ways, cuts) => {
        const expected = wholly(blocking, path, said);
        const bytes = sent(path, said, ways);
        const got = through(path, blocking, bytes, places(bytes, cuts));
        expect(got.decision.action).toBe(expected.action);
        if (!denies(expected.action)) {
          expect(got.kind).toBe("finished");
          expect(got.bytes.equals(bytes)).toBe(true);
          return;
        }
        denied += 1;
        expect(got.kind).toBe("blocked");
        expect(bytes.subarray(0, got.bytes.length).equals(got.bytes)).toBe(true);
        const read = readBack(path, got.bytes);
        for (const one of said) expect((read.get(keyOf(one)) ?? "").length).toBeLessThanOrEqual(firstHit(one));
      }),
      { numRuns: runs, seed: 3 },
    );
    expect(denied).toBeGreaterThan(runs / 10);
    expect(denied).toBeLessThan(runs * 0.95);
  });

  test("is redacted as the whole answer is", () => {
    let edited = 0;
    fc.assert(
      fc.property(saidIn(path), fc.array(writing, { minLength: 1, maxLength: 5 }), cutting, (said, ways, cuts) => {
        const bytes = sent(path, said, ways);
        const got = through(path, redacting, bytes, places(bytes, cuts));
        const expected = said.map((one) => [keyOf(one), redacted(one)]);
        expect(got.decision.action).toBe(wholly(redacting, path, said).action);
        expect(got.kind).toBe("finished");
        if (got.decision.action === "redact") edited += 1;
        const read = readBack(path, got.bytes);
        expect(said.map((one) => [keyOf(one), read.get(keyOf(one)) ?? ""])).toEqual(expected);
      }),
      { numRuns: runs, seed: 4 },
    );
    expect(edited).toBeGreaterThan(runs / 10);
  });
});

test("a stream that is blocked tells the last event that was delivered, of those that came together as well", () => {
  const guard = guardOf("block");
  const told: Record<string, unknown>[] = [];
  let over = false;
  const delivered: Buffer[] = [];
  const stream = createHeldStream({
    texts: createStreamReading()("/chat/completions") ?? expect.fail("it has no streams"),
    guard: (progress) => guard.stream(progress),
    maxBytes: 1024 * 1024,
    unedited: (decision) => blockedUnedited("x", "response", decision),
    failed: () => failedClosed("x", "response"),
    deliver: (bytes) => void delivered.push(bytes),
    delivered: (event) => void told.push(event),
    wantsMore() {},
    blocked() {
      over = true;
    },
    finished: () => expect.fail("it should be blocked"),
  });
  const event = (nth: number, content: string) =>
    `data: ${JSON.stringify({ id: `c-${nth}`, created: nth, choices: [{ index: 0, delta: { content } }] })}\n\n`;
  const words = (from: number): string =>
    Array.from({ length: 40 }, (_, index) => event(from + index, "ordinary words ")).join("");
  stream.push(Buffer.from(words(0)));
  stream.push(Buffer.from(words(40)));
  expect(told.length).toBeLessThanOrEqual(1);
  stream.push(Buffer.from(event(80, "a bluebird sings ") + words(81)));
  expect(over).toBe(true);
  const last = Buffer.concat(delivered).toString().trim().split("\n\n").at(-1)?.slice("data: ".length);
  expect(told.at(-1)).toEqual(JSON.parse(last ?? ""));
  expect(told.at(-1)?.id).not.toBe("c-0");
});
