import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { expositionOf } from "../../src/alert/exposition.ts";

const registryOf = (...sizes: readonly number[]): Registry => {
  const registry = new Registry();
  for (const [family, size] of sizes.entries()) {
    const gauge = new Gauge({
      name: `family_${family}`,
      help: "A back\\slash",
      labelNames: ["one"],
      registers: [registry],
    });
    for (let series = 0; series < size; series++) gauge.set({ one: `"${series}"\n` }, series / 3);
  }
  const edge = new Gauge({ name: "edge", help: "Not\na number", labelNames: ["sign"], registers: [registry] });
  edge.set({ sign: "+" }, Number.POSITIVE_INFINITY);
  edge.set({ sign: "-" }, Number.NEGATIVE_INFINITY);
  const time = new Histogram({
    name: "time",
    help: "Time",
    labelNames: ["of"],
    buckets: [0.5, 1],
    registers: [registry],
  });
  time.observe({ of: "one" }, 0.7);
  time.observe({ of: "other" }, 3);
  new Counter({ name: "last_total", help: "The last one", registers: [registry] });
  return registry;
};

test("a scrape has the very text that prom-client would write at once", async () => {
  for (const registry of [new Registry(), registryOf(3, 0, 700, 1)])
    expect(await expositionOf(registry, async () => {})).toBe(await registry.metrics());
});

test("others have a turn after every 200 values, within a family as well", async () => {
  const turns = async (...sizes: readonly number[]): Promise<number> => {
    let count = 0;
    await expositionOf(registryOf(...sizes), async () => {
      count += 1;
    });
    return count;
  };
  expect(await turns(50, 50)).toBe(0);
  expect(await turns(150, 150, 50)).toBe(1);
  expect(await turns(1_000, 1_000)).toBe(10);
});
