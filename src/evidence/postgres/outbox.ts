/**
 * What this process has appended and the shared log has not: sent in batches, one at a time and in order, and spooled
 * when it is not taken soon. Rows that earlier processes left in the spool go first.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import type { Entry } from "../entry.ts";
import { type Outgoing, outgoingOf } from "./outgoing-row.ts";
import type { Spool } from "./spool.ts";

interface Waiting {
  sequence: number;
  entry: Entry;
  /** By the monotonic clock: when it must be safe somewhere. */
  due: number;
}

interface OutboxParts {
  /** A UUID that no other outbox ever has. */
  writer: string;
  replica: string;
  spool: Spool;
  clock: Pick<Clock, "after" | "monotonic">;
  random: Random;
  /** Rows in memory; beyond that new ones are dropped and counted. */
  maxRows: number;
  /** A row is sent within this, milliseconds, together with those that came meanwhile. */
  sendMs: number;
  /** Gives the rows their place, or rejects; a row that has it already is passed over. */
  place(batch: Outgoing): Promise<void>;
  onFirstFailure(detail: string): void;
  onRecovery(dropped: number): void;
  /** Rows are neither in the log nor in the spool. */
  onUnsafe(detail: string): void;
  /** What earlier processes left can't be read; it stays in the spool. */
  onLostBacklog(detail: string): void;
}

export interface Outbox {
  /** Drops and counts it when there are too many, or the outbox is closed. */
  add(entry: Entry): void;
  /** Rows of this process that are not known to have their place, oldest first. */
  waiting(): readonly Waiting[];
  /** Rows of earlier processes. */
  backlog(): number;
  isSending(): boolean;
  /** Sends what waits without waiting for the next try; the first call begins with the backlog. */
  sendSoon(): void;
  /** Resolves once all that was added before has its place or is spooled; rejects if it is neither. */
  flush(): Promise<void>;
  /** `failure` is why rows are not placed, `unsafe` why they are not even spooled; null when all is well. */
  health(): { pending: number; dropped: number; failure: string | null; unsafe: string | null };
  /** Flushes, at most for so long, and spools the rest. Rejects when that fails: rows are lost. */
  close(ms: number): Promise<void>;
}

/** A row is in the log or in the spool within this. */
const safeMs = 50;
/** So many that wait are sent without waiting for the time. */
const sendRows = 100;
const mostRows = 500;
/** The event loop stands still for so many. */
const spoolRows = 200;
const firstRetryMs = 250;
const longestRetryMs = 5_000;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const createOutbox = (parts: OutboxParts): Outbox => {
  const { writer, replica, spool, clock, random, maxRows, sendMs, place } = parts;
  const queue: Waiting[] = [];
  let backlog = spool.size();
  let sequence = 0;
  /** Own rows up to here are in the spool, or were placed. */
  let spooledTo = 0;
  let dropped = 0;
  let failure: string | null = null;
  let unsafe: string | null = null;
  let retryMs = firstRetryMs;
  let sending: Promise<void> | null = null;
  let cancelSend: (() => void) | null = null;
  let cancelSpool: (() => void) | null = null;
  let closed = false;

  const outgoing = (rows: readonly Waiting[]): Outgoing => ({
    writer,
    replica,
    rows: rows.map((row) => outgoingOf(row.entry, row.sequence)),
  });

  /** Rows that are neither placed nor spooled. */
  const unsafeRows = (most: number): Waiting[] => {
    // Sequences in the queue have no gaps.
    const from = Math.max(0, spooledTo + 1 - (queue[0]?.sequence ?? 0));
    return queue.slice(from, from + most);
  };

  /** Throws, with nothing forgotten, when the spool will not have them. */
  const spoolSome = (): void => {
    const rows = unsafeRows(spoolRows);
    if (rows.length === 0) return;
    try {
      spool.write(outgoing(rows));
    } catch (error) {
      if (unsafe === null) parts.onUnsafe(textOf(error));
      unsafe = textOf(error);
      throw error;
    }
    spooledTo = rows.at(-1)?.sequence ?? spooledTo;
    unsafe = null;
  };

  /** Spools what is due, some in each turn of the event loop. */
  const keepSafe = (): void => {
    cancelSpool = null;
    const [oldest] = unsafeRows(1);
    if (oldest === undefined || closed) return;
    const waitMs = oldest.due - clock.monotonic();
    try {
      if (waitMs <= 0) spoolSome();
      scheduleSpool(Math.max(0, waitMs));
    } catch {
      scheduleSpool(firstRetryMs);
    }
  };

  const scheduleSpool = (ms: number): void => {
    cancelSpool ??= clock.after(ms, keepSafe);
  };

  /** Null when there is none, or none that can be read: a damaged spool must not keep new rows from the log. */
  const nextOfBacklog = (): Outgoing | null => {
    if (backlog === 0) return null;
    try {
      const left = spool.oldest(mostRows, writer);
      if (left === null) backlog = 0;
      return left;
    } catch (error) {
      backlog = 0;
      parts.onLostBacklog(textOf(error));
      return null;
    }
  };

  /** The backlog goes first, so that what was seen first stands first. */
  const nextBatch = (): Outgoing | null =>
    nextOfBacklog() ?? (queue.length === 0 ? null : outgoing(queue.slice(0, mostRows)));

  const arrived = (batch: Outgoing): void => {
    const last = batch.rows.at(-1)?.sequence ?? 0;
    if (batch.writer !== writer) {
      spool.forget(batch.writer, last);
      backlog -= batch.rows.length;
      return;
    }
    const hasSpooled = (batch.rows[0]?.sequence ?? 0) <= spooledTo;
    queue.splice(0, batch.rows.length);
    spooledTo = Math.max(spooledTo, last);
    if (unsafeRows(1).length === 0) unsafe = null;
    if (hasSpooled) spool.forget(writer, last);
  };

  const sendOne = async (): Promise<void> => {
    try {
      const batch = nextBatch();
      if (batch === null) return;
      await place(batch);
      arrived(batch);
    } catch (error) {
      if (failure === null && !closed) parts.onFirstFailure(textOf(error));
      failure = textOf(error);
      throw error;
    }
    if (failure !== null) parts.onRecovery(dropped);
    failure = null;
    retryMs = firstRetryMs;
  };

  const isWaiting = (): boolean => backlog > 0 || queue.length > 0;

  const scheduleSend = (ms: number): void => {
    cancelSend?.();
    cancelSend = closed ? null : clock.after(ms, () => send().catch(() => {}));
  };

  const scheduleNext = (): void => {
    if (!isWaiting()) return;
    if (failure === null) {
      scheduleSend(backlog > 0 || queue.length >= sendRows ? 0 : sendMs);
      return;
    }
    scheduleSend(retryMs * (0.5 + random()));
    retryMs = Math.min(longestRetryMs, retryMs * 2);
  };

  const send = (): Promise<void> => {
    cancelSend?.();
    cancelSend = null;
    sending ??= sendOne().finally(() => {
      sending = null;
      scheduleNext();
    });
    return sending;
  };

  const spoolAll = (): void => {
    while (unsafeRows(1).length > 0) spoolSome();
  };

  const flush = async (): Promise<void> => {
    const last = sequence;
    while (backlog > 0 || (queue[0]?.sequence ?? Number.POSITIVE_INFINITY) <= last) {
      try {
        await send();
      } catch {
        return spoolAll();
      }
    }
  };

  return {
    add(entry) {
      if (closed || queue.length >= maxRows) {
        dropped += 1;
        return;
      }
      sequence += 1;
      queue.push({ sequence, entry, due: clock.monotonic() + safeMs });
      scheduleSpool(safeMs);
      if (failure === null && sending === null) {
        if (queue.length === sendRows) scheduleSend(0);
        else if (cancelSend === null) scheduleSend(sendMs);
      }
    },
    waiting: () => queue,
    backlog: () => backlog,
    isSending: () => sending !== null,
    sendSoon: () => {
      if (isWaiting()) scheduleSend(0);
    },
    flush,
    health: () => ({ pending: queue.length + backlog, dropped, failure, unsafe }),
    async close(ms) {
      const patience = new Promise<void>((resolve) => clock.after(ms, resolve));
      await Promise.race([flush().catch(() => {}), patience]);
      closed = true;
      cancelSend?.();
      cancelSpool?.();
      spoolAll();
    },
  };
};
