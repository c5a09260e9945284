/** Metrics that are read when somebody scrapes them: they can't lag behind what they show, and cost nothing in between. */
import { Counter, Gauge, type Registry } from "prom-client";

interface Sample<L extends string> {
  labels: Record<L, string>;
  value: number;
}

interface PulledMetric<L extends string> {
  name: string;
  help: string;
  labelNames: readonly L[];
  /** What there is to show right now; a label set that is not given is not exposed. */
  read: () => Iterable<Sample<L>>;
}

export const pulledGauge = <L extends string>(registry: Registry, { read, ...metric }: PulledMetric<L>): void => {
  const gauge = new Gauge<string>({
    ...metric,
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const { labels, value } of read()) gauge.set(labels, value);
    },
  });
};

/** The values must be totals that never fall. */
export const pulledCounter = <L extends string>(registry: Registry, { read, ...metric }: PulledMetric<L>): void => {
  const counter = new Counter<string>({
    ...metric,
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const { labels, value } of read()) counter.inc(labels, value);
    },
  });
};

/** What a metric without labels reads. */
export const alone =
  (read: () => number): (() => Sample<never>[]) =>
  () => [{ labels: {}, value: read() }];
