/**
 * Checks the hash chain. It proves that no row between the first and the last was changed, removed, put in or moved. It
 * cannot prove that nothing was cut off at the end, or that the whole file was not written anew: for that, give it an
 * anchor, a position and hash noted down elsewhere at an earlier time. Kept content is not in the chain, so that it can
 * be erased: compare it with its row's `contentHash`.
 */
import { genesis, linkHash } from "./chain.ts";
import { openForReading } from "./reader.ts";
import { BrokenRowError, type StoredRow, toEntry } from "./rows.ts";

export interface Anchor {
  position: number;
  hash: string;
}

export type Verification =
  /** `lost` counts positions without a row: entries that could not be written in time. */
  { kind: "intact"; rows: number; lost: number; head: Anchor } | { kind: "broken"; position: number; problem: string };

type Broken = Extract<Verification, { kind: "broken" }>;

const againstAnchor = ({ position, hash }: StoredRow, anchor: Anchor): Broken | null =>
  position === anchor.position && hash !== anchor.hash
    ? { kind: "broken", position, problem: "the hash here is not the anchor's: the log was written anew" }
    : null;

const missingAnchor = (head: Anchor, anchor: Anchor): Broken => ({
  kind: "broken",
  position: anchor.position,
  problem:
    head.position < anchor.position
      ? `the log ends at ${head.position}, before the anchor: rows were cut off`
      : "there is no row where the anchor is: the log was written anew",
});

const verifyRows = (rows: Iterable<StoredRow>, anchor: Anchor | null): Verification => {
  let count = 0;
  let anchored = anchor === null;
  let head: Anchor = { position: 0, hash: "" };
  for (const row of rows) {
    const { position, replica, hash } = row;
    const previous = count === 0 ? genesis(replica) : head.hash;
    if (linkHash(previous, row) !== hash) {
      return {
        kind: "broken",
        position,
        problem: "this row or the one before it was changed, removed, put in or moved",
      };
    }
    // Throws where a row says something else outside the chain than in it.
    toEntry(row);
    const contradiction = anchor === null ? null : againstAnchor(row, anchor);
    if (contradiction !== null) return contradiction;
    anchored ||= position === anchor?.position;
    count += 1;
    head = { position, hash };
  }
  if (anchor !== null && !anchored) return missingAnchor(head, anchor);
  return { kind: "intact", rows: count, lost: head.position - count, head };
};

/** @throws when there is no such file, or it is no evidence file */
export const verifyFile = (path: string, anchor: Anchor | null = null): Verification => {
  const log = openForReading(path);
  try {
    return verifyRows(log.rows(), anchor);
  } catch (error) {
    if (error instanceof BrokenRowError) return { kind: "broken", position: error.position, problem: error.message };
    throw error;
  } finally {
    log.close();
  }
};
