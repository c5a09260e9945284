/** Reads a shared log from its first row to its end, for auditors: verification and replays. Only ever reads. */
import { randomUUID } from "node:crypto";
import type { Entry } from "../entry.ts";
import { type StoredRow, toEntry } from "../rows.ts";
import { type Anchor, againstAnchor, asBroken, checkChain, type Verification } from "../verify.ts";
import { DatabaseRefusal } from "./database-error.ts";
import { placedAfter, readBeginning } from "./reading.ts";
import { openSharedDatabase } from "./shared-database.ts";

export interface LogReader {
  /** What stands before the oldest row: position 0, or where the retention has dropped everything to. */
  beginning: Anchor;
  /** The last row when it was opened. */
  head: Anchor;
  /** Every row that was there when it was opened, read a page at a time. @throws BrokenRowError, UnreachableLogError */
  rows(): AsyncGenerator<StoredRow>;
  /** The same, as entries. */
  entries(): AsyncGenerator<Entry>;
  close(): Promise<void>;
}

const pageRows = 1_000;
const noTable = "42P01";

export const isDatabaseUrl = (text: string): boolean => /^postgres(ql)?:/.test(text);

/** @throws UnreachableLogError, DatabaseRefusal, an Error for a URL that is none and where there is no such log */
export const openLogForReading = async (url: string, log: string): Promise<LogReader> => {
  const database = openSharedDatabase({ url, log, replica: "reader", random: Math.random });
  const nobody = randomUUID();
  try {
    const { head } = await placedAfter(database, nobody, 0, 0);
    // Read after the head: what is dropped in between can't leave a gap that the beginning does not tell of.
    const beginning = await readBeginning(database);
    const readRows = async function* (): AsyncGenerator<StoredRow> {
      let position = beginning.position;
      while (position < head.position) {
        const { rows } = await placedAfter(database, nobody, position, pageRows);
        for (const { row } of rows) if (row.position <= head.position) yield row;
        const last = rows.at(-1);
        if (last === undefined) return;
        position = last.row.position;
      }
    };
    return {
      head,
      beginning,
      rows: readRows,
      async *entries() {
        for await (const row of readRows()) yield toEntry(row);
      },
      close: database.close,
    };
  } catch (error) {
    await database.close();
    const isMissing = error instanceof DatabaseRefusal && error.code === noTable;
    throw isMissing ? new Error(`the database has no log of the name ${log}: give its name with --log`) : error;
  }
};

const verifyRows = async (log: LogReader, anchor: Anchor | null): Promise<Verification> => {
  const { beginning, head } = log;
  if (anchor !== null && anchor.position < beginning.position) {
    throw new Error(`rows to position ${beginning.position} were dropped: the anchor has to be one from there on`);
  }
  const contradiction = anchor === null ? null : againstAnchor(beginning, anchor);
  if (contradiction !== null) return contradiction;
  const checking = checkChain(anchor, beginning);
  for await (const row of log.rows()) {
    const broken = checking.take(row);
    if (broken !== null) return broken;
  }
  const end = checking.end();
  if (end.kind === "broken") return end;
  // Positions have no gaps here, and the log itself says where it ends.
  if (end.lost > 0)
    return { kind: "broken", position: end.head.position, problem: `${end.lost} rows before it are not there` };
  if (end.head.position === head.position && end.head.hash === head.hash) return end;
  return {
    kind: "broken",
    position: end.head.position,
    problem: `the log says that it ends at ${head.position}, with another row: rows were cut off`,
  };
};

/** As `verifyFile`. @throws UnreachableLogError, DatabaseRefusal; an Error for an anchor whose rows were dropped */
export const verifyLog = async (url: string, log: string, anchor: Anchor | null = null): Promise<Verification> => {
  const reader = await openLogForReading(url, log);
  try {
    return await verifyRows(reader, anchor);
  } catch (error) {
    return asBroken(error);
  } finally {
    await reader.close();
  }
};
