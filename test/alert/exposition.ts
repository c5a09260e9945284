/** Reads the exposition format back, as far as tests need it. */

export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  type: string;
  labelNames: string[];
}

const numberIn = (text: string): number => (text.endsWith("Inf") ? Number(`${text}inity`) : Number(text));

export const seriesOf = (exposition: string): Series[] =>
  exposition
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === "") throw new Error(`not a line of the exposition format: ${line}`);
      const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label = "", text = ""]) => [label, text]);
      return { name, labels: Object.fromEntries(pairs), value: numberIn(value) };
    });

/** Families as they are named in `# TYPE` lines, with the labels that their series have, `le` left out. */
export const familiesOf = (exposition: string): Family[] => {
  const series = seriesOf(exposition);
  return [...exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => {
    const names = type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    const own = series.filter((one) => names.includes(one.name));
    const labelNames = new Set(own.flatMap(({ labels }) => Object.keys(labels)).filter((label) => label !== "le"));
    return { name, type, labelNames: [...labelNames].sort() };
  });
};

/** The value of the one series with this name and these labels, among others; undefined when there is none. */
export const valueAt = (exposition: string, name: string, labels: Record<string, string> = {}): number | undefined => {
  const found = seriesOf(exposition).filter(
    (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} series are called ${name} with ${JSON.stringify(labels)}`);
  return found[0]?.value;
};
