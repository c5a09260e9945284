/** An entry on its way to the shared log: what is sent to the database, and meanwhile kept in the spool. */
import { bodyText } from "../chain.ts";
import type { NewEntry } from "../entry.ts";
import { columnsOf } from "../rows.ts";

export interface OutgoingRow {
  /** 1, 2, 3, ... of its writer: tells the database what it has already. */
  sequence: number;
  subject: string;
  /** Whole milliseconds. */
  at: number;
  kind: string;
  experiment: string | null;
  arm: string | null;
  outcome: string | null;
  /** As it is stored and chained. */
  body: string;
  content: string | null;
}

/** Rows of one process from one opening of its store to its end, oldest first. */
export interface Outgoing {
  /** A UUID of that opening: no other one ever has it, so its sequence can't be somebody else's. */
  writer: string;
  replica: string;
  rows: readonly OutgoingRow[];
}

export const outgoingOf = ({ subject, at, body }: NewEntry, sequence: number): OutgoingRow => ({
  sequence,
  subject,
  at,
  kind: body.kind,
  ...columnsOf(body),
  body: bodyText(body),
  content: body.kind === "observation" ? body.content : null,
});
