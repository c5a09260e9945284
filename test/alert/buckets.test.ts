import fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { createBuckets, pulledHistogram } from "../../src/alert/buckets.ts";

const bounds = [0.001, 0.01, 0.25, 1, 10];
const value = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(0, ...bounds));

test("a histogram is exposed letter by letter as prom-client exposes its own", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value), fc.array(value), async (one, two) => {
      const help = "Times of something";
      const theirs = new Registry();
      const histogram = new Histogram({
        name: "h",
        help,
        labelNames: ["subject"],
        buckets: bounds,
        registers: [theirs],
      });
      const ours = new Registry();
      const sets = [one, two].map((values, index) => {
        const labels = { subject: `"s" ${index}` };
        histogram.zero(labels);
        const buckets = createBuckets(bounds);
        for (const each of values) {
          histogram.observe(labels, each);
          buckets.observe(each);
        }
        return { labels, buckets };
      });
      pulledHistogram(ours, { name: "h", help, bounds, read: () => sets });
      expect(await ours.metrics()).toBe(await theirs.metrics());
    }),
    { numRuns: 50 },
  );
});

test("a scrape shows what was observed since the last one", async () => {
  const registry = new Registry();
  const buckets = createBuckets(bounds);
  pulledHistogram(registry, { name: "h", help: "h", bounds, read: () => [{ labels: {}, buckets }] });
  expect(await registry.metrics()).toContain("h_count 0\n");
  buckets.observe(0.5);
  expect(await registry.metrics()).toContain('h_bucket{le="1"} 1\n');
  buckets.observe(99);
  expect(await registry.metrics()).toContain('h_bucket{le="+Inf"} 2\n');
});
