/** Reads rows of an evidence file back into entries. A row passes the schema before anything believes it. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { z } from "zod";
import { type Entry, entryBody } from "./entry.ts";
import type { EntryFilter } from "./store.ts";

const row = z.object({
  position: z.number(),
  replica: z.string(),
  subject: z.string(),
  at: z.number(),
  body: z.string(),
  content: z.string().nullable(),
  hash: z.string(),
});

export interface StoredEntry extends Entry {
  hash: string;
}

/** A row that can't be what Candor wrote; `position` says where. */
export class BrokenRowError extends Error {
  override readonly name = "BrokenRowError";
  readonly position: number;

  constructor(position: number, detail: string) {
    super(`the row at position ${position} can't be read: ${detail}`);
    this.position = position;
  }
}

const toEntry = (raw: Record<string, unknown>): StoredEntry => {
  const { position, replica, subject, at, body, content, hash } = row.parse(raw);
  try {
    const parsed = entryBody.parse(JSON.parse(body));
    return {
      position,
      replica,
      subject,
      at,
      hash,
      body: parsed.kind === "observation" ? { ...parsed, content } : parsed,
    };
  } catch (error) {
    throw new BrokenRowError(
      position,
      error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error),
    );
  }
};

const columns = "position, replica, subject, at, body, content, hash";

const conditions = ({
  subject,
  kinds,
  experiment,
  arm,
  outcome,
}: EntryFilter): { sql: string; values: SQLInputValue[] } => {
  const parts: { sql: string; values: SQLInputValue[] }[] = [];
  const equal = (column: string, value: string | undefined): void => {
    if (value !== undefined) parts.push({ sql: `${column} = ?`, values: [value] });
  };
  equal("subject", subject);
  equal("experiment", experiment);
  equal("arm", arm);
  equal("outcome", outcome);
  if (kinds !== undefined) parts.push({ sql: `kind IN (${kinds.map(() => "?").join(", ")})`, values: kinds });
  return { sql: parts.map((part) => ` AND ${part.sql}`).join(""), values: parts.flatMap((part) => part.values) };
};

export const rowsAfter = (
  database: DatabaseSync,
  position: number,
  limit: number,
  filter: EntryFilter = {},
): StoredEntry[] => {
  const { sql, values } = conditions(filter);
  return database
    .prepare(`SELECT ${columns} FROM entries WHERE position > ?${sql} ORDER BY position LIMIT ?`)
    .all(position, ...values, limit)
    .map(toEntry);
};

export const rowsBefore = (
  database: DatabaseSync,
  position: number,
  limit: number,
  filter: EntryFilter = {},
): StoredEntry[] => {
  const { sql, values } = conditions(filter);
  return database
    .prepare(`SELECT ${columns} FROM entries WHERE position < ?${sql} ORDER BY position DESC LIMIT ?`)
    .all(position, ...values, limit)
    .map(toEntry);
};

/** Whether an entry that is not on disk yet passes the filter; the same rule as `conditions` in SQL. */
export const passes = ({ subject, body }: Entry, filter: EntryFilter): boolean => {
  const seen = body.kind === "observation" ? body : null;
  return (
    (filter.subject === undefined || filter.subject === subject) &&
    (filter.kinds === undefined || filter.kinds.includes(body.kind)) &&
    (filter.experiment === undefined || filter.experiment === seen?.experiment) &&
    (filter.arm === undefined || filter.arm === seen?.arm) &&
    (filter.outcome === undefined || filter.outcome === seen?.outcome)
  );
};
