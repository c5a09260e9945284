import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readModel } from "../../src/relay/request-model.ts";

const read = (text: string) => readModel(Buffer.from(text));

/** What the platform's own parser makes of the same bytes. It can't tell a field that is there twice. */
const parsed = (body: Buffer) => {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return { kind: "not-an-object" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { kind: "not-an-object" };
  const model = Object.hasOwn(value, "model") ? (value as { model: unknown }).model : null;
  return { kind: "object", model: typeof model === "string" ? model : null };
};

const spaces = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const key = fc.oneof(
  fc.constantFrom("model", "messages", "", "models", "mode", "__proto__"),
  fc.string({ unit: "binary" }),
);
/** As JSON, with some letters escaped that need not be. */
const asString = (text: string, escapeAll: boolean): string =>
  escapeAll
    ? `"${[...text]
        .flatMap((letter) => letter.split(""))
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join("")}"`
    : JSON.stringify(text);
const member = fc
  .tuple(key, fc.boolean(), fc.json({ maxDepth: 3, stringUnit: "binary" }), spaces, spaces)
  .map(([name, escaped, value, before, after]) => ({
    name,
    text: `${before}${asString(name, escaped)}${after}:${before}${value}${after}`,
  }));
const isModel = (name: string): boolean => name.toLowerCase() === "model";

describe("the model of a request", () => {
  test("is the one that JSON.parse finds, for any object", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(member, { selector: ({ name }) => (isModel(name) ? "model" : name) }),
        spaces,
        (members, around) => {
          const body = Buffer.from(`${around}{${members.map(({ text }) => text).join(",")}}${around}`);
          const strange = members.some(({ name }) => isModel(name) && name !== "model");
          expect(readModel(body)).toEqual(strange ? { kind: "ambiguous" } : parsed(body));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is looked for in just what JSON.parse takes for an object, however a document is damaged", () => {
    const damage = fc.record({
      at: fc.nat(),
      cut: fc.nat({ max: 2 }),
      put: fc.oneof(
        fc.constantFrom(...'{}[]",:\\u0-+.eE truefalsn/\n\u0001'),
        fc.string({ unit: "binary", maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(fc.json({ stringUnit: "grapheme" }), fc.array(damage, { maxLength: 3 }), (document, damages) => {
        let text = `{"model":"m","x":${document}}`;
        for (const { at, cut, put } of damages) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + put + text.slice(place + cut);
        }
        const body = Buffer.from(text);
        const found = readModel(body);
        if (found.kind !== "ambiguous") expect(found).toEqual(parsed(body));
      }),
      { numRuns: 5_000 },
    );
  });

  test("survives bytes that are no UTF-8", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (one, two) => {
        const body = Buffer.concat([Buffer.from('{"model":"'), one, Buffer.from('","x":"'), two, Buffer.from('"}')]);
        const found = readModel(body);
        if (found.kind !== "ambiguous") expect(found).toEqual(parsed(body));
      }),
    );
  });

  test.each([
    "",
    " ",
    "null",
    "[]",
    '"model"',
    "{",
    "{}}",
    "{} {}",
    "{,}",
    '{"a":1,}',
    '{"a" 1}',
    '{"a":}',
    '{"a":01}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":+1}',
    '{"a":1e}',
    '{"a":-}',
    '{"a":tru}',
    '{"a":truee}',
    '{"a":NaN}',
    '{"a":[1,]}',
    '{"a":[1}',
    '{"a":{"b":1]}',
    '{"a":{"b"}}',
    '{"a":{,}}',
    '{"a":[,]}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a":"\n"}',
    '{"a":"',
    '{"a":"\\',
    "{'a':1}",
    "{a:1}",
    '{"a":1 /* no */}',
    '\ufeff{"model":"m"}',
    '{"a":\u00a01}',
  ])("%j is no object to read it from", (text) => {
    expect(parsed(Buffer.from(text))).toEqual({ kind: "not-an-object" });
    expect(read(text)).toEqual({ kind: "not-an-object" });
  });

  test("of a document as deep as a body can be is found without running out of stack", () => {
    const deep = 200_000;
    const text = (closers: number) => `{"x":${"[".repeat(deep)}${"]".repeat(closers)},"model":"m"}`;
    expect(read(text(deep))).toEqual({ kind: "object", model: "m" });
    expect(read(text(deep - 1))).toEqual({ kind: "not-an-object" });
  });

  test.each([
    ['{"model":"a","model":"b"}'],
    ['{"model":"a","model":"a"}'],
    ['{"model":"a","x":{},"mod\\u0065l":"b"}'],
    ['{"model":null,"model":"b"}'],
    ['{"model":"a","Model":"b"}'],
    ['{"MODEL":"a"}'],
  ])("%s is ambiguous", (text) => {
    expect(read(text)).toEqual({ kind: "ambiguous" });
  });

  test.each([
    ['{"x":{"model":"b"},"model":"a"}', "a"],
    ['{"x":["model","model"],"model":"a"}', "a"],
    ['{"models":"b","model":"a","model ":"c"}', "a"],
    ['{"model":"a\\u002fb"}', "a/b"],
    ['{"model":["a"]}', null],
    ['{"model":17}', null],
    ["{}", null],
  ])("%s names %s", (text, model) => {
    expect(read(text)).toEqual({ kind: "object", model });
  });
});
