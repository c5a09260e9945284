/** The tables of an evidence file, and how older files become newer ones. Migrations are only ever added. */
import type { DatabaseSync } from "node:sqlite";
import { judgedAs } from "./filter-sql.ts";

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
  // Harm is rare: without this, finding a page of it would read the whole log.
  `CREATE INDEX entries_harmful ON entries (position) WHERE ${judgedAs("instr", true)};`,
  // Decisions by their action, which stands in the column of outcomes.
  `CREATE INDEX decisions_by_action ON entries (outcome, position) WHERE kind = 'decision';`,
];

/** SQLite's own answer when a file is not one of its databases. */
const notADatabase = 26;

const pragmaVersion = (database: DatabaseSync): number =>
  Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);

const hasTable = (database: DatabaseSync, sql: string): boolean => database.prepare(sql).get() !== undefined;

/** The schema's version; 0 for a file in which nothing is yet. Throws for a file of somebody else or of a newer Candor. */
const versionOf = (database: DatabaseSync, path: string): number => {
  const foreign = (why: string): Error => new Error(`${path} is no evidence file: ${why}`);
  try {
    const version = pragmaVersion(database);
    if (version > migrations.length && hasTable(database, "SELECT 1 FROM sqlite_schema WHERE name = 'entries'")) {
      throw new Error(
        `${path} was written by a newer Candor (schema ${version}, known ${migrations.length}): upgrade Candor`,
      );
    }
    const expected = version === 0 ? "TRUE" : "name = 'entries'";
    const found = hasTable(database, `SELECT 1 FROM sqlite_schema WHERE ${expected}`);
    if (found === (version === 0)) throw foreign("it is a database of something else");
    return version;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === notADatabase) throw foreign(error.message);
    throw error;
  }
};

/** @throws for a file that Candor did not write, or a newer one did */
export const checkIsEvidence = (database: DatabaseSync, path: string): void => {
  if (versionOf(database, path) === 0) throw new Error(`${path} is no evidence file: it is empty`);
};

/** Each migration is one transaction: a crash in between leaves a file that the next start takes further. */
export const migrate = (database: DatabaseSync, path: string): void => {
  for (let version = versionOf(database, path); version < migrations.length; version++) {
    // PRAGMA takes no parameters; the number is ours.
    database.exec(`BEGIN IMMEDIATE; ${migrations[version]} PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
};
