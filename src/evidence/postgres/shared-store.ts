/**
 * The evidence log that many replicas share, in PostgreSQL. Rows are taken at once and sent in small batches off the
 * caller's path; what the database has not taken soon waits in a spool file on this machine, so that neither a database
 * that is away nor a killed process loses more than the last moment. No failure reaches the caller.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Random } from "../../kernel/random.ts";
import { accepted } from "../accepted-entry.ts";
import { noteAnchors } from "../anchors.ts";
import { genesis } from "../chain.ts";
import type { Entry, NewEntry } from "../entry.ts";
import { passes, toEntry } from "../rows.ts";
import { type EvidenceStore, type SharedLog, UnreachableLogError } from "../store.ts";
import { dropOldBlocks, ensureBlocks, type Retention } from "./blocks.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoints.ts";
import { type Follower, followLog } from "./follower.ts";
import { type Pace, watchHead } from "./head-watch.ts";
import { IncompatibleLogError, type Migration, migrate } from "./log-schema.ts";
import { createOutbox } from "./outbox.ts";
import { placeRows } from "./placing.ts";
import { placedAfter, placedBefore, placedLink, type Snapshot } from "./reading.ts";
import { openSharedDatabase, type Patience, type SharedDatabase } from "./shared-database.ts";
import { openSpool } from "./spool.ts";

export interface SharedStoreOptions {
  /** Of the database, with its password: postgres://USER:PASSWORD@HOST:PORT/DATABASE. */
  url: string;
  /** Name of the log. */
  name: string;
  /** The spool, a file of this process alone, whose folder must exist. */
  path: string;
  /** Name of this process in its rows. */
  replica: string;
  clock: Pick<Clock, "after" | "monotonic">;
  random: Random;
  log: Pick<Log, "warn" | "info">;
  /** Rows in memory that the database has not taken; beyond that new ones are dropped and counted. */
  maxPendingRows: number;
  /** Rows in the spool; what comes beyond waits in memory alone. */
  maxSpooledRows: number;
  retention?: Retention | undefined;
  /** A row is sent within this, milliseconds, and spooled after 50 ms if it was not taken by then. */
  sendMs?: number;
  /** Of a log that is begun now: rows of one block. */
  blockRows?: number;
  migrations?: readonly Migration[];
  patience?: Patience;
  pace?: Pace;
}

export interface SharedStore extends EvidenceStore {
  shared: SharedLog;
  /** For what else replicas share; closed with the store. */
  database: SharedDatabase;
}

interface Head {
  position: number;
  hash: string;
}

const notTried = "the evidence database was not reached yet";
const retentionEveryMs = 600_000;
/** A database that does not answer keeps neither a start nor an end waiting for longer. */
const startMs = 5_000;
const endMs = 2_000;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** PostgreSQL has texts of whole characters, without the character 0. */
const acceptedHere = (given: NewEntry): NewEntry => {
  const entry = accepted(given);
  if (entry.subject.includes("\0") || !entry.subject.isWellFormed()) {
    throw new TypeError("this is no entry of the evidence log: subject: expected whole characters other than 0");
  }
  return entry;
};

/**
 * Resolves with a database that is away, too: then everything is spooled until it is back.
 * @throws IncompatibleLogError when the log is of a newer Candor or something else; an Error when the spool can't be used
 */
export const openSharedStore = async (options: SharedStoreOptions): Promise<SharedStore> => {
  const { name, path, replica, clock, random, log, retention, sendMs = 15, blockRows = 1_000_000 } = options;
  const open = (): SharedDatabase =>
    openSharedDatabase({
      ...{ url: options.url, log: name, replica, random },
      ...(options.patience === undefined ? {} : { patience: options.patience }),
    });
  const database = open();
  /** Apart from the rest, so that slow reads, however many, hold up no row. */
  const placing = open();
  const spool = openSpool(path, options.maxSpooledRows);
  const writer = randomUUID();
  const followers = new Set<Follower>();
  let head: Head = spool.notedHead() ?? { position: 0, hash: genesis(name) };
  /** What `head` was when it was last known how much of the outbox is in it. */
  let base = head.position;
  let prepared = false;
  let refusal: IncompatibleLogError | null = null;
  /** Why the log can't be used; at first, that nobody has tried. */
  let unreached: string | null = notTried;
  let endOfFollowing: string | null = null;
  let closing: Promise<void> | null = null;
  let firstTry = (): void => {};
  const tried = new Promise<void>((resolve) => {
    firstTry = resolve;
  });

  const onHead = (answer: Head, before: number): void => {
    const isOld = answer.position < head.position && answer.position >= before;
    const moved = !isOld && answer.position !== head.position;
    if (!isOld) head = answer;
    if (!outbox.isSending()) base = head.position;
    const back = unreached !== null;
    if (back && unreached !== notTried) log.info({ log: name }, "the shared log is reached again");
    unreached = null;
    firstTry();
    if (moved || back) for (const follower of followers) follower.wake();
    if (back) outbox.sendSoon();
  };

  const onFailure = (error: unknown): void => {
    const isNew = unreached === null || unreached === notTried;
    unreached = textOf(error);
    if (isNew) log.warn({ log: name, detail: unreached }, "the shared log can't be used now; evidence is spooled");
    firstTry();
  };

  /** On every new connection: meanwhile another replica may have brought the log to a newer version. */
  const prepare = async (): Promise<void> => {
    try {
      await migrate(database, { log: name, schema: database.schema, blockRows }, options.migrations);
      await ensureBlocks(database);
      prepared = true;
      refusal = null;
    } catch (error) {
      if (error instanceof IncompatibleLogError) refusal = error;
      throw error;
    }
  };

  /** While it is known that the database is away, nobody waits for it. */
  const checkReachable = (): void => {
    const reason = refusal?.message ?? unreached;
    if (reason !== null) throw new UnreachableLogError(reason);
  };

  const outbox = createOutbox({
    writer,
    replica,
    spool,
    clock,
    random,
    maxRows: options.maxPendingRows,
    sendMs,
    async place(batch) {
      checkReachable();
      const now = await placeRows(placing, batch);
      // Another replica's rows may have come behind these, and be known already.
      const moved = now.position > head.position;
      if (moved) head = now;
      base = head.position;
      if (moved) for (const follower of followers) follower.wake();
    },
    onFirstFailure: (detail) =>
      log.warn({ log: name, detail }, "evidence can't be placed in the shared log; it waits here"),
    onRecovery: (dropped) => log.info({ log: name, dropped }, "evidence is placed in the shared log again"),
    onLostBacklog: (detail) =>
      log.warn({ path, detail }, "evidence of an earlier process can't be read from the spool"),
    onUnsafe: (detail) => log.warn({ path, detail }, "evidence can't be spooled; it is kept in memory alone"),
  });

  const watch = watchHead({
    ...{ database, log: name, clock, random, prepare, onHead, onFailure },
    ...(options.pace === undefined ? {} : { pace: options.pace }),
    known: () => head.position,
  });
  let endAnchors = (): void => {};

  let cancelRetention = (): void => {};
  const scheduleRetention = (bound: Retention): void => {
    if (closing !== null) return;
    cancelRetention = clock.after(retentionEveryMs * (0.5 + random()), () => {
      dropOldBlocks(database, bound)
        .then((rows) => rows > 0 && log.info({ log: name, rows }, "evidence beyond the retention was dropped"))
        .catch((error: unknown) => log.warn({ log: name, detail: textOf(error) }, "old evidence could not be dropped"))
        .finally(() => scheduleRetention(bound));
    });
  };
  const reading = async <T>(read: () => Promise<T>): Promise<T> => {
    checkReachable();
    return read();
  };

  /** What is not in the log at this moment comes behind it. `waiting` must be from before the snapshot. */
  const behind = (waiting: ReturnType<typeof outbox.waiting>, { head: end, sequence }: Snapshot): Entry[] =>
    waiting
      .filter((row) => row.sequence > sequence)
      .map(({ entry }, index) => ({ ...entry, position: end.position + outbox.backlog() + index + 1 }));

  const close = async (): Promise<void> => {
    try {
      await outbox.close(endMs);
    } catch (error) {
      log.warn({ path, detail: textOf(error) }, "evidence is lost: it could be neither placed nor spooled");
      throw error;
    } finally {
      cancelRetention();
      for (const follower of followers) follower.close();
      watch.close();
      endAnchors();
      if (prepared) spool.noteHead(head);
      spool.close();
      await Promise.all([database.close(), placing.close()]);
    }
  };

  await Promise.race([tried, new Promise<void>((resolve) => clock.after(startMs, resolve))]);
  if (refusal !== null) {
    await close().catch(() => {});
    throw refusal;
  }
  endAnchors = noteAnchors({ path: `log ${name}`, head: () => head, clock, log });
  if (retention !== undefined) scheduleRetention(retention);

  return {
    database,
    append(given) {
      const position = base + outbox.backlog() + outbox.waiting().length + 1;
      const entry: Entry = { ...acceptedHere(given), position, replica };
      outbox.add(entry);
      return entry;
    },
    flush: outbox.flush,
    since: (position, limit, filter = {}) =>
      reading(async () => {
        const waiting = [...outbox.waiting()];
        const snapshot = await placedAfter(database, writer, position, limit, filter);
        const stored = snapshot.rows.map(({ row }) => toEntry(row));
        const later = behind(waiting, snapshot).filter((entry) => entry.position > position && passes(entry, filter));
        return [...stored, ...later].slice(0, limit);
      }),
    latest: (limit, filter = {}, before = Number.MAX_SAFE_INTEGER) =>
      reading(async () => {
        const waiting = [...outbox.waiting()];
        const snapshot = await placedBefore(database, writer, before, limit, filter);
        const later = behind(waiting, snapshot).filter((entry) => entry.position < before && passes(entry, filter));
        return [...later.reverse(), ...snapshot.rows.map(({ row }) => toEntry(row))].slice(0, limit);
      }),
    link: (position) => reading(() => placedLink(database, position)),
    head: () => head,
    health() {
      const { unsafe, failure, ...rest } = outbox.health();
      return { ...rest, writable: unsafe === null, lastError: unsafe ?? endOfFollowing ?? unreached ?? failure };
    },
    close() {
      closing ??= close();
      return closing;
    },
    shared: {
      follow(position, listener, caughtUp) {
        const follower = followLog({
          read: (after, limit) => reading(() => placedAfter(database, writer, after, limit)),
          position,
          writer,
          clock,
          listener,
          caughtUp,
          onEnd(reason) {
            endOfFollowing = `the shared log can't be followed any further, restart this replica: ${reason}`;
            log.warn(
              { log: name, detail: reason },
              "the shared log can't be followed any further; restart this replica",
            );
          },
        });
        followers.add(follower);
        return () => {
          follower.close();
          followers.delete(follower);
        };
      },
      connected: () => endOfFollowing === null && refusal === null && watch.connected(),
      alone: database.alone,
      checkpoint: () => reading(() => readCheckpoint(database)),
      saveCheckpoint: (checkpoint) => reading(() => writeCheckpoint(database, checkpoint)),
    },
  };
};
