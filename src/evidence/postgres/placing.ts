/** Gives rows their place in the shared log. Rows that come again, because an answer was lost, go nowhere. */
import { z } from "zod";
import { ensureBlocks } from "./blocks.ts";
import { DatabaseRefusal } from "./database-error.ts";
import type { Outgoing } from "./outgoing-row.ts";
import type { SharedDatabase } from "./shared-database.ts";

export interface PlacedHead {
  position: number;
  hash: string;
}

const answer = z.object({ head_position: z.int(), head_hash: z.string(), placed_rows: z.int(), block_rows: z.int() });

/** PostgreSQL has no partition for a row. */
const noPartition = "23514";
/** Every column is a list in the call. */
const placeOnce = async (database: SharedDatabase, { writer, replica, rows }: Outgoing) => {
  const [row] = await database.query(
    `SELECT * FROM ${database.schema}.place_rows($1::uuid, $2, $3, $4::bigint[], $5::text[], $6::text[], $7::bigint[],
       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bytea[])`,
    [
      writer,
      replica,
      JSON.stringify(replica),
      rows.map(({ sequence }) => sequence),
      rows.map(({ subject }) => subject),
      rows.map(({ subject }) => JSON.stringify(subject)),
      rows.map(({ at }) => at),
      rows.map(({ kind }) => kind),
      rows.map(({ experiment }) => experiment),
      rows.map(({ arm }) => arm),
      rows.map(({ outcome }) => outcome),
      rows.map(({ body }) => body),
      // As bytes: texts in PostgreSQL can't hold the character 0.
      rows.map(({ content }) => (content === null ? null : Buffer.from(content))),
    ],
  );
  return answer.parse(row);
};

/** All of the batch has its place afterwards. Gives the head of the log. @throws UnreachableLogError, DatabaseRefusal */
export const placeRows = async (database: SharedDatabase, batch: Outgoing): Promise<PlacedHead> => {
  const place = async (): Promise<PlacedHead> => {
    const { head_position: position, head_hash: hash, placed_rows, block_rows } = await placeOnce(database, batch);
    // Half a block ahead is early enough, and most batches do not get there.
    if (
      blockAt(position + block_rows / 2, block_rows) !== blockAt(position - placed_rows + block_rows / 2, block_rows)
    ) {
      await ensureBlocks(database);
    }
    return { position, hash };
  };
  try {
    return await place();
  } catch (error) {
    if (!(error instanceof DatabaseRefusal && error.code === noPartition)) throw error;
    await ensureBlocks(database, batch.rows.length);
    return place();
  }
};

const blockAt = (position: number, blockRows: number): number => Math.floor((position - 1) / blockRows);
