/**
 * The evidence log in one SQLite file. Rows are taken at once, written in small batches off the caller's path, and kept
 * in memory while the disk fails. Nothing here ever changes or deletes a row.
 */
import { DatabaseSync } from "node:sqlite";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { genesis, lasting, linkHash } from "./chain.ts";
import type { Entry } from "./entry.ts";
import { passes, rowsAfter, rowsBefore } from "./rows.ts";
import { migrate } from "./schema.ts";
import type { EvidenceStore } from "./store.ts";
import { lockForWriting } from "./writer-lock.ts";

export interface SqliteStoreOptions {
  /** File, whose folder must exist; `:memory:` keeps nothing. */
  path: string;
  /** Name of this process in the log; begins its own chain. */
  replica: string;
  clock: Pick<Clock, "after">;
  log: Pick<Log, "warn" | "info">;
  /** Rows kept while the disk fails; beyond that new ones are dropped and counted. */
  maxPendingRows: number;
  /** A row waits no longer than this, milliseconds. */
  flushMs?: number;
  /** Rows of one transaction; so many waiting are written without waiting for the time. */
  flushRows?: number;
}

const firstRetryMs = 250;
const longestRetryMs = 5_000;

/** @throws when the file is locked by another writer, was written by a newer Candor, or can't be opened */
export const openSqliteStore = (options: SqliteStoreOptions): EvidenceStore => {
  const { path, replica, clock, log, maxPendingRows, flushMs = 50, flushRows = 100 } = options;
  const unlock = lockForWriting(path);
  const database = new DatabaseSync(path, { timeout: 1_000 });
  // NORMAL: a killed process loses nothing that was committed; a power cut may lose the last commits, never the file.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON");
  migrate(database, path);

  const last = rowsBefore(database, Number.MAX_SAFE_INTEGER, 1)[0];
  let written = { position: last?.position ?? 0, hash: last?.hash ?? genesis(replica) };
  let nextPosition = written.position + 1;
  let pending: Entry[] = [];
  let dropped = 0;
  let lastError: string | null = null;
  let retryMs = firstRetryMs;
  let cancelTimer: (() => void) | null = null;
  let closed = false;

  const insert = database.prepare(
    `INSERT INTO entries (position, replica, subject, at, kind, experiment, arm, outcome, body, content, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");

  const write = (entry: Entry, hash: string): void => {
    const { position, subject, at, body } = entry;
    const seen = body.kind === "observation" ? body : null;
    insert.run(
      position,
      replica,
      subject,
      at,
      body.kind,
      seen?.experiment ?? null,
      seen?.arm ?? null,
      seen?.outcome ?? null,
      canonicalJson(lasting(body)),
      seen?.content ?? null,
      hash,
    );
  };

  /** One transaction; throws, with nothing written, when the disk will not have it. */
  const writeBatch = (): void => {
    const batch = pending.slice(0, flushRows);
    let head = written;
    begin.run();
    try {
      for (const entry of batch) {
        head = { position: entry.position, hash: linkHash(head.hash, entry) };
        write(entry, head.hash);
      }
      commit.run();
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
    written = head;
    pending = pending.slice(batch.length);
  };

  const succeeded = (): void => {
    if (lastError !== null) log.info({ path }, "evidence is written again");
    lastError = null;
    retryMs = firstRetryMs;
  };

  const failed = (error: unknown): void => {
    const detail = error instanceof Error ? error.message : String(error);
    if (lastError === null)
      log.warn({ path, detail, pending: pending.length }, "evidence can't be written; kept in memory");
    lastError = detail;
  };

  const schedule = (ms: number): void => {
    cancelTimer?.();
    cancelTimer = clock.after(ms, tick);
  };

  /** One batch a turn of the event loop, so that a backlog does not hold up exchanges. */
  const tick = (): void => {
    cancelTimer = null;
    if (closed || pending.length === 0) return;
    try {
      writeBatch();
      succeeded();
      if (pending.length > 0) schedule(0);
    } catch (error) {
      failed(error);
      schedule(retryMs);
      retryMs = Math.min(longestRetryMs, retryMs * 2);
    }
  };

  const flush = (): void => {
    try {
      while (pending.length > 0) writeBatch();
      succeeded();
    } catch (error) {
      failed(error);
      throw error;
    }
  };

  return {
    append({ subject, at, body }) {
      const entry: Entry = { position: nextPosition, replica, subject, at: Math.round(at), body };
      nextPosition += 1;
      if (pending.length >= maxPendingRows || closed) {
        // Its position stays empty in the log, which is how a reader can tell that something is missing.
        dropped += 1;
        return entry;
      }
      pending.push(entry);
      if (lastError === null) {
        if (pending.length === flushRows) schedule(0);
        else if (cancelTimer === null) schedule(flushMs);
      }
      return entry;
    },
    async flush() {
      flush();
    },
    since(position, limit, filter = {}) {
      const stored = rowsAfter(database, position, limit, filter);
      const waiting = pending.filter((entry) => entry.position > position && passes(entry, filter));
      return [...stored.map(({ hash: _, ...entry }) => entry), ...waiting].slice(0, limit);
    },
    latest(limit, filter = {}, before = Number.MAX_SAFE_INTEGER) {
      const waiting = pending.filter((entry) => entry.position < before && passes(entry, filter)).reverse();
      if (waiting.length >= limit) return waiting.slice(0, limit);
      const stored = rowsBefore(database, before, limit - waiting.length, filter);
      return [...waiting, ...stored.map(({ hash: _, ...entry }) => entry)];
    },
    head: () => written,
    health: () => ({ writable: lastError === null, pending: pending.length, dropped, lastError }),
    async close() {
      if (closed) return;
      cancelTimer?.();
      try {
        flush();
      } finally {
        closed = true;
        database.close();
        unlock();
      }
    },
  };
};
