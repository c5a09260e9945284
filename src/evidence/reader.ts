/** Opens an evidence file for reading only, also while a process writes it. For auditors: verification and replays. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Entry } from "./entry.ts";
import { BrokenRowError, rowsAfter, type StoredRow, toEntry } from "./rows.ts";
import { checkIsEvidence } from "./schema.ts";

export interface EvidenceReader {
  /** Every row in the order of positions, read a page at a time. Throws a `BrokenRowError` for one that can't be read. */
  rows(): IterableIterator<StoredRow>;
  /** The same, as entries. */
  entries(): IterableIterator<Entry>;
  close(): void;
}

// A page is one short look at the file: a long one would keep the writer from ever emptying its write-ahead log.
const pageSize = 1_000;
/** Below every position, also those that only somebody else can have put in. */
const beforeAll = -(2n ** 63n);

/** SQLite finds the file itself damaged, or a number is in it that Candor can't have written. */
const isDamage = (error: unknown): boolean =>
  error instanceof Error &&
  (("errcode" in error && error.errcode === 11) || ("code" in error && error.code === "ERR_OUT_OF_RANGE"));

const readPage = (database: DatabaseSync, position: number | bigint): StoredRow[] => {
  try {
    return rowsAfter(database, position, pageSize);
  } catch (error) {
    if (isDamage(error)) {
      const next = typeof position === "bigint" ? 1 : position + 1;
      throw new BrokenRowError(next, `it or a row soon after: ${error instanceof Error ? error.message : error}`);
    }
    throw error;
  }
};

const openChecked = (path: string, location: string | URL): DatabaseSync => {
  const database = new DatabaseSync(location, { readOnly: true, timeout: 1_000 });
  try {
    checkIsEvidence(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

/** SQLite wants to put files of its own beside this one, and may not. */
const isForbidden = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && [8, 14].includes(Number(error.errcode) & 0xff);

const openFile = (path: string): DatabaseSync => {
  try {
    return openChecked(path, path);
  } catch (error) {
    // Without a write-ahead log nobody writes the file, so it can be read as it is, from where nothing can be written.
    if (!isForbidden(error) || existsSync(`${path}-wal`)) throw error;
    const location = pathToFileURL(path);
    location.searchParams.set("immutable", "1");
    return openChecked(path, location);
  }
};

/** @throws when there is no such file, or it is no evidence file */
export const openForReading = (path: string): EvidenceReader => {
  if (!existsSync(path)) throw new Error(`there is no file ${path}`);
  const database = openFile(path);
  const rows = function* (): Generator<StoredRow> {
    for (let position: number | bigint = beforeAll; ; ) {
      const page = readPage(database, position);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return;
      position = last.position;
    }
  };
  return {
    rows,
    *entries() {
      for (const row of rows()) yield toEntry(row);
    },
    close: () => database.close(),
  };
};
