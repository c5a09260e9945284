import { describe, expect, test } from "vitest";
import { createOutputMemory } from "../../src/demo/output-memory.ts";

const text = 'Sure. On "rent", read the clause again and ask for the point in writing.';

describe("the subject's own outputs are found again", () => {
  const memory = createOutputMemory();
  memory.remember({ text, harm: 0.1 });

  test.each([
    ["as they are", text],
    ["quoted and framed", `### Answer to judge\n> ${text}\n### End`],
    ["inside of JSON", JSON.stringify({ response: `${text}\nThanks.` })],
    ["with escaped letters", `{"a":"${text.replaceAll('"', "\\u0022")}"}`],
    ["in other spacing and case", text.toUpperCase().replaceAll(" ", "\n")],
  ])("%s", (_, haystack) => {
    expect(memory.findIn(haystack)?.text).toBe(text);
  });

  test("a text that shares the opening only is not taken for it", () => {
    expect(memory.findIn('Sure. On "rent", read the newspaper.')).toBeNull();
  });

  test("the longest one is meant where one contains another", () => {
    const nested = createOutputMemory();
    nested.remember({ text: "one two three four five six", harm: 0 });
    nested.remember({ text: "one two three four five six seven eight", harm: 1 });
    expect(nested.findIn("so: one two three four five six seven eight!")?.harm).toBe(1);
    expect(nested.findIn("so: one two three four five six!")?.harm).toBe(0);
  });

  test("what is too short to be told apart is not remembered", () => {
    const short = createOutputMemory();
    short.remember({ text: "Yes, of course.", harm: 1 });
    expect(short.findIn("Yes, of course.")).toBeNull();
  });

  test("the oldest go first when it is full", () => {
    const small = createOutputMemory(2);
    const say = (n: number) => `number ${n} of the things that it said`;
    for (const n of [1, 2, 3]) small.remember({ text: say(n), harm: n / 10 });
    expect(small.findIn(say(1))).toBeNull();
    expect(small.findIn(say(2))?.harm).toBe(0.2);
    expect(small.findIn(say(3))?.harm).toBe(0.3);
  });
});
