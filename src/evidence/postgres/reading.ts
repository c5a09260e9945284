/**
 * Reads rows of a shared log, each time together with where the log stood at that moment, so that what is not in it yet
 * can be put behind it without anything missing or coming twice.
 */
import { z } from "zod";
import { conditions, postgresDialect } from "../filter-sql.ts";
import { checkRow, columns, type StoredRow } from "../rows.ts";
import type { ChainLink, EntryFilter } from "../store.ts";
import type { Row, SharedDatabase } from "./shared-database.ts";

interface Head {
  position: number;
  hash: string;
}

export interface PlacedRow {
  row: StoredRow;
  writer: string;
}

export interface Snapshot {
  head: Head;
  /** What the log has of the writer that was asked for; 0 before its first row. */
  sequence: number;
  rows: PlacedRow[];
}

/** Finding rows by a rare filter, or very many, may mean reading much of the log. */
const readingMs = 15_000;
const pageRows = 1_000;

const snapshotHead = z.object({ head_position: z.int(), head_hash: z.string(), last_sequence: z.int() });
const headRow = z.object({ position: z.int(), hash: z.string() });

/** Where a statement got no row of the log itself, the log is not there. */
const headOf = (row: Row | undefined) => snapshotHead.parse(row);

const placedRow = (raw: Row): PlacedRow => {
  const content = raw.content instanceof Uint8Array ? new TextDecoder().decode(raw.content) : raw.content;
  return { row: checkRow({ ...raw, content }), writer: String(raw.writer) };
};

/** With $1, $2, ... for the question marks, beginning after `taken` of them. */
const numbered = (sql: string, taken: number): string => {
  let number = taken;
  return sql.replaceAll("?", () => `$${++number}`);
};

const where = (filter: EntryFilter, taken: number): { sql: string; values: string[] } => {
  const { sql, values } = conditions(filter, postgresDialect);
  // No text in PostgreSQL has the character 0, nor may a question have it.
  if (values.some((value) => value.includes("\0"))) return { sql: " AND FALSE", values: [] };
  return { sql: numbered(sql, taken), values };
};

const read = async (
  database: SharedDatabase,
  writer: string,
  bound: { position: number; side: ">" | "<" },
  limit: number,
  filter: EntryFilter,
): Promise<Snapshot> => {
  const { sql, values } = where(filter, 3);
  const order = bound.side === ">" ? "ASC" : "DESC";
  const rows = await database.query(
    `SELECT l.position AS head_position, l.hash AS head_hash, coalesce(w.last_sequence, 0) AS last_sequence, e.*
     FROM ${database.schema}.log l
     LEFT JOIN ${database.schema}.writers w ON w.writer = $1::uuid
     LEFT JOIN LATERAL (
       SELECT ${columns}, writer FROM ${database.schema}.entries
       WHERE position ${bound.side} $2${sql} ORDER BY position ${order} LIMIT $3
     ) e ON TRUE
     ORDER BY e.position ${order}`,
    [writer, bound.position, limit, ...values],
    sql === "" && limit <= pageRows ? undefined : readingMs,
  );
  const { head_position: position, head_hash: hash, last_sequence: sequence } = headOf(rows[0]);
  return { head: { position, hash }, sequence, rows: rows.filter((row) => row.position !== null).map(placedRow) };
};

/** Oldest first. @throws BrokenRowError, UnreachableLogError, DatabaseRefusal */
export const placedAfter = (
  database: SharedDatabase,
  writer: string,
  position: number,
  limit: number,
  filter: EntryFilter = {},
): Promise<Snapshot> => read(database, writer, { position, side: ">" }, limit, filter);

/** Newest first. @throws BrokenRowError, UnreachableLogError, DatabaseRefusal */
export const placedBefore = (
  database: SharedDatabase,
  writer: string,
  position: number,
  limit: number,
  filter: EntryFilter = {},
): Promise<Snapshot> => read(database, writer, { position, side: "<" }, limit, filter);

/** What stands before the oldest row that is there: the chain's beginning, or the anchor of what was dropped. */
export const readBeginning = async ({ query, schema }: Pick<SharedDatabase, "query" | "schema">): Promise<Head> => {
  const [row] = await query(
    `SELECT position, hash FROM ${schema}.anchors UNION ALL SELECT 0, beginning FROM ${schema}.log
     ORDER BY position DESC LIMIT 1`,
  );
  return headRow.parse(row);
};

/** The hash of the row at `position` and of the one before it; null where no row is. */
export const placedLink = async (database: SharedDatabase, position: number): Promise<ChainLink | null> => {
  if (!Number.isSafeInteger(position)) return null;
  const rows = await database.query(
    `SELECT position, hash FROM ${database.schema}.entries WHERE position IN ($1, $2) ORDER BY position DESC`,
    [position, position - 1],
  );
  const [row, before] = rows.map((raw) => headRow.parse(raw));
  if (row?.position !== position) return null;
  return { hash: row.hash, previous: (before ?? (await readBeginning(database))).hash };
};
