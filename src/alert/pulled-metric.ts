/** Metrics that are read when somebody scrapes them: they can't lag behind what they show, and cost nothing in between. */
import type { Metric, Registry } from "prom-client";

interface Sample<L extends string> {
  labels: Record<L, string>;
  value: number;
}

interface PulledMetric<L extends string> {
  name: string;
  help: string;
  labelNames: readonly L[];
  /** What there is to show right now, each label set once; one that is not given is not exposed. */
  read: () => Iterable<Sample<L>>;
}

/** Exposes lines as they are at the moment of a scrape. `metricName`, where it is not the family's own name: `x_bucket`. */
export const exposeLines = (
  registry: Registry,
  family: { name: string; help: string; type: "gauge" | "counter" | "histogram" },
  read: () => Iterable<{ metricName?: string; labels: Record<string, string>; value: number }>,
): void => {
  // All that a registry asks of a metric; the declarations want one of the package's own classes here, each of which
  // would file every value under its labels first.
  const metric = { name: family.name, get: async () => ({ ...family, values: [...read()] }) };
  registry.registerMetric(metric as unknown as Metric);
};

export const pulledGauge = <L extends string>(registry: Registry, { name, help, read }: PulledMetric<L>): void =>
  exposeLines(registry, { name, help, type: "gauge" }, read);

/** The values must be totals that never fall. */
export const pulledCounter = <L extends string>(registry: Registry, { name, help, read }: PulledMetric<L>): void =>
  exposeLines(registry, { name, help, type: "counter" }, read);

/** What a metric without labels reads. */
export const alone =
  (read: () => number): (() => Sample<never>[]) =>
  () => [{ labels: {}, value: read() }];
