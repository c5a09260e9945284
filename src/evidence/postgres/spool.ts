/**
 * Where rows wait on this machine while the shared log can't be reached: a SQLite file that one process uses. A row leaves
 * it only when the log has it. It holds rows of earlier processes, too, that ended before theirs had arrived.
 */
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { inOneLine } from "../rows.ts";
import { lockForWriting } from "../writer-lock.ts";
import type { Outgoing, OutgoingRow } from "./outgoing-row.ts";

interface Head {
  position: number;
  hash: string;
}

export interface Spool {
  /** One transaction; throws, with nothing written, when the disk will not have it or the bound is reached. */
  write(outgoing: Outgoing): void;
  /** The oldest rows, of one writer; null when there are none. Of `except` none are given. */
  oldest(limit: number, except: string): Outgoing | null;
  /** The log has the rows of this writer up to this sequence. */
  forget(writer: string, sequence: number): void;
  /** Rows in it. */
  size(): number;
  /** The head of the log as it was last noted; null in a new spool. */
  notedHead(): Head | null;
  noteHead(head: Head): void;
  close(): void;
}

const version = 1;
/** "Cspl": so that no other file is taken for a spool, nor the other way round. */
const applicationId = 0x4373706c;

const tables = `
  CREATE TABLE rows (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    writer     TEXT NOT NULL,
    replica    TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    subject    TEXT NOT NULL,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    experiment TEXT,
    arm        TEXT,
    outcome    TEXT,
    body       TEXT NOT NULL,
    content    TEXT,
    UNIQUE (writer, sequence)
  ) STRICT;
  CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;`;

const spooledRow = z.object({
  writer: z.string(),
  replica: z.string(),
  sequence: z.int(),
  subject: z.string(),
  at: z.int(),
  kind: z.string(),
  experiment: z.string().nullable(),
  arm: z.string().nullable(),
  outcome: z.string().nullable(),
  body: z.string(),
  content: z.string().nullable(),
});

const pragma = (database: DatabaseSync, name: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);

const isEmpty = (database: DatabaseSync): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;

const prepareFile = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    if (isEmpty(database)) {
      database.exec("PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL");
      database.exec(
        `BEGIN IMMEDIATE; ${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; COMMIT`,
      );
    }
    if (pragma(database, "application_id") !== applicationId) {
      throw new Error(
        `${path} is no spool but something else, such as the evidence of a Candor without evidence.postgres: give evidence.path another name`,
      );
    }
    if (pragma(database, "user_version") > version) throw new Error(`${path} is of a newer Candor: upgrade Candor`);
    // As with a file of evidence, see `entry-writer.ts`. Kept content is wiped when it goes.
    database.exec("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 250");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

const createSpool = (database: DatabaseSync, path: string, maxRows: number, unlock: () => void): Spool => {
  const count = database.prepare("SELECT count(*) AS rows FROM rows");
  const insert = database.prepare(
    `INSERT INTO rows (writer, replica, sequence, subject, at, kind, experiment, arm, outcome, body, content)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const first = database.prepare("SELECT writer FROM rows WHERE writer <> ? ORDER BY id LIMIT 1");
  const ofWriter = database.prepare("SELECT * FROM rows WHERE writer = ? ORDER BY sequence LIMIT ?");
  const remove = database.prepare("DELETE FROM rows WHERE writer = ? AND sequence <= ?");
  const readHead = database.prepare("SELECT position, hash FROM head");
  const writeHead = database.prepare(
    "INSERT INTO head VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position, hash = excluded.hash",
  );
  let size = Number(count.get()?.rows ?? 0);

  const insertRow = ({ writer, replica }: Outgoing, row: OutgoingRow): void => {
    const { sequence, subject, at, kind, experiment, arm, outcome, body, content } = row;
    insert.run(writer, replica, sequence, subject, at, kind, experiment, arm, outcome, body, content);
  };

  return {
    write(outgoing) {
      if (size + outgoing.rows.length > maxRows) throw new Error(`${path} holds as many rows as it may: ${size}`);
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const row of outgoing.rows) insertRow(outgoing, row);
        database.exec("COMMIT");
      } catch (error) {
        // A full disk ends the transaction by itself.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
      size += outgoing.rows.length;
    },
    oldest(limit, except) {
      const writer = first.get(except)?.writer;
      if (writer === undefined) return null;
      const { success, data, error } = z.array(spooledRow).safeParse(ofWriter.all(writer, limit));
      if (!success) throw new Error(`${path} holds what is no row: ${inOneLine(error)}`);
      const [row] = data;
      return row === undefined ? null : { writer: row.writer, replica: row.replica, rows: data };
    },
    forget(writer, sequence) {
      if (size > 0) size -= Number(remove.run(writer, sequence).changes);
    },
    size: () => size,
    notedHead() {
      const row = readHead.get();
      return row === undefined ? null : { position: Number(row.position), hash: String(row.hash) };
    },
    noteHead: ({ position, hash }) => {
      writeHead.run(position, hash);
    },
    close() {
      try {
        database.close();
      } finally {
        unlock();
      }
    },
  };
};

/** @throws when another process uses the file, it is something else, or it can't be opened or written */
export const openSpool = (path: string, maxRows: number): Spool => {
  const unlock = lockForWriting(path);
  let database: DatabaseSync | undefined;
  try {
    database = prepareFile(path);
    return createSpool(database, path, maxRows, unlock);
  } catch (error) {
    database?.close();
    unlock();
    throw error;
  }
};
