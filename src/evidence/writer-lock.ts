/**
 * Lets one process at a time write an evidence file. The lock is SQLite's own on a file beside it, so the system frees it
 * when a process dies, however it dies; readers of the evidence never meet it.
 */
import { DatabaseSync } from "node:sqlite";

/** Throws when another process holds it. The returned function gives it back. */
export const lockForWriting = (path: string): (() => void) => {
  if (path === ":memory:") return () => {};
  const lock = new DatabaseSync(`${path}.writer`, { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    const detail = error instanceof Error ? error.message : String(error);
    throw new Error(
      /locked/.test(detail)
        ? `${path} is being written by another process: stop it, or give this one an evidence.path of its own`
        : `${path} can't be written (${detail}): check that its folder exists and is writable`,
    );
  }
  return () => lock.close();
};
