/** Reads what Candor says of a subject where any operator would: the control port, over HTTP, validated. */
import { z } from "zod";
import {
  type ObservationPage,
  observationPage,
  type SubjectView,
  subjectList,
  type VerdictPage,
  verdictPage,
} from "../control/api-schema.ts";

export type Observed = ObservationPage["observations"][number];
export type VerdictChange = VerdictPage["verdicts"][number];

/** One line of the metrics: `candor_evidence_log{channel="harm"} 3.2`. */
export interface MetricSample {
  name: string;
  labels: Record<string, string>;
  value: number;
  line: string;
}

export interface ControlReader {
  subject(): Promise<SubjectView>;
  /** All observations after a position, oldest first. */
  observationsAfter(position: number): Promise<Observed[]>;
  /** All recorded verdicts after a position, oldest first. */
  verdictsAfter(position: number): Promise<VerdictChange[]>;
  metrics(): Promise<MetricSample[]>;
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

const numberOf = (text: string): number =>
  text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);

/** Reads the Prometheus text format; comments and lines that are no sample are passed over. */
export const readMetrics = (text: string): MetricSample[] =>
  text.split("\n").flatMap((line): MetricSample[] => {
    const match = sampleLine.exec(line);
    if (match === null) return [];
    const labels = [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]);
    return [{ name: match[1] ?? "", labels: Object.fromEntries(labels), value: numberOf(match[3] ?? ""), line }];
  });

/** Thrown when the control port does not answer as it should. */
class ControlError extends Error {
  override readonly name = "ControlError";
}

const pageSize = 500;

export const createControlReader = (controlUrl: string, id: string): ControlReader => {
  const get = async (path: string): Promise<string> => {
    const response = await fetch(new URL(path, controlUrl), { signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    if (!response.ok)
      throw new ControlError(`GET ${path} of the control port: status ${response.status}: ${text.slice(0, 200)}`);
    return text;
  };

  const getJson = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const parsed = schema.safeParse(JSON.parse(await get(path)));
    if (!parsed.success) throw new ControlError(`GET ${path} of the control port: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  };

  /** Pages backwards from the newest row to `position`. */
  const allAfter = async <T extends { position: number }>(
    position: number,
    page: (before: string) => Promise<{ rows: T[]; next: number | null }>,
  ): Promise<T[]> => {
    const rows: T[] = [];
    for (let before = ""; ; ) {
      const { rows: more, next } = await page(before);
      rows.push(...more.filter((row) => row.position > position));
      if (next === null || next <= position) return rows.sort((a, b) => a.position - b.position);
      before = `&before=${next}`;
    }
  };

  return {
    async subject() {
      const { subjects } = await getJson("/api/subjects", subjectList);
      const subject = subjects.find((candidate) => candidate.id === id);
      if (subject === undefined) throw new ControlError(`the control port knows no subject "${id}"`);
      return subject;
    },
    observationsAfter: (position) =>
      allAfter(position, async (before) => {
        const page = await getJson(`/api/observations?subject=${id}&limit=${pageSize}${before}`, observationPage);
        return { rows: page.observations, next: page.next };
      }),
    verdictsAfter: (position) =>
      allAfter(position, async (before) => {
        const page = await getJson(`/api/verdicts?subject=${id}&limit=${pageSize}${before}`, verdictPage);
        return { rows: page.verdicts, next: page.next };
      }),
    metrics: async () => readMetrics(await get("/metrics")),
  };
};
