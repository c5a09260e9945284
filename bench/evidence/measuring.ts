/** One figure at a time: how long a piece of work takes, and how long the event loop stood still meanwhile. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface Spread {
  median: number;
  p99: number;
  longest: number;
}

export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { median: at(0.5), p99: at(0.99), longest: at(1) };
};

/** Milliseconds. */
export const timeOf = (work: () => void): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};

/** A path for a new file in the system's folder for temporary files, which is gone afterwards. */
export const withFile = async <T>(work: (path: string) => T | Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), "candor-bench-"));
  try {
    return await work(join(folder, "log.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Runs until `done`; the time it took and the longest that a timer of 1 ms came too late, milliseconds. */
export const watchLoop = async (done: () => boolean): Promise<{ ms: number; longestDelay: number }> => {
  const start = performance.now();
  let longestDelay = 0;
  while (!done()) {
    const before = performance.now();
    await pause(1);
    longestDelay = Math.max(longestDelay, performance.now() - before - 1);
  }
  return { ms: performance.now() - start, longestDelay };
};
