import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLiteralIndex } from "../../../src/guard/finding/literal-index.ts";

const printable = fc.string({ minLength: 3, maxLength: 200 });

describe("an index of words", () => {
  test("never denies a word that is there, whatever its case, its place and the words beside it", () => {
    fc.assert(
      fc.property(
        printable,
        fc.nat(),
        fc.oneof(fc.integer({ min: 3, max: 12 }), fc.integer({ min: 3, max: 60 })),
        fc.array(printable),
        (text, at, size, others) => {
          const start = at % (text.length - 2);
          const list = [text.slice(start, start + size).toLowerCase()];
          const lists = [list, ...others.map((other) => [other.toLowerCase()])];
          for (const all of [lists, lists.toReversed()]) {
            const index = createLiteralIndex(all);
            expect(index.look([{ text }]).mayHoldAny(list)).toBe(true);
            expect(index.look([{ text: "before" }, { text: text.toUpperCase() }]).mayHoldAny(list)).toBe(
              text
                .toUpperCase()
                .toLowerCase()
                .includes(list[0] ?? ""),
            );
          }
        },
      ),
      { numRuns: 2_000, seed: 4 },
    );
  });

  test("denies what is not there, and what only begins like it", () => {
    const list = ["bluebird", "blue whale"];
    const index = createLiteralIndex([list]);
    for (const text of ["the quick brown fox", "bluebir", "luebird", "a blue, whale", "", "bl", "\u{1f426}".repeat(99)])
      expect(index.look([{ text }]).mayHoldAny(list), text).toBe(false);
    for (const text of ["BlueBird", "xbluebirdx", "a blue whale"])
      expect(index.look([{ text }]).mayHoldAny(list), text).toBe(true);
  });

  test("tells lists apart, also where they share words", () => {
    const [one, other, both] = [["bluebird"], ["nightingale"], ["nightingale", "bluebird"]];
    const sightings = createLiteralIndex([one, other, both]).look([{ text: "a bluebird" }]);
    expect([one, other, both].map((list) => sightings.mayHoldAny(list))).toEqual([true, false, true]);
  });

  test("may hold what is too short to look for, and what it was not made of", () => {
    const short = ["@", "bluebird"];
    const sightings = createLiteralIndex([short, []]).look([{ text: "nothing of it" }]);
    expect(sightings.mayHoldAny(short)).toBe(true);
    expect(sightings.mayHoldAny(["elsewhere"])).toBe(true);
  });

  test("takes the two letters outside of ASCII that stand for one within it for anything", () => {
    const list = ["key"];
    const index = createLiteralIndex([list]);
    for (const text of ["\u212aey", "\u017f"]) expect(index.look([{ text }]).mayHoldAny(list)).toBe(true);
    expect(index.look([{ text: "\u00e9ey" }]).mayHoldAny(list)).toBe(false);
  });

  test("finds what lies over the places where a long text is put aside for others", () => {
    const list = ["bluebird"];
    for (const index of [createLiteralIndex([list]), createLiteralIndex([list, ["fox"]])]) {
      for (let before = 16 * 1024 - 16; before < 16 * 1024 + 4; before += 1) {
        const text = `${"-".repeat(before)}bluebird${"-".repeat(70_000)}`;
        expect(index.look([{ text }]).mayHoldAny(list), String(before)).toBe(true);
        const later = `${"-".repeat(4 * 16 * 1024 - 4 + before)}bluebird${"-".repeat(9)}`;
        expect(index.look([{ text: later }]).mayHoldAny(list), String(before)).toBe(true);
      }
    }
  });
});
