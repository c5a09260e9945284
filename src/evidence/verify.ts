/**
 * Checks the hash chain. It proves that no row between the first and the last was changed, removed, put in or moved. It
 * cannot prove that nothing was cut off at the end, or that the whole file was not written anew: for that, give it an
 * anchor, a position and hash noted down elsewhere at an earlier time. Kept content is not in the chain, so that it can
 * be erased: compare it with its row's `contentHash`.
 */
import { genesis, linkHash } from "./chain.ts";
import { openForReading } from "./reader.ts";
import { BrokenRowError } from "./rows.ts";

export interface Anchor {
  position: number;
  hash: string;
}

export type Verification =
  /** `lost` counts positions without a row: entries that could not be written in time. */
  { kind: "intact"; rows: number; lost: number; head: Anchor } | { kind: "broken"; position: number; problem: string };

export const verifyFile = (path: string, anchor: Anchor | null = null): Verification => {
  const log = openForReading(path);
  try {
    let rows = 0;
    let head: Anchor = { position: 0, hash: "" };
    let anchored = anchor === null;
    for (const entry of log.entries()) {
      const { position, replica } = entry;
      const broken = (problem: string): Verification => ({ kind: "broken", position, problem });
      const previous = rows === 0 ? genesis(replica) : head.hash;
      if (linkHash(previous, entry) !== entry.hash) {
        return broken("this row or the one before it was changed, removed, put in or moved");
      }
      if (anchor !== null && position === anchor.position) {
        if (entry.hash !== anchor.hash) return broken("the hash here is not the anchor's: the log was written anew");
        anchored = true;
      }
      rows += 1;
      head = { position, hash: entry.hash };
    }
    if (!anchored) {
      return {
        kind: "broken",
        position: head.position,
        problem: `the log ends before the anchor at ${anchor?.position}: rows were cut off`,
      };
    }
    return { kind: "intact", rows, lost: head.position - rows, head };
  } catch (error) {
    if (error instanceof BrokenRowError) return { kind: "broken", position: error.position, problem: error.message };
    throw error;
  } finally {
    log.close();
  }
};
