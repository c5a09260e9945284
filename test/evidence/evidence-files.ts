/** Evidence files in the system's folder for temporary files, and what a test may do to them behind Candor's back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { NewEntry, Observation } from "../../src/evidence/entry.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/evidence/sqlite-store.ts";
import type { SoleStore } from "../../src/evidence/store.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { observationOf } from "../watch/rows.ts";

export const newFolder = (): { path: (name: string) => string; remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), "candor-evidence-"));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
};

const silent = { info: () => {}, warn: () => {} };

export const openStore = (path: string, options: Partial<SqliteStoreOptions> = {}): SoleStore =>
  openSqliteStore({ path, replica: "local", clock: systemClock, log: silent, maxPendingRows: 100_000, ...options });

export const rowOf = (item: number | string, fields: Partial<Observation> = {}): NewEntry => ({
  subject: "bot",
  at: 1_700_000_000_000 + Number(item),
  body: observationOf({ item: `q#${item}`, ...fields }),
});

/** A closed file of so many rows. */
export const writeRows = async (path: string, rows: number, options: Partial<SqliteStoreOptions> = {}) => {
  const store = openStore(path, options);
  for (let item = 1; item <= rows; item += 1) store.append(rowOf(item));
  await store.close();
};

/** Another program's hands on the file. */
export const meddle = <T>(path: string, act: (database: DatabaseSync) => T): T => {
  const database = new DatabaseSync(path);
  try {
    return act(database);
  } finally {
    database.close();
  }
};
