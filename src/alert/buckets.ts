/**
 * Histograms for the hot path: an observation is a short walk over the bounds and three additions, without a label
 * looked up or an object made. What they hold is read when somebody scrapes.
 */
import type { Registry } from "prom-client";
import { exposeLines } from "./pulled-metric.ts";

export interface Buckets {
  observe(value: number): void;
  /** Observations so far at or below each bound, in the order of the bounds, and last all of them. */
  cumulated(): number[];
  sum(): number;
}

/** `bounds` ascend. */
export const createBuckets = (bounds: readonly number[]): Buckets => {
  const counts = new Float64Array(bounds.length + 1);
  // In an array of its own kind, because a plain variable that changes makes a new number on the heap each time.
  const total = new Float64Array(1);
  return {
    observe(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      total[0] = (total[0] ?? 0) + value;
    },
    cumulated() {
      let below = 0;
      return Array.from(counts, (count) => {
        below += count;
        return below;
      });
    },
    sum: () => total[0] ?? 0,
  };
};

interface PulledHistogram {
  name: string;
  help: string;
  bounds: readonly number[];
  /** One entry for each label set; the same ones every time. */
  read: () => Iterable<{ labels: Record<string, string>; buckets: Buckets }>;
}

interface Line {
  metricName: string;
  labels: Record<string, string>;
  value: number;
}

export const pulledHistogram = (registry: Registry, { name, help, bounds, read }: PulledHistogram): void => {
  const bucketNames = [...bounds.map(String), "+Inf"];

  const lines = (): Line[] =>
    [...read()].flatMap(({ labels, buckets }) => {
      const cumulated = buckets.cumulated();
      return [
        ...cumulated.map((value, index) => ({
          metricName: `${name}_bucket`,
          labels: { le: bucketNames[index] ?? "", ...labels },
          value,
        })),
        { metricName: `${name}_sum`, labels, value: buckets.sum() },
        { metricName: `${name}_count`, labels, value: cumulated.at(-1) ?? 0 },
      ];
    });

  exposeLines(registry, { name, help, type: "histogram" }, lines);
};
