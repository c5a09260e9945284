import { expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { memoryOf, type SubjectMemory } from "../../src/watch/subject-memory.ts";
import { handTurnedClock } from "./hand-turned-clock.ts";

const clock = handTurnedClock();

const remembered = (changes: Record<string, unknown>, before?: SubjectMemory, baseUrl = "http://127.0.0.1:9/v1") => {
  const { subjects, upstreams } = configFrom(
    { upstreams: [{ id: "up", baseUrl }], subjects: [{ id: "chat", models: ["a"], ...changes }] },
    "the test",
  );
  const [[subject], [upstream]] = [subjects, upstreams];
  if (subject === undefined || upstream === undefined) throw new Error("the configuration has both");
  return memoryOf({ subject, upstream, before, clock, random: seededRandom(1) });
};

test("a subject that is what it was goes on with all that is remembered of it, whatever else is changed", () => {
  const before = remembered({});
  const changes = { live: { sampleRate: 1 }, probes: { perHour: 1 }, detector: { naming: 10 } };
  expect(remembered(changes, before)).toBe(before);
});

test("other classes of traffic are named anew, and nothing else is forgotten", () => {
  const before = remembered({ contexts: { derive: "path" } });
  before.live.contexts.add("chat/completions");
  const after = remembered({ contexts: { derive: "system-prompt" } }, before);
  expect([...after.live.contexts]).toEqual([]);
  expect([...before.live.contexts]).toEqual(["chat/completions"]);
  expect(after.bank).toBe(before.bank);
  expect(after.live.judged).toBe(before.live.judged);
});

test.each([
  ["model", { models: ["b"] }, undefined],
  ["version", { version: "2" }, undefined],
  ["upstream", {}, "http://127.0.0.1:10/v1"],
])("another %s is another subject, within what is left of the same hours and budgets", (_, changes, baseUrl) => {
  const before = remembered({});
  const after = remembered(changes, before, baseUrl);
  for (const [one, other] of [
    [after.bank, before.bank],
    [after.probing.outputs, before.probing.outputs],
    [after.live.judged, before.live.judged],
  ]) {
    expect(one).not.toBe(other);
  }
  expect(after.probing.spent).toBe(before.probing.spent);
  expect(after.live.samples).toBe(before.live.samples);
  expect(after.live.tenants).toBe(before.live.tenants);
});
