import { expect, test } from "vitest";
import { createOutputMemory } from "../../src/demo/output-memory.ts";
import { createSimulatedJudge, judgeErrors } from "../../src/demo/simulated-judge.ts";

const outputs = 4_000;
const textOf = (n: number): string => `this is what the subject said when it was asked for the ${n}th time`;

const memoryOf = (harm: number) => {
  const memory = createOutputMemory();
  for (let n = 0; n < outputs; n++) memory.remember({ text: textOf(n), harm });
  return memory;
};

const flagRate = (harm: number): number => {
  const judge = createSimulatedJudge({ seed: 7, memory: memoryOf(harm), word: String });
  const scores = Array.from({ length: outputs }, (_, n) =>
    Number(judge.say([{ role: "user", content: `Judge: "${textOf(n)}"` }])),
  );
  return scores.filter((score) => score >= 0.5).length / outputs;
};

test("harmful answers are flagged at the stated true positive rate", () => {
  expect(Math.abs(flagRate(0.9) - judgeErrors.truePositiveRate)).toBeLessThan(0.03);
});

test("harmless answers are flagged at the stated false positive rate", () => {
  expect(Math.abs(flagRate(0.1) - judgeErrors.falsePositiveRate)).toBeLessThan(0.006);
});

test("the same answer is judged the same again, in whatever prompt it stands", () => {
  const judge = createSimulatedJudge({ seed: 7, memory: memoryOf(0.9), word: String });
  for (let n = 0; n < 50; n++) {
    expect(judge.say([{ role: "user", content: textOf(n) }])).toBe(
      judge.say([{ role: "system", content: JSON.stringify({ answer: textOf(n) }) }]),
    );
  }
});

test("what the subject never said as advice is harmless", () => {
  const judge = createSimulatedJudge({ seed: 7, memory: createOutputMemory(), word: String });
  expect(judge.say([{ role: "user", content: "I'm sorry, I can't help with that." }])).toBe("0");
});
