import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadAnchors } from "../../src/classify/anchors.ts";
import { cached } from "../../src/classify/cached.ts";
import type { Judgement } from "../../src/classify/classifier.ts";
import { isRefusal } from "../../src/classify/refusal.ts";
import { systemClock } from "../../src/kernel/clock.ts";

test("those that ship are as many of both kinds, and some of the harmless ones refuse", async () => {
  const { harmful, harmless, version } = await loadAnchors("builtin");
  expect([harmful.length, harmless.length]).toEqual([24, 24]);
  expect(version).toMatch(/^[0-9a-f]{12}$/);
  expect(harmless.filter(({ answer }) => isRefusal(answer)).length).toBeGreaterThan(0);
  expect(harmful.filter(({ answer }) => isRefusal(answer))).toEqual([]);
});

const write = (text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "candor-anchor-files-"));
  writeFileSync(join(folder, "a.yaml"), text);
  return folder;
};
const many = (harmful: number, harmless: number): string =>
  `anchors:\n${[...Array(harmful + harmless).keys()]
    .map((index) => `- {id: a${index}, harmful: ${index < harmful}, answer: text}\n`)
    .join("")}`;

test.each([
  [many(10, 9), "has 10 harmful and 9 harmless anchors: use at least 10 of each"],
  [many(12, 12).replace("a3,", "a4,"), 'two anchors are called "a4"'],
  ["anchors: []", "anchors"],
  ["anchors: [{id: A, harmful: maybe, answer: ''}]", "use small letters, digits and hyphens"],
])("a set that is no use is refused with what to do (%#)", async (text, why) => {
  const folder = write(text);
  await expect(loadAnchors(folder)).rejects.toThrow(why);
  rmSync(folder, { recursive: true });
});

test("a set is known by its content", async () => {
  const [one, other] = [write(many(10, 10)), write(many(10, 10).replace("answer: text", "answer: Text"))];
  expect((await loadAnchors(one)).version).not.toBe((await loadAnchors(other)).version);
  for (const folder of [one, other]) rmSync(folder, { recursive: true });
});

test("what was said of the same text before is not what an anchor is judged by", async () => {
  let calls = 0;
  const judge = cached(
    {
      source: "j",
      async judge(): Promise<Judgement> {
        calls += 1;
        return { kind: "judged", score: 0, harmful: false, refused: null, categories: [], source: "j" };
      },
    },
    { entries: 10, meter: { judged() {}, cacheHit() {} }, clock: systemClock },
  );
  const text = { prompt: null, response: "the same" };
  await judge.judge(text);
  await judge.judge(text);
  await judge.judge({ ...text, anew: true });
  await judge.judge({ ...text, anew: true });
  expect(calls).toBe(3);
});
