import type { LookupFunction } from "node:net";
import { expect, it } from "vitest";
import { createSharedLookup } from "../../src/egress/shared-lookup.ts";

type Answer = Parameters<LookupFunction>[2];

const setUp = () => {
  const asked: { hostname: string; answer: Answer }[] = [];
  const lookup = createSharedLookup((hostname, _options, answer) => void asked.push({ hostname, answer }));
  const heard: unknown[][] = [];
  const ask = (hostname: string, options: Parameters<LookupFunction>[1] = {}): void =>
    lookup(hostname, options, (...result) => void heard.push(result));
  return { asked, heard, ask };
};

it("a name is looked up once for all who ask for it at the same time", () => {
  const { asked, heard, ask } = setUp();
  for (let index = 0; index < 1_000; index += 1) ask("llm.example", { all: true });
  expect(asked.map(({ hostname }) => hostname)).toEqual(["llm.example"]);
  asked[0]?.answer(null, "192.0.2.1", 4);
  expect(heard).toEqual(Array(1_000).fill([null, "192.0.2.1", 4]));
});

it("an answer is not kept: who asks later asks anew, after a failure as well", () => {
  const { asked, heard, ask } = setUp();
  const unknown = Object.assign(new Error("unknown"), { code: "ENOTFOUND" });
  ask("llm.example");
  asked[0]?.answer(unknown, "");
  ask("llm.example");
  asked[1]?.answer(null, "192.0.2.1", 4);
  expect(heard).toEqual([
    [unknown, ""],
    [null, "192.0.2.1", 4],
  ]);
});

it("other names and other questions about a name are looked up beside it", () => {
  const { asked, ask } = setUp();
  ask("llm.example", { family: 4 });
  ask("llm.example", { family: 6 });
  ask("judge.example", { family: 4 });
  expect(asked).toHaveLength(3);
});
