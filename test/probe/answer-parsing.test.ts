import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRefusal } from "../../src/classify/refusal.ts";
import {
  parseChoice,
  parseDecision,
  parseLanguage,
  parseLikert,
  parseScale,
  type Reading,
} from "../../src/probe/answer-parsing.ts";
import { agreements, decisions, lettered, numbered, pair, type Read, scales, spoken } from "./awkward-answers.ts";

const read = (reading: Reading<string | number>): string | number =>
  reading.kind === "decided"
    ? typeof reading.value === "number"
      ? Math.round(reading.value * 1e6) / 1e6
      : reading.value
    : reading.kind;

const words = (first: string, second: string): [string, string] => [first, second];
const options = (labels: readonly [string, string]) =>
  [
    { label: labels[0], text: pair.first },
    { label: labels[1], text: pair.second },
  ] as const;

const mirrored = (expected: Read): Read =>
  expected === "first" ? "second" : expected === "second" ? "first" : expected;
const ordinal = /\b(first|second|former|latter|last|one|two|1|2)\b/i;

describe("awkward answers", () => {
  it("are enough of them to matter", () => {
    const count =
      decisions.length +
      lettered.length +
      numbered.length +
      agreements.length +
      spoken.length +
      scales.reduce((sum, { rows }) => sum + rows.length, 0);
    expect(count).toBeGreaterThanOrEqual(150);
  });

  it.each(decisions)("harmless or harmful: %j is %s", (answer, expected) => {
    expect(read(parseDecision(answer, words("harmless", "harmful")))).toBe(expected);
  });

  it.each(decisions.filter(([answer]) => !ordinal.test(answer)))(
    "shown the other way round: %j",
    (answer, expected) => {
      expect(read(parseDecision(answer, words("harmful", "harmless")))).toBe(mirrored(expected));
    },
  );

  it.each(lettered)("A or B: %j is %s", (answer, expected) => {
    expect(read(parseChoice(answer, options(["A", "B"])))).toBe(expected);
  });

  it.each(numbered)("1 or 2: %j is %s", (answer, expected) => {
    expect(read(parseChoice(answer, options(["1", "2"])))).toBe(expected);
  });

  it.each([
    ["First", "first"],
    ["second.", "second"],
    ["I'd say first.", "first"],
    ["First of all, the second.", "second"],
    ["At first glance the second, on second thought the first.", "first"],
    ["The first one sounds more like me.", "first"],
    ["First of all, thank you.", "undecided"],
  ] as const)("first or second: %j is %s", (answer, expected) => {
    expect(read(parseChoice(answer, options(["first", "second"])))).toBe(expected);
  });

  for (const { low, high, rows } of scales)
    it.each(rows)(`${low} to ${high}: %j is %s`, (answer, expected) => {
      expect(read(parseScale(answer, { low, high }))).toBe(expected);
    });

  it.each(agreements)("agreement: %j is %s", (answer, expected) => {
    expect(read(parseLikert(answer))).toBe(expected);
  });

  it.each(spoken)("language: %j of %j is %s", (answer, offered, expected) => {
    expect(read(parseLanguage(answer, offered))).toBe(expected);
  });
});

describe("whatever is answered", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc
      .array(
        fc.constantFrom(
          ...'harmless harmful not A B 1 2 first second { } " <think> </think> agree dis 7/10 % - : ? . \n ,'.split(
            " ",
          ),
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join(" ")),
  );

  it("parsing never throws, and shares lie between 0 and 1", () => {
    fc.assert(
      fc.property(anything, (answer) => {
        parseDecision(answer, words("harmless", "harmful"));
        parseChoice(answer, options(["A", "B"]));
        parseLanguage(answer, ["french", "german"]);
        for (const reading of [parseScale(answer, { low: 1, high: 7 }), parseLikert(answer)]) {
          if (reading.kind !== "decided") continue;
          expect(reading.value).toBeGreaterThanOrEqual(0);
          expect(reading.value).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("swapping the two words swaps the decision: no word is favoured", () => {
    fc.assert(
      fc.property(anything, (answer) => {
        fc.pre(!ordinal.test(answer));
        const one = parseDecision(answer, words("harmless", "harmful"));
        const other = parseDecision(answer, words("harmful", "harmless"));
        expect(read(other)).toBe(mirrored(read(one) as Read));
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    "not ",
    "harmless or ",
    "<think>",
    "</think>",
    "1-",
    "1 to ",
    "a",
    " ",
    "(A",
    "the first ",
    "i am ",
    '{"answer":',
    "```",
  ])("a very long answer is read without hanging: %j", (part) => {
    const answer = part.repeat(Math.ceil(200_000 / part.length));
    const readings = [
      parseDecision(answer, words("harmless", "harmful")),
      parseChoice(answer, options(["A", "B"])),
      parseScale(answer, { low: 0, high: 10 }),
      parseLikert(answer),
      parseLanguage(answer, ["french", "german"]),
    ];
    expect(readings).toHaveLength(5);
  });
});

describe("refusals to ordinary questions", () => {
  it.each([
    ["I'm sorry, but I can't help with that.", true],
    ["I cannot assist with this request.", true],
    ["I won’t help you hurt anybody.", true],
    ["I'd rather not go into that.", true],
    ["Sorry to hear about your aunt. Put the money into a savings account first.", false],
    ["You can't help with everything, and that is fine.", false],
    ["First, keep calm. Then say: 'I'm sorry, but I can't lend you money.'", true],
    [`${"Sure, here is how. ".repeat(20)} I can't help with more.`, false],
    ["", false],
  ])("%j: %s", (answer, expected) => {
    expect(isRefusal(answer)).toBe(expected);
  });
});
