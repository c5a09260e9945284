/** What a test of the fault matrix says about its fault, for the page that `npm run faults` writes from it. */
import type { TestContext } from "vitest";

export interface Measured {
  /** Number in the matrix. */
  row: number;
  /** What is done to Candor. */
  fault: string;
  /** What is asked of it. */
  target: string;
  /** What it did, in numbers. */
  seen: string;
  /** Whether that is what is asked, with no allowance for a busy machine. */
  isMet: boolean;
}

declare module "vitest" {
  interface TaskMeta {
    measured?: Measured[];
  }
}

/** The matrix's own numbers of streams, cases and reloads, instead of those that every run of the tests can afford. */
export const isFull = process.env.CANDOR_FULL_FAULTS === "1";

export const sized = (usual: number, full: number): number => (isFull ? full : usual);

/** Call it before the assertions: what was missed is to be seen on the page as well. */
export const report = ({ task }: Pick<TestContext, "task">, measured: Measured): void => {
  task.meta.measured = [...(task.meta.measured ?? []), measured];
};

/** The value below which the share `rank` of the values lie. */
export const quantile = (values: readonly number[], rank: number): number => {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(rank * sorted.length))] ?? Number.NaN;
};

export const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
export const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
