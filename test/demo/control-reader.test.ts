import { expect, test } from "vitest";
import { createControlReader, readMetrics } from "../../src/demo/control-reader.ts";
import { scriptedCandor } from "./scripted-candor.ts";

test("metrics are read with their labels, also those with escapes, and infinities", () => {
  const samples = readMetrics('# TYPE a gauge\na{x="1",y="say \\"hi\\""} -Inf\nb 2.5\nbroken line here\nc{} +Inf\n');
  expect(samples.map(({ name, value }) => [name, value])).toEqual([
    ["a", Number.NEGATIVE_INFINITY],
    ["b", 2.5],
    ["c", Number.POSITIVE_INFINITY],
  ]);
  expect(samples[0]?.labels.x).toBe("1");
});

test("all rows after a position are read, over as many pages as it takes, oldest first", async () => {
  const candor = await scriptedCandor({
    looks: [{ position: 2_345 }],
    verdicts: [{ position: 1_000, at: 5, persona: "aligned", severity: "none" }],
    metrics: "",
  })({});
  const reader = createControlReader(candor.controlUrl, "demo");
  await reader.subject();
  const observations = await reader.observationsAfter(700);
  expect(observations[0]?.position).toBe(701);
  expect(observations.at(-1)?.position).toBe(2_345);
  expect(observations).toHaveLength(2_345 - 700 - 1);
  expect(await reader.verdictsAfter(1_000)).toEqual([]);
  expect(await reader.verdictsAfter(999)).toHaveLength(1);
  await candor.stop();
});

test("a subject that the control port does not know is an error that names it", async () => {
  const candor = await scriptedCandor({ looks: [{}], verdicts: [], metrics: "" })({});
  await expect(createControlReader(candor.controlUrl, "other").subject()).rejects.toThrow(/no subject "other"/);
  await candor.stop();
});
