/**
 * The text of a whole registry. A scrape runs on the thread that relays, so it is written in pieces, and exchanges have
 * their turn in between: however many subjects there are, none of them waits for all of it.
 */
import type { Registry } from "prom-client";
import type { MetricFamily } from "../telemetry/wire.ts";

/** Lines after which others have a turn; writing as many takes about a millisecond. */
const linesATurn = 200;

const familyOf = async (registry: Registry, name: string): Promise<MetricFamily[]> => {
  const family = (await registry.getSingleMetric(name)?.get()) as MetricFamily | undefined;
  return family === undefined ? [] : [family];
};

/** Those that the registry has of these. */
export const familiesNamed = async (registry: Registry, names: readonly string[]): Promise<MetricFamily[]> =>
  (await Promise.all(names.map((name) => familyOf(registry, name)))).flat();

/** What the registry holds, as values: what `expositionOf` writes as text. */
export const familiesIn = async (registry: Registry, giveWay: () => Promise<void>): Promise<MetricFamily[]> => {
  const families: MetricFamily[] = [];
  let values = 0;
  for (const { name } of registry.getMetricsAsArray()) {
    const read = await familyOf(registry, name);
    families.push(...read);
    for (const family of read) values += family.values.length;
    if (values < linesATurn) continue;
    values = 0;
    await giveWay();
  }
  return families;
};

type Value = MetricFamily["values"][number];

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

const numberText = (value: number): string => {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
};

const lineOf = (family: string, { metricName = family, labels, value }: Value): string => {
  const pairs: string[] = [];
  for (const label in labels) pairs.push(`${label}="${escaped(String(labels[label])).replaceAll('"', '\\"')}"`);
  return `${metricName}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberText(value)}`;
};

/** @param giveWay resolves when others have had their turn */
export const expositionOf = async (registry: Registry, giveWay: () => Promise<void>): Promise<string> => {
  const texts: string[] = [];
  let written = 0;
  for (const { name } of registry.getMetricsAsArray()) {
    for (const { help, type, values } of await familyOf(registry, name)) {
      const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
      for (const value of values) {
        lines.push(lineOf(name, value));
        written += 1;
        if (written % linesATurn === 0) await giveWay();
      }
      texts.push(lines.join("\n"));
    }
  }
  return `${texts.join("\n\n")}\n`;
};
