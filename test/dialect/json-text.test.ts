import fc from "fast-check";
import { expect, test } from "vitest";
import { hasDuplicateKeys } from "../../src/dialect/json-text.ts";

const name = fc.constantFrom("a", "b", "a\\b", '"', "\\", ':"', '\\":', "__proto__", "1", "é", "{", "");
const leaf = fc.oneof(name, fc.constantFrom(1, null, true, -2e5), fc.constant([]), fc.constant({}));

interface Written {
  text: string;
  twice: boolean;
  /** Of all fields. */
  names: string[];
}

const spaces = fc.constantFrom("", "", " ", "\n\t", "\r\n");
/** A letter as it is, or as an escape: both are one name. */
const nameText = fc.tuple(name, fc.boolean()).map(([said, escaped]) => ({
  said,
  text: escaped ? JSON.stringify(said).replace("a", "\\u0061") : JSON.stringify(said),
}));

/** JSON as text, and whether an object in it was given one name twice. */
const { value } = fc.letrec<{ value: Written }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf.map((said) => ({ text: JSON.stringify(said), twice: false, names: [] })),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => ({
      text: `[${items.map(({ text }) => text).join(" ,")}]`,
      twice: items.some(({ twice }) => twice),
      names: items.flatMap(({ names }) => names),
    })),
    fc.array(fc.tuple(nameText, spaces, spaces, tie("value")), { maxLength: 4 }).map((fields) => ({
      names: fields.flatMap(([key, , , { names }]) => [key.said, ...names]),
      text: `{${fields.map(([key, before, after, { text }]) => `${key.text}${before}:${after}${text}`).join(",")}}`,
      twice: new Set(fields.map(([key]) => key.said)).size < fields.length || fields.some(([, , , { twice }]) => twice),
    })),
  ),
}));

const namesOf = (json: unknown): string[] =>
  typeof json !== "object" || json === null
    ? []
    : Object.entries(json).flatMap(([key, inner]) => [...(Array.isArray(json) ? [] : [key]), ...namesOf(inner)]);

test("a name that is given twice in one object is found, however it is written, and no other", () => {
  fc.assert(
    fc.property(value, ({ text, twice, names }) => {
      const json: unknown = JSON.parse(text);
      // V8 itself may read a name that is written with escapes as another one.
      const isMisread = namesOf(json).sort().join() !== names.sort().join();
      if (twice) expect(isMisread).toBe(true);
      expect(hasDuplicateKeys(text, json)).toBe(isMisread);
    }),
    { numRuns: 3_000 },
  );
});

test("a value with another name than its text has is found, however its reader came to it", () => {
  const text = '{"b":"a","\\u0062c":[{}]}';
  expect(hasDuplicateKeys(text, { b: "a", bc: [{}] })).toBe(false);
  expect(hasDuplicateKeys(text, { b: "a", "\\": [{}] })).toBe(true);
});

test("5,000 levels and 100,000 escaped quotes are no hindrance", () => {
  const deep = `${"[".repeat(5_000)}{"a":1,"a":2}${"]".repeat(5_000)}`;
  expect(hasDuplicateKeys(deep, JSON.parse(deep))).toBe(true);
  const quotes = JSON.stringify({ a: '"'.repeat(100_000), b: "\\".repeat(100_001) });
  expect(hasDuplicateKeys(quotes, JSON.parse(quotes))).toBe(false);
});
