/** Opens an evidence file for reading only, also while a process writes it. For auditors: verification and replays. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { rowsAfter, type StoredEntry } from "./rows.ts";
import { checkVersion } from "./schema.ts";

export interface EvidenceReader {
  /** Every row in the order of positions, read a page at a time. Throws a `BrokenRowError` for one that can't be read. */
  entries(): IterableIterator<StoredEntry>;
  close(): void;
}

const pageSize = 1_000;

/** @throws when there is no such file, or it is no evidence file */
export const openForReading = (path: string): EvidenceReader => {
  if (!existsSync(path)) throw new Error(`there is no file ${path}`);
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  try {
    checkVersion(database, path);
    database.prepare("SELECT position, hash FROM entries LIMIT 1").get();
  } catch (error) {
    database.close();
    throw new Error(`${path} is no evidence file: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {
    *entries() {
      let position = 0;
      for (;;) {
        const page = rowsAfter(database, position, pageSize);
        yield* page;
        position = page.at(-1)?.position ?? position;
        if (page.length < pageSize) return;
      }
    },
    close: () => database.close(),
  };
};
