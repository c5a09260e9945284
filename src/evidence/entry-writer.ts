/** An evidence file in the hands of the one process that writes it: opened whole or not at all, batch by batch. */
import { DatabaseSync } from "node:sqlite";
import { bodyText, genesis, linkHash } from "./chain.ts";
import type { Entry } from "./entry.ts";
import { columnsOf } from "./rows.ts";
import { migrate } from "./schema.ts";
import { lockForWriting } from "./writer-lock.ts";

/** The last row on disk; position 0 and the chain's genesis before the first. */
interface Head {
  position: number;
  hash: string;
}

export interface EntryWriter {
  /** For reading; only `write` writes. */
  database: DatabaseSync;
  head(): Head;
  /** One transaction; throws, with nothing written, when the disk will not have it. */
  write(batch: readonly Entry[]): void;
  /** How long `write` waits for somebody else's lock, milliseconds; the event loop stands still meanwhile. 0 at first. */
  setPatience(ms: number): void;
  close(): void;
}

const openingPatienceMs = 1_000;

const prepareFile = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: openingPatienceMs });
  try {
    migrate(database, path);
    // NORMAL: a killed process loses nothing that was committed; a power cut may lose the last commits, never the file.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON");
    // A quarter of SQLite's usual 1,000 pages: smaller checkpoints, as the event loop stands still for each of them.
    database.exec("PRAGMA wal_autocheckpoint = 250; PRAGMA busy_timeout = 0");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

const readHead = (database: DatabaseSync, replica: string): Head => {
  const row = database.prepare("SELECT position, hash FROM entries ORDER BY position DESC LIMIT 1").get();
  return row === undefined
    ? { position: 0, hash: genesis(replica) }
    : { position: Number(row.position), hash: String(row.hash) };
};

const createWriter = (database: DatabaseSync, replica: string, unlock: () => void): EntryWriter => {
  let head = readHead(database, replica);
  const insert = database.prepare(
    `INSERT INTO entries (position, replica, subject, at, kind, experiment, arm, outcome, body, content, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");

  /** The head after this entry. */
  const append = (previous: Head, { position, replica: writer, subject, at, body }: Entry): Head => {
    const { experiment, arm, outcome } = columnsOf(body);
    const text = bodyText(body);
    const hash = linkHash(previous.hash, { position, replica: writer, subject, at, body: text });
    insert.run(
      position,
      writer,
      subject,
      at,
      body.kind,
      experiment,
      arm,
      outcome,
      text,
      body.kind === "observation" ? body.content : null,
      hash,
    );
    return { position, hash };
  };

  return {
    database,
    head: () => head,
    write(batch) {
      begin.run();
      try {
        const next = batch.reduce(append, head);
        commit.run();
        head = next;
      } catch (error) {
        // A full disk ends the transaction by itself.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    // PRAGMA takes no parameters; the number is ours.
    setPatience: (ms) => database.exec(`PRAGMA busy_timeout = ${Math.trunc(ms)}`),
    close() {
      try {
        database.close();
      } finally {
        unlock();
      }
    },
  };
};

/**
 * @param replica begins the chain of a new file; an older file's chain goes on, whoever began it
 * @throws when another process writes the file, a newer Candor or something else wrote it, or it can't be opened
 */
export const openWriter = (path: string, replica: string): EntryWriter => {
  const unlock = lockForWriting(path);
  let database: DatabaseSync | undefined;
  try {
    database = prepareFile(path);
    return createWriter(database, replica, unlock);
  } catch (error) {
    database?.close();
    unlock();
    throw error;
  }
};
