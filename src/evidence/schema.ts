/** The tables of an evidence file, and how older files become newer ones. Migrations are only ever added. */
import type { DatabaseSync } from "node:sqlite";

const migrations: readonly string[] = [
  `CREATE TABLE entries (
     position   INTEGER PRIMARY KEY,
     replica    TEXT NOT NULL,
     subject    TEXT NOT NULL,
     at         INTEGER NOT NULL,
     kind       TEXT NOT NULL,
     experiment TEXT,
     arm        TEXT,
     outcome    TEXT,
     body       TEXT NOT NULL,
     content    TEXT,
     hash       TEXT NOT NULL
   ) STRICT;
   CREATE INDEX entries_by_kind ON entries (kind, position);
   CREATE INDEX entries_by_subject ON entries (subject, kind, position);
   CREATE INDEX entries_by_experiment ON entries (experiment, arm, outcome, position) WHERE experiment IS NOT NULL;`,
];

const versionOf = (database: DatabaseSync): number => {
  const row = database.prepare("PRAGMA user_version").get();
  return Number(row?.user_version ?? 0);
};

/** Throws for a file that a newer Candor wrote. */
export const checkVersion = (database: DatabaseSync, path: string): void => {
  const version = versionOf(database);
  if (version > migrations.length) {
    throw new Error(
      `${path} was written by a newer Candor (schema ${version}, known ${migrations.length}): upgrade Candor`,
    );
  }
};

/** Each migration is one transaction: a crash in between leaves a file that the next start takes further. */
export const migrate = (database: DatabaseSync, path: string): void => {
  checkVersion(database, path);
  for (let version = versionOf(database); version < migrations.length; version++) {
    // PRAGMA takes no parameters; the number is ours.
    database.exec(`BEGIN IMMEDIATE; ${migrations[version]} PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
};
