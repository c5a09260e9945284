/**
 * What the rest of the program asks of an evidence store. Its own test-suite runs against every implementation: a file
 * that one process writes, and a log that many replicas share.
 */
import type { Entry, EntryBody, findingResults, NewEntry } from "./entry.ts";

export interface EntryFilter {
  subject?: string;
  kinds?: EntryBody["kind"][];
  experiment?: string;
  arm?: string;
  /** Of an observation; of a decision, its action. */
  outcome?: string;
  /** Observations that were judged harmful, or judged not to be. */
  harmful?: boolean;
  /** Decisions in which this policy found something. */
  policy?: string;
  /** Decisions with a finding of this result. */
  result?: (typeof findingResults)[number];
}

/** Where a row stands in the hash chain: SHA-256, hex. */
export interface ChainLink {
  hash: string;
  /** Hash of the row before it, or the chain's beginning. */
  previous: string;
}

/** An entry that has its final place in a log that many write. */
export interface Placed {
  entry: Entry;
  /** Whether this store appended it. Own entries are placed in the order in which they were appended. */
  own: boolean;
}

/** A fold over the log up to `position`, as text, so that a start need not read all of it. */
export interface Checkpoint {
  position: number;
  text: string;
}

/** What a log that many replicas write can do besides. No call here may hold up or fail an exchange. */
export interface SharedLog {
  /**
   * Calls back with all entries after `position`, own ones and others', in order of positions, each once, a page at a
   * time, and goes on as more are placed; while the log can't be reached, it waits. `caughtUp` is called once, when all
   * that was in the log at the call has been told. The returned function ends it. A listener must not throw.
   */
  follow(position: number, listener: (page: readonly Placed[]) => void, caughtUp: () => void): () => void;
  /**
   * Whether the log was reached a moment ago (a few seconds). While it is not, own entries are spooled on this machine,
   * and what others see is unknown.
   */
  connected(): boolean;
  /** Does the work while no other replica does work of this name. Rejects when the log can't be reached. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** The newest checkpoint, or null; rejects when the log can't be reached. */
  checkpoint(): Promise<Checkpoint | null>;
  /** Keeps a checkpoint instead of older ones. */
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>;
}

export interface EvidenceStore {
  /** Null where this process is the only one that writes the log. */
  shared: SharedLog | null;
  /**
   * Gives the entry its position at once and writes it within the flush interval (50 ms or 100 rows, whichever is
   * first, as long as the event loop turns). Never throws for I/O: a failing disk is reported by `health` and the rows
   * are kept, up to a bound, until it recovers. Throws a TypeError for what is no entry and could never be read back.
   * In a shared log the position is the next one as far as is known here; the final one is told by `shared.follow`.
   */
  append(entry: NewEntry): Entry;
  /** Resolves once all that was appended before the call is on disk; rejects if it could not be written. */
  flush(): Promise<void>;
  /**
   * Entries after `position`, oldest first, at most `limit`; includes own rows that are not on disk yet. This and the
   * two below reject with an `UnreachableLogError` while a shared log can't be reached.
   */
  since(position: number, limit: number, filter?: EntryFilter): Entry[] | Promise<Entry[]>;
  /** The newest entries before `before` (default: the end), newest first. */
  latest(limit: number, filter?: EntryFilter, before?: number): Entry[] | Promise<Entry[]>;
  /** Null for a row that is not on disk, or not there at all. */
  link(position: number): ChainLink | null | Promise<ChainLink | null>;
  /** Last position and the hash of the last row on disk. */
  head(): { position: number; hash: string };
  health(): { writable: boolean; pending: number; dropped: number; lastError: string | null };
  /** Flushes and closes; idempotent. Rejects, closed nevertheless, if rows could not be written: they are lost. */
  close(): Promise<void>;
}

/** A log on one machine, which one process writes: it answers at once. */
export interface SoleStore extends EvidenceStore {
  shared: null;
  since(position: number, limit: number, filter?: EntryFilter): Entry[];
  latest(limit: number, filter?: EntryFilter, before?: number): Entry[];
  link(position: number): ChainLink | null;
}

/** The log is on another machine and can't be read now; what is appended meanwhile is kept. */
export class UnreachableLogError extends Error {
  override readonly name = "UnreachableLogError";
}
