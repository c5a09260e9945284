/**
 * Lets one process at a time write an evidence file. The lock is SQLite's own on a file beside it, so the system frees it
 * when a process dies, however it dies; readers of the evidence never meet it.
 */
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const explained = (path: string, error: unknown): Error => {
  const detail = error instanceof Error ? error.message : String(error);
  return new Error(
    /locked/.test(detail)
      ? `${path} is being written by another process: stop it, or give this one an evidence.path of its own`
      : `${path} can't be written (${detail}): check that its folder exists, and that both are writable`,
  );
};

/** Throws when another process holds it. The returned function gives it back. */
export const lockForWriting = (path: string): (() => void) => {
  if (path === ":memory:") return () => {};
  let lock: DatabaseSync | undefined;
  try {
    // SQLite would open what it may not write for reading only, and not try again when that is mended.
    if (existsSync(path)) accessSync(path, constants.W_OK);
    // By its real name, so that a link to the file is no way around the lock.
    lock = new DatabaseSync(`${existsSync(path) ? realpathSync(path) : path}.writer`, { timeout: 0 });
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    throw explained(path, error);
  }
  const held = lock;
  return () => held.close();
};
