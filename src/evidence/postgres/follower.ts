/**
 * Tells a listener all rows of a shared log in the order of positions, each once, whatever happens to the connection. It
 * checks the chain from row to row, so a log that was cut short or written anew under it (restored from a copy, or taken
 * over by a standby that lagged behind) is noticed, and never followed on as if nothing had happened.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../kernel/clock.ts";
import { linkHash } from "../chain.ts";
import { toEntry } from "../rows.ts";
import { type Placed, UnreachableLogError } from "../store.ts";
import { DatabaseRefusal } from "./database-error.ts";
import type { PlacedRow, Snapshot } from "./reading.ts";

interface FollowerParts {
  /** Rows after a position, at most `limit`. */
  read(position: number, limit: number): Promise<Snapshot>;
  /** Begins after this position. */
  position: number;
  /** Of the rows that are this store's own. */
  writer: string;
  clock: Pick<Clock, "after">;
  listener: (page: readonly Placed[]) => void;
  caughtUp: () => void;
  /** It can't go on, ever: why, in words for an operator. */
  onEnd(reason: string): void;
}

export interface Follower {
  /** The log may have moved. */
  wake(): void;
  close(): void;
}

const pageRows = 1_000;
/** For a failure to read that no news of the log follows. */
const retryMs = 1_000;
/** Between two reads: of a busy log each is told of many rows, so that reads do not grow with rows times replicas. */
const restMs = 250;

/** Why a page can't be what follows; null where it can. */
const contradiction = (page: readonly PlacedRow[], cursor: number, hash: string | null): string | null => {
  let expected = cursor + 1;
  let previous = hash;
  for (const { row } of page) {
    if (row.position !== expected) {
      return `rows from position ${expected} to ${row.position - 1} are not there any more: they were dropped before this replica had read them`;
    }
    if (previous !== null && linkHash(previous, row) !== row.hash) {
      return `the row at position ${expected} does not follow the one before it: the log was written anew`;
    }
    previous = row.hash;
    expected += 1;
  }
  return null;
};

export const followLog = (parts: FollowerParts): Follower => {
  const { read, writer, clock, listener, caughtUp, onEnd } = parts;
  let cursor = parts.position;
  let hash: string | null = null;
  /** The head when the log was reached first. */
  let goal: number | null = null;
  let isCaughtUp = false;
  let closed = false;
  let moved = true;
  let wake = (): void => {};

  const sleep = (ms: number | null): Promise<void> =>
    new Promise((resolve) => {
      const cancel = ms === null ? () => {} : clock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
      if (moved || closed) wake();
    });

  const rest = (): Promise<void> =>
    new Promise((resolve) => {
      clock.after(restMs, resolve);
    });

  const tell = ({ head, rows }: Snapshot): void => {
    const problem =
      head.position < cursor
        ? `the log ends at ${head.position}, and this replica has read to ${cursor}: rows were cut off`
        : contradiction(rows, cursor, hash);
    if (problem !== null) throw new Error(problem);
    const last = rows.at(-1)?.row;
    const page = rows.map((placed): Placed => ({ entry: toEntry(placed.row), own: placed.writer === writer }));
    goal ??= head.position;
    if (last !== undefined) {
      cursor = last.position;
      hash = last.hash;
      listener(page);
    }
    if (!isCaughtUp && cursor >= goal && !closed) {
      isCaughtUp = true;
      caughtUp();
    }
  };

  const run = async (): Promise<void> => {
    while (!closed) {
      moved = false;
      try {
        const page = await read(cursor, pageRows);
        if (closed) return;
        tell(page);
        if (page.rows.length === pageRows) {
          await nextTurn();
        } else {
          await rest();
          await sleep(null);
        }
      } catch (error) {
        const mayPass = error instanceof UnreachableLogError || error instanceof DatabaseRefusal;
        if (!mayPass) throw error;
        await sleep(retryMs);
      }
    }
  };
  run().catch((error: unknown) => {
    closed = true;
    onEnd(error instanceof Error ? error.message : String(error));
  });

  return {
    wake() {
      moved = true;
      wake();
    },
    close() {
      closed = true;
      wake();
    },
  };
};
