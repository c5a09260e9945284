/** The filter of entries as a condition in SQL: one rule for every database, which differ in a few words. */
import type { EntryFilter } from "./store.ts";

/** The function that gives where a text first stands within another, from 1; 0 where it does not. */
type Locate = "instr" | "strpos";

/**
 * Whether a body holds this judgement. Sought as text, as bodies are canonical JSON and quotes within its strings are
 * escaped: a row that somebody damaged must not keep the others from being read.
 */
export const judgedAs = (locate: Locate, harmful: boolean): string => `${locate}(body, '"harmful":${harmful}') > 0`;

export interface Dialect {
  locate: Locate;
  /** The column of kinds where several are asked for. */
  severalKinds: string;
}

export const sqliteDialect: Dialect = {
  locate: "instr",
  // Several kinds are most of the log: in the order of positions it is read faster than by the index of kinds. The plus
  // keeps SQLite from the latter.
  severalKinds: "+kind",
};

export const postgresDialect: Dialect = { locate: "strpos", severalKinds: "kind" };

/** Begins with AND, unless it is empty. Values stand in it as question marks. */
export const conditions = (
  { subject, kinds, experiment, arm, outcome, harmful, policy, result }: EntryFilter,
  { locate, severalKinds }: Dialect,
): { sql: string; values: string[] } => {
  const parts: { sql: string; values: string[] }[] = [];
  const equal = (column: string, value: string | undefined): void => {
    if (value !== undefined) parts.push({ sql: `${column} = ?`, values: [value] });
  };
  /** Of a decision: whether it has a finding with this text; see `judgedAs`. */
  const found = (text: string): void => {
    parts.push({ sql: `${locate}(body, ?) > 0`, values: [text] });
  };
  equal("subject", subject);
  equal("experiment", experiment);
  equal("arm", arm);
  equal("outcome", outcome);
  if (harmful !== undefined) parts.push({ sql: judgedAs(locate, harmful), values: [] });
  if (policy !== undefined) found(`"policy":${JSON.stringify(policy)},"result"`);
  if (result !== undefined) found(`"result":"${result}"`);
  const column = kinds !== undefined && kinds.length > 1 ? severalKinds : "kind";
  // In PostgreSQL an empty list is no list.
  if (kinds?.length === 0) parts.push({ sql: "FALSE", values: [] });
  else if (kinds !== undefined) parts.push({ sql: `${column} IN (${kinds.map(() => "?").join(", ")})`, values: kinds });
  return { sql: parts.map((part) => ` AND ${part.sql}`).join(""), values: parts.flatMap((part) => part.values) };
};
