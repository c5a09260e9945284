/** Reads rows of an evidence file back into entries. A row passes the schema before anything believes it. */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Entry, entryBody } from "./entry.ts";
import { conditions, sqliteDialect } from "./filter-sql.ts";
import type { ChainLink, EntryFilter } from "./store.ts";

const storedRow = z.object({
  position: z.int(),
  replica: z.string(),
  subject: z.string(),
  at: z.int(),
  kind: z.string(),
  experiment: z.string().nullable(),
  arm: z.string().nullable(),
  outcome: z.string().nullable(),
  body: z.string(),
  content: z.string().nullable(),
  hash: z.string(),
});
export type StoredRow = z.infer<typeof storedRow>;

/** A row that can't be what Candor wrote; `position` says where. */
export class BrokenRowError extends Error {
  override readonly name = "BrokenRowError";
  readonly position: number;

  constructor(position: number, detail: string) {
    super(`the row at position ${position} can't be read: ${detail}`);
    this.position = position;
  }
}

/** What the schema has to say, in one line that names the field. */
export const inOneLine = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");

/** @throws BrokenRowError */
export const checkRow = (raw: Record<string, unknown>): StoredRow => {
  const { success, data, error } = storedRow.safeParse(raw);
  if (!success) throw new BrokenRowError(Number(raw.position), inOneLine(error));
  return data;
};

const parseJson = ({ position, body }: StoredRow): unknown => {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new BrokenRowError(position, `body: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** The columns by which rows are found: they repeat what the body says. */
export const columnsOf = (body: Entry["body"]) => {
  const seen = body.kind === "observation" ? body : null;
  return {
    experiment: seen?.experiment ?? null,
    arm: seen?.arm ?? null,
    outcome: body.kind === "decision" ? body.action : (seen?.outcome ?? null),
  };
};

/** Only the body is in the chain. */
const checkColumns = (row: StoredRow, body: Entry["body"]): void => {
  const { experiment, arm, outcome } = columnsOf(body);
  const agree = row.kind === body.kind && row.experiment === experiment && row.arm === arm && row.outcome === outcome;
  if (!agree) throw new BrokenRowError(row.position, "the columns kind, experiment, arm, outcome contradict its body");
};

/** @throws BrokenRowError */
export const toEntry = (row: StoredRow): Entry => {
  const { position, replica, subject, at, content } = row;
  const { success, data: body, error } = entryBody.safeParse(parseJson(row));
  if (!success) throw new BrokenRowError(position, `body: ${inOneLine(error)}`);
  checkColumns(row, body);
  return { position, replica, subject, at, body: body.kind === "observation" ? { ...body, content } : body };
};

/** What `checkRow` takes. */
export const columns = "position, replica, subject, at, kind, experiment, arm, outcome, body, content, hash";

/** Oldest first. @throws BrokenRowError */
export const rowsAfter = (
  database: DatabaseSync,
  position: number | bigint,
  limit: number,
  filter: EntryFilter = {},
): StoredRow[] => {
  const { sql, values } = conditions(filter, sqliteDialect);
  return database
    .prepare(`SELECT ${columns} FROM entries WHERE position > ?${sql} ORDER BY position LIMIT ?`)
    .all(position, ...values, limit)
    .map(checkRow);
};

/** Newest first. @throws BrokenRowError */
export const rowsBefore = (
  database: DatabaseSync,
  position: number,
  limit: number,
  filter: EntryFilter = {},
): StoredRow[] => {
  const { sql, values } = conditions(filter, sqliteDialect);
  return database
    .prepare(`SELECT ${columns} FROM entries WHERE position < ?${sql} ORDER BY position DESC LIMIT ?`)
    .all(position, ...values, limit)
    .map(checkRow);
};

/** The hash of the row at `position` and of the one before it; null where no row is. */
export const linkAt = (database: DatabaseSync, position: number, beginning: string): ChainLink | null => {
  const rows = database
    .prepare("SELECT position, hash FROM entries WHERE position <= ? ORDER BY position DESC LIMIT 2")
    .all(position);
  const [row, before] = rows;
  if (row?.position !== position) return null;
  return { hash: String(row.hash), previous: before === undefined ? beginning : String(before.hash) };
};

/** Whether an entry that is not on disk yet passes the filter; the same rule as `conditions` in SQL. */
export const passes = ({ subject, body }: Entry, filter: EntryFilter): boolean => {
  const seen = body.kind === "observation" ? body : null;
  const findings = body.kind === "decision" ? body.findings : [];
  const { experiment, arm, outcome } = columnsOf(body);
  return (
    (filter.subject === undefined || filter.subject === subject) &&
    (filter.kinds === undefined || filter.kinds.includes(body.kind)) &&
    (filter.experiment === undefined || filter.experiment === experiment) &&
    (filter.arm === undefined || filter.arm === arm) &&
    (filter.outcome === undefined || filter.outcome === outcome) &&
    (filter.harmful === undefined || filter.harmful === seen?.harmful) &&
    (filter.policy === undefined || findings.some(({ policy }) => policy === filter.policy)) &&
    (filter.result === undefined || findings.some(({ result }) => result === filter.result))
  );
};
