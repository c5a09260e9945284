import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { createLiteralIndex } from "../../../src/guard/finding/literal-index.ts";
import { factsOf } from "../../../src/guard/finding/pattern-facts.ts";

describe("what is known of an expression", () => {
  test.each([
    ["abc", 3, ["abc"]],
    ["(?i)Foo|barbaz", 6, ["foo", "barbaz"]],
    ["sk-[a-z]{20,40}x", 44, ["sk-"]],
    [String.raw`\bab+c`, null, ["a"]],
    [String.raw`(one|two) three`, 9, [" three"]],
    ["x*", null, null],
    ["^x", null, ["x"]],
    ["(?m)^x$", 1, ["x"]],
    [String.raw`\Qa.b\E{2}`, 6, ["a.ba.b"]],
    ["(?=a)b", null, null],
    ["a{2,", 4, ["a{2,"]],
    ["[[:alpha:]]{3}", 6, null],
    ["", 0, null],
  ])("%s: at most %j units, with one of %j in it", (pattern, longest, literals) => {
    expect(factsOf(pattern)).toMatchObject({ longest, literals });
  });
});

/** Expressions of all sorts; few letters, so that they match. */
const pattern: fc.Arbitrary<string> = fc.letrec<{ part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom("a", "b", "K", "é", "\u{1f600}", ".", "[ab]", "[^a]", "[a-c1]", "[[:digit:]]", "[:-]"),
    fc.constantFrom(
      String.raw`\d`,
      String.raw`\W`,
      String.raw`\b`,
      String.raw`\pL`,
      String.raw`\x61`,
      String.raw`\.`,
      "$",
      "^",
      "ab",
      "(?i)k",
    ),
    fc.tuple(tie("part"), tie("part")).map((parts) => parts.join("")),
    fc.tuple(tie("part"), tie("part")).map((parts) => `(?:${parts.join("|")})`),
    fc
      .tuple(tie("part"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "+?"))
      .map(([part, count]) => `(${part})${count}`),
    tie("part").map((part) => `(?i:${part})`),
    tie("part").map((part) => `(?m)${part}`),
  ),
})).part;
const text = fc
  .array(
    fc.constantFrom("a", "b", "c", "A", "K", "\u212a", "k", "1", " ", ".", ":", "é", "É", "\u{1f600}", "\n", "-"),
    { maxLength: 30 },
  )
  .map((letters) => letters.join(""));

test("holds of every match", () => {
  let matches = 0;
  fc.assert(
    fc.property(pattern, text, (source, given) => {
      const { longest, literals, head } = factsOf(source);
      const sightings = createLiteralIndex([literals ?? []]).look([{ text: given }]);
      const finder = RE2JS.compile(source).matcher(given);
      for (let found = finder.find(); found; found = finder.find()) {
        matches += 1;
        const hit = given.slice(finder.start(), finder.end());
        if (longest !== null) expect(hit.length).toBeLessThanOrEqual(longest);
        if (literals !== null) expect(sightings.mayHoldAny(literals)).toBe(true);
        if (head !== null) {
          head.lastIndex = finder.start();
          expect(head.exec(given)?.index).toBe(finder.start());
        }
      }
    }),
    { numRuns: 5_000, seed: 3 },
  );
  expect(matches).toBeGreaterThan(5_000);
});
