/** A streamed answer is decided as the whole answer would be, however it is cut, and nothing that is blocked leaves. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Carrier, Inspection } from "../../src/dialect/carriers.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import type { Ask } from "../../src/guard/decide.ts";
import { type Decision, denies, type Edit, type ExchangeGuard, type StreamedCarrier } from "../../src/guard/guard.ts";
import { policySchema } from "../../src/guard/policy.ts";

const guardOf = (policies: Record<string, unknown>[], ask: Ask = async () => null): ExchangeGuard => {
  const guard = createGuard({
    policies: policies.map((policy, index) =>
      policySchema.parse({ id: `p${index}`, description: "a test", stage: "response", action: "block", ...policy }),
    ),
    personaOf: () => ({ persona: "aligned" }),
    ask,
    newId: () => "id",
  }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
  if (guard === null) throw new Error("no policy concerns the exchange");
  return guard;
};

const place: StreamedCarrier = { kind: "message", choice: 0, index: 0, tool: null };
const whole = (text: string): Inspection => {
  const carrier: Carrier = { ...place, role: "assistant", at: ["message 0 0"], text };
  return { carriers: text === "" ? [] : [carrier], coverage: "full", gaps: [] };
};
const now = (decision: Decision | Promise<Decision> | null): Decision => {
  if (decision instanceof Promise || decision === null) throw new Error("it should be decided by now");
  return decision;
};

const applied = (text: string, edits: readonly Edit[]): string => {
  let rest = text;
  for (const { start, end, replacement } of edits.toReversed())
    rest = rest.slice(0, start) + replacement + rest.slice(end);
  return rest;
};

/** Of so many pieces that come in one read, and so on in turn; the last read may hold the end as well. */
const oneByOne = [1];

/** Sends the pieces and gives what a client would have by then, read by read, and at the end. */
const streamed = (guard: ExchangeGuard, pieces: readonly string[], reads: readonly number[] = oneByOne) => {
  const stream = guard.stream(() => {});
  let text = "";
  let released = 0;
  const seen: number[] = [];
  let read = 0;
  let left = reads[0] ?? 1;
  for (const piece of pieces) {
    if (stream.decision !== null) break;
    stream.push(place, piece);
    text += piece;
    left -= 1;
    if (left > 0) continue;
    read += 1;
    left = reads[read % reads.length] ?? 1;
    stream.advance();
    const { to } = stream.released(place);
    if (stream.decision === null) {
      expect(to).toBeGreaterThanOrEqual(released);
      expect(to).toBeLessThanOrEqual(text.length);
      released = to;
    }
    seen.push(released);
  }
  if (stream.decision === null) {
    stream.close(place);
    stream.end([]);
  }
  const decision = now(stream.decision);
  return { decision, seen, released, release: stream.released(place), text };
};

/** Words, some of which are looked for, in all sorts of disguises; and what is no word at all. */
const words = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "Überraschung"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("bluebird", "BLUEBIRD", "red", "fox", "den", "code", "4711", "47", "11", "x"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "b l u e b i r d",
      "b.l.u.e.b.i.r.d",
      "blu\u200bebird",
      "bl\u00fcebird",
      "ｂｌｕｅｂｉｒｄ",
      "b1ueb1rd",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      btoa("say bluebird please now"),
      btoa("say it, and say bluebird once more").replace(/.{20}/g, "$&\n"),
      "62 6c 75 65 62 69 72 64",
      "62\n6c\n75\n65\n62\n69\n72\n64",
      "be, ad, fe, ed, 62, 6c, 75, 65, 62, 69, 72, 64",
      "%u0062luebird",
      "b — l — u — e — b — i — r — d",
      "b l u 3 b 1 r d",
      btoa("say blu3b1rd please now"),
      "б о м б а",

      "%62luebird",
      "626c756562697264",
      "&#98;luebird",
      "\\u0062luebird",
      "oyhroveq",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...["+44 20 7946 0958", "+1 (415) 555-2671 ext. 12", "+44 20", "7946 0958", "+1", "12 34", "+1 2 3 4"],
      ...["jane.doe@mail.example.com", "jane", "@example.com", "4111 1111 1111 1111", "4111 1111", "1111 1111 2"],
      ...["DE89 3704 0044 0532 0130 00", "DE89 3704", "0044 0532 0130 00", "8.8.8.8", "8.8", "943 476 5919"],
      ...["AKIAQ2Q2Q2Q2Q2Q2Q2Q2", `ghp_${"a1".repeat(18)}`, "postgres://u:pa55word@db", "-----BEGIN PRIVATE KEY-----"],
      ...[
        "-----END PRIVATE KEY-----",
        'password = "',
        'Tr0ub4dor&3x"',
        btoa("call +44 20 7946 0958 and AKIAQ2Q2Q2Q2Q2Q2Q2Q2"),
      ],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("秘密の計画", "\u{1f600}", "e\u0301", "a", "b", "c0de", "—", "\u200b\u200b\u200b"),
  },
);
const texts = fc.array(words, { maxLength: 40 }).chain((list) =>
  fc
    .array(fc.constantFrom(" ", " ", " ", " ", "\n", ". ", "", "-", "\t"), {
      minLength: list.length,
      maxLength: list.length,
    })
    .map((gaps) => list.map((word, index) => word + gaps[index]).join("")),
);
const cut = (text: string, sizes: readonly number[]): string[] => {
  const pieces: string[] = [];
  let at = 0;
  for (let index = 0; at < text.length; index += 1) {
    const size = sizes.length === 0 ? 1 : (sizes[index % sizes.length] ?? 1);
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
};
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 });

const matches: [string, Record<string, unknown>][] = [
  ["terms", { terms: ["bluebird", "red fox", "fox den", "秘密の計画", "x"] }],
  ["an expression", { regex: "code\\s[0-9]{2,4}\\b" }],
  ["any of several", { any: [{ terms: ["bluebird"] }, { regex: "(?i)red fox( den)?" }, { regex: "[0-9]{4}" }] }],
  ["a long expression", { any: [{ regex: "(?i)code.{0,200}\\bdog\\b" }, { regex: "fo[x]( |.){3,90}?4" }] }],
  ["an expression without an end", { regex: "(?s)code.*?dog" }],
  ["an expression without an end or a known beginning", { regex: "[a-z ]*4" }],
  ["personal data", { personalData: "all" }],
  ["secrets", { secrets: "all" }],
  ["an expression of the whole", { regex: "^the.*dog$" }],
  ["all of several", { all: [{ terms: ["fox"] }, { terms: ["dog"] }] }],
  ["what is not there", { not: { terms: ["dog"] } }],
];

const runs = 500;

describe.each(matches)("under a policy of %s", (_name, match) => {
  test("a stream that is blocked was blocked as a whole, and nothing of what matched has left", () => {
    const guard = guardOf([{ match }]);
    const redacting = match.not === undefined ? guardOf([{ match, action: "redact" }]) : null;
    fc.assert(
      fc.property(texts, sizes, sizes, (text, chunks, reads) => {
        const expected = now(guard.answer(whole(text)));
        const { decision, released, release } = streamed(guard, cut(text, chunks), reads);
        expect(decision.action).toBe(expected.action);
        if (!denies(decision.action)) {
          expect(release).toEqual({ to: text.length, edits: [] });
          return;
        }
        const [first] = redacting === null ? [] : now(redacting.answer(whole(text))).edits;
        expect(released).toBeLessThanOrEqual(first?.start ?? 0);
      }),
      { numRuns: runs, seed: 7 },
    );
  });

  test("a stream that is redacted reads as the redacted whole, at every moment", () => {
    if (match.not !== undefined) return;
    const guard = guardOf([{ match, action: "redact", replacement: "[R]" }]);
    fc.assert(
      fc.property(texts, sizes, sizes, (text, chunks, reads) => {
        const expected = now(guard.answer(whole(text)));
        const { decision, release } = streamed(guard, cut(text, chunks), reads);
        expect(decision.action).toBe(expected.action);
        expect(release.to).toBe(text.length);
        expect(applied(text, release.edits)).toBe(applied(text, expected.edits));
        expect(release.edits).toEqual(expected.edits.map((edit) => ({ ...edit, at: [] })));
      }),
      { numRuns: runs, seed: 8 },
    );
  });
});

test("a stream of thousands of telephone numbers is redacted as the whole is", async () => {
  const guard = guardOf([{ match: { personalData: ["phone"] }, action: "redact", replacement: "[R]" }]);
  const said = Array.from({ length: 2_000 }, (_, index) => `number +44 20 7946 ${1_000 + index} is next and then `);
  const stream = guard.stream(() => {});
  for (const piece of said) {
    stream.push(place, piece);
    stream.advance();
  }
  stream.end([]);
  await expect.poll(() => stream.decision).not.toBeNull();
  const { edits } = stream.released(place);
  expect(edits).toHaveLength(2_000);
  expect(edits).toEqual((await guard.answer(whole(said.join("")))).edits.map((edit) => ({ ...edit, at: [] })));
});

test("a stream leaves the same texts alone as the whole does", () => {
  const match = { any: [{ terms: ["bluebird", "red fox"] }, { personalData: ["email"] }] };
  const guard = guardOf([{ match, except: ["BLUE*", "jane.*@mail.example.com"], action: "redact" }]);
  fc.assert(
    fc.property(texts, sizes, (text, chunks) => {
      const { edits, action } = now(guard.answer(whole(text)));
      const { decision, release } = streamed(guard, cut(text, chunks));
      expect(decision.action).toBe(action);
      expect(release.edits).toEqual(edits.map((edit) => ({ ...edit, at: [] })));
    }),
    { numRuns: runs, seed: 9 },
  );
});

test("words leave while the answer is still coming", () => {
  const guard = guardOf([{ match: { terms: ["bluebird"] } }]);
  const text = "The quick brown fox jumps over the lazy dog, and then it does so once more. ".repeat(4);
  const { seen } = streamed(guard, cut(text, [4]));
  // What is kept back is about the longest term and two words.
  expect(text.length - (seen.at(-1) ?? 0)).toBeLessThan(90);
  expect(seen.findIndex((to) => to > 0) * 4).toBeLessThan(90);
});

test("an expression that may go on for ever holds nothing back before it has begun", () => {
  const guard = guardOf([{ match: { regex: "(?s)-----BEGIN KEY-----.*-----END KEY-----" }, action: "redact" }]);
  const before = "Here is the text of the letter that you asked for, word by word. ".repeat(4);
  const { seen, release } = streamed(guard, cut(`${before}-----BEGIN KEY-----abc${" and so on".repeat(9)}`, [5]));
  expect(Math.max(...seen)).toBeGreaterThan(before.length - 60);
  expect(Math.max(...seen)).toBeLessThanOrEqual(before.length);
  expect(release.edits).toEqual([]);
});

test("a policy that has to know the whole answer holds all of it", () => {
  const { seen } = streamed(guardOf([{ match: { not: { terms: ["bye"] } } }]), cut("all is well, bye ".repeat(9), [5]));
  expect(new Set(seen)).toEqual(new Set([0]));
});

test("what a model is asked about is held to the end and released when the answer came", async () => {
  let answer = (_harm: number): void => {};
  const ask: Ask = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const guard = guardOf([{ match: { score: { atLeast: 0.5 } } }], ask);
  let told = 0;
  const stream = guard.stream(() => {
    told += 1;
  });
  stream.push(place, "something");
  stream.end([]);
  expect([stream.decision, stream.released(place).to]).toEqual([null, 0]);
  answer(0.2);
  await expect.poll(() => stream.decision).toMatchObject({ action: "allow" });
  expect([told, stream.released(place).to]).toEqual([1, 9]);
});

test("a call of a tool that is not allowed stops the stream before any of its arguments leave", () => {
  const guard = guardOf([{ match: { tools: { only: ["search", "files.*"] } } }]);
  const call = (tool: string, index: number): StreamedCarrier => ({ kind: "tool-arguments", choice: 0, index, tool });
  const stream = guard.stream(() => {});
  stream.push(call("search", 0), '{"q":"a"}');
  stream.push(call("files.read", 1), "");
  stream.advance();
  expect(stream.decision).toBeNull();
  stream.push(call("delete_all", 2), "");
  stream.advance();
  expect(stream.decision).toMatchObject({ action: "block", policy: "p0" });
});

test("a long text in which nothing can be decided costs no more than its length", async () => {
  const guard = guardOf([{ match: { terms: ["bluebird"] } }]);
  const stream = guard.stream(() => {});
  const from = performance.now();
  for (let piece = 0; piece < 40_000; piece += 1) {
    stream.push(place, "QUJD\u200b");
    stream.advance();
  }
  stream.end([]);
  // A long text is looked through in turns.
  await expect.poll(() => stream.decision, { timeout: 8_000 }).not.toBeNull();
  // Quadratic work would take minutes.
  expect(performance.now() - from).toBeLessThan(10_000);
  expect(now(stream.decision).action).toBe("allow");
});

test("a long answer that is decided in turns lets nothing of what is denied out meanwhile", async () => {
  const guard = guardOf([{ match: { terms: ["bluebird"] } }]);
  const stream = guard.stream(() => {});
  const before = "quite ordinary words, one after the other. ".repeat(2_000);
  stream.push(place, before);
  stream.advance();
  stream.push(place, "the bluebird is here, and then some more words follow it.");
  stream.advance();
  expect(stream.decision).toBeNull();
  expect(stream.released(place).to).toBeLessThanOrEqual(before.length + 4);
  await expect.poll(() => stream.decision).toMatchObject({ action: "block" });
  expect(stream.released(place).to).toBe(0);
});

test("terms of which one begins within another are redacted to the end of both, wherever the stream is cut", () => {
  const guard = guardOf([
    { match: { terms: ["some odd words", "words follow here"] }, action: "redact", replacement: "[R]" },
  ]);
  const text =
    "an ordinary beginning some odd words follow here and then an ordinary end of it all, as long as may be needed for all of it to leave";
  const whole =
    "an ordinary beginning [R] and then an ordinary end of it all, as long as may be needed for all of it to leave";
  for (let size = 1; size < 12; size += 1) {
    const stream = guard.stream(() => {});
    for (let at = 0; at < text.length; at += size) {
      stream.push(place, text.slice(at, at + size));
      stream.advance();
    }
    stream.end([]);
    expect(applied(text, stream.released(place).edits)).toBe(whole);
  }
});
