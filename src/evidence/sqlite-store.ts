/**
 * The evidence log in one SQLite file. Rows are taken at once, written in small batches off the caller's path, and kept
 * in memory while the disk fails. Nothing here ever changes or deletes a row.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { accepted } from "./accepted-entry.ts";
import { noteAnchors } from "./anchors.ts";
import { genesis } from "./chain.ts";
import type { Entry } from "./entry.ts";
import { openWriter } from "./entry-writer.ts";
import { linkAt, passes, rowsAfter, rowsBefore, toEntry } from "./rows.ts";
import type { SoleStore } from "./store.ts";

export interface SqliteStoreOptions {
  /** File, whose folder must exist; `:memory:` keeps nothing. */
  path: string;
  /** Name of this process in its rows. It may change between starts: the chain is the file's and goes on. */
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
/** Only the last flush waits for somebody else's lock: nobody is served any more, and there is no later try. */
const closingPatienceMs = 1_000;

/** @throws when the file is written by another process, was written by a newer Candor, or can't be opened */
export const openSqliteStore = (options: SqliteStoreOptions): SoleStore => {
  const { path, replica, clock, log, maxPendingRows, flushMs = 50, flushRows = 100 } = options;
  const file = openWriter(path, replica);
  const endAnchors = noteAnchors({ path, head: file.head, clock, log });
  let nextPosition = file.head().position + 1;
  let pending: Entry[] = [];
  let dropped = 0;
  let lastError: string | null = null;
  let retryMs = firstRetryMs;
  let cancelTimer: (() => void) | null = null;
  let closing: Promise<void> | null = null;
  let closed = false;

  const cancel = (): void => {
    cancelTimer?.();
    cancelTimer = null;
  };

  const schedule = (ms: number): void => {
    cancel();
    cancelTimer = clock.after(ms, tick);
  };

  const succeeded = (): void => {
    if (lastError !== null) log.info({ path, dropped }, "evidence is written again");
    lastError = null;
    retryMs = firstRetryMs;
  };

  const failed = (error: unknown): void => {
    const detail = error instanceof Error ? error.message : String(error);
    if (lastError === null) {
      log.warn({ path, detail, pending: pending.length }, "evidence can't be written; kept in memory");
    }
    lastError = detail;
  };

  /** Throws, with nothing written and nothing forgotten, when the disk will not have it. */
  const writeBatch = (): void => {
    const batch = pending.slice(0, flushRows);
    try {
      file.write(batch);
    } catch (error) {
      failed(error);
      throw error;
    }
    pending = pending.slice(batch.length);
    succeeded();
  };

  /** One batch a turn of the event loop, so that a backlog does not hold up exchanges. */
  const tick = (): void => {
    cancelTimer = null;
    if (closed || pending.length === 0) return;
    try {
      writeBatch();
      if (pending.length > 0) schedule(0);
    } catch {
      schedule(retryMs);
      retryMs = Math.min(longestRetryMs, retryMs * 2);
    }
  };

  /** Rows that come in meanwhile are not waited for. */
  const flush = async (): Promise<void> => {
    const last = nextPosition - 1;
    const waiting = (): boolean => (pending[0]?.position ?? Number.POSITIVE_INFINITY) <= last;
    while (waiting()) {
      writeBatch();
      // What waited for a retry waits no longer: the usual rhythm again.
      if (pending.length > 0) schedule(flushMs);
      else cancel();
      if (waiting()) await nextTurn();
    }
  };

  const close = async (): Promise<void> => {
    try {
      file.setPatience(closingPatienceMs);
      while (pending.length > 0) await flush();
    } finally {
      closed = true;
      cancel();
      endAnchors();
      if (pending.length > 0) log.warn({ path, rows: pending.length }, "evidence is lost: it could not be written");
      file.close();
    }
  };

  return {
    shared: null,
    append(given) {
      const entry: Entry = { ...accepted(given), position: nextPosition, replica };
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
    flush,
    since(position, limit, filter = {}) {
      const stored = rowsAfter(file.database, position, limit, filter).map(toEntry);
      if (stored.length === limit) return stored;
      const waiting = pending.filter((entry) => entry.position > position && passes(entry, filter));
      return [...stored, ...waiting].slice(0, limit);
    },
    latest(limit, filter = {}, before = Number.MAX_SAFE_INTEGER) {
      const waiting = pending.filter((entry) => entry.position < before && passes(entry, filter)).reverse();
      if (waiting.length >= limit) return waiting.slice(0, limit);
      const stored = rowsBefore(file.database, before, limit - waiting.length, filter);
      return [...waiting, ...stored.map(toEntry)];
    },
    link: (position) => linkAt(file.database, position, genesis(replica)),
    head: file.head,
    health: () => ({ writable: lastError === null, pending: pending.length, dropped, lastError }),
    close() {
      closing ??= close();
      return closing;
    },
  };
};
