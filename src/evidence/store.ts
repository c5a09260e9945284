/** What the rest of the program asks of an evidence store. Its own test-suite runs against every implementation. */
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

export interface EvidenceStore {
  /**
   * Gives the entry its position at once and writes it within the flush interval (50 ms or 100 rows, whichever is
   * first, as long as the event loop turns). Never throws for I/O: a failing disk is reported by `health` and the rows
   * are kept, up to a bound, until it recovers. Throws a TypeError for what is no entry and could never be read back.
   */
  append(entry: NewEntry): Entry;
  /** Resolves once all that was appended before the call is on disk; rejects if it could not be written. */
  flush(): Promise<void>;
  /** Entries after `position`, oldest first, at most `limit`; includes rows that are not on disk yet. */
  since(position: number, limit: number, filter?: EntryFilter): Entry[];
  /** The newest entries before `before` (default: the end), newest first. */
  latest(limit: number, filter?: EntryFilter, before?: number): Entry[];
  /** Null for a row that is not on disk, or not there at all. */
  link(position: number): ChainLink | null;
  /** Last position and the hash of the last row on disk. */
  head(): { position: number; hash: string };
  health(): { writable: boolean; pending: number; dropped: number; lastError: string | null };
  /** Flushes and closes; idempotent. Rejects, closed nevertheless, if rows could not be written: they are lost. */
  close(): Promise<void>;
}
