/** A gauge that is read when somebody scrapes it, so that it can't lag behind what it shows. */
import { Gauge, type Registry } from "prom-client";

export interface Sample<L extends string> {
  labels: Record<L, string>;
  value: number;
}

interface PulledGauge<L extends string> {
  name: string;
  help: string;
  labelNames: readonly L[];
  /** What there is to show right now; a label set that is not given is not exposed. */
  read: () => Iterable<Sample<L>>;
}

export const pulledGauge = <L extends string>(
  registry: Registry,
  { name, help, labelNames, read }: PulledGauge<L>,
): void => {
  const gauge = new Gauge<string>({
    name,
    help,
    labelNames,
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const { labels, value } of read()) gauge.set(labels, value);
    },
  });
};

/** A pulled gauge without labels. */
export const pulledValue = (registry: Registry, name: string, help: string, read: () => number): void =>
  pulledGauge<never>(registry, { name, help, labelNames: [], read: () => [{ labels: {}, value: read() }] });
