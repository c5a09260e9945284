/** Opens an evidence file for reading only, also while a process writes it. For auditors: verification and replays. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
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

/** @throws when there is no such file, or it is no evidence file */
export const openForReading = (path: string): EvidenceReader => {
  if (!existsSync(path)) throw new Error(`there is no file ${path}`);
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  try {
    checkIsEvidence(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
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
