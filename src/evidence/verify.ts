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

/** What an anchor says of the row at its own position. */
export const againstAnchor = ({ position, hash }: Anchor, anchor: Anchor): Broken | null =>
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

interface Checking {
  /** Rows in the order of positions; says what is wrong at the first one that is. @throws BrokenRowError */
  take(row: StoredRow): Broken | null;
  end(): Verification;
}

/** @param beginning what stands before the first row; null in a file, whose first row says who began it */
export const checkChain = (anchor: Anchor | null, beginning: Anchor | null): Checking => {
  let count = 0;
  let head: Anchor = beginning ?? { position: 0, hash: "" };
  let anchored = anchor === null || (beginning !== null && anchor.position === beginning.position);
  return {
    take(row) {
      const { position, replica, hash } = row;
      const previous = count === 0 && beginning === null ? genesis(replica) : head.hash;
      if (linkHash(previous, row) !== hash) {
        const problem = "this row or the one before it was changed, removed, put in or moved";
        return { kind: "broken", position, problem };
      }
      // Throws where a row says something else outside the chain than in it.
      toEntry(row);
      const contradiction = anchor === null ? null : againstAnchor(row, anchor);
      if (contradiction !== null) return contradiction;
      anchored ||= position === anchor?.position;
      count += 1;
      head = { position, hash };
      return null;
    },
    end() {
      if (anchor !== null && !anchored) return missingAnchor(head, anchor);
      return { kind: "intact", rows: count, lost: head.position - (beginning?.position ?? 0) - count, head };
    },
  };
};

/** A row that can't be read is a broken one. */
export const asBroken = (error: unknown): Broken => {
  if (error instanceof BrokenRowError) return { kind: "broken", position: error.position, problem: error.message };
  throw error;
};

/** @throws when there is no such file, or it is no evidence file */
export const verifyFile = (path: string, anchor: Anchor | null = null): Verification => {
  const log = openForReading(path);
  try {
    const checking = checkChain(anchor, null);
    for (const row of log.rows()) {
      const broken = checking.take(row);
      if (broken !== null) return broken;
    }
    return checking.end();
  } catch (error) {
    return asBroken(error);
  } finally {
    log.close();
  }
};
