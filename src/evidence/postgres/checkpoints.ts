/** The newest checkpoints of a shared log: two, so that one is there for whoever began to read on from the older. */
import { z } from "zod";
import type { Checkpoint } from "../store.ts";
import type { SharedDatabase } from "./shared-database.ts";

const kept = 2;
/** A checkpoint is a text of some size. */
const patienceMs = 15_000;

const row = z.object({ position: z.int(), text: z.string() });

/** @throws UnreachableLogError, DatabaseRefusal */
export const readCheckpoint = async ({ query, schema }: SharedDatabase): Promise<Checkpoint | null> => {
  const newest = `SELECT position, text FROM ${schema}.checkpoints ORDER BY position DESC LIMIT 1`;
  const [found] = await query(newest, [], patienceMs);
  return found === undefined ? null : row.parse(found);
};

/** @throws UnreachableLogError, DatabaseRefusal */
export const writeCheckpoint = ({ transaction, schema }: SharedDatabase, { position, text }: Checkpoint) =>
  transaction(async ({ query }) => {
    await query(
      `INSERT INTO ${schema}.checkpoints (position, text) VALUES ($1, $2)
       ON CONFLICT (position) DO UPDATE SET text = excluded.text, saved = now()`,
      [position, text],
      patienceMs,
    );
    await query(
      `DELETE FROM ${schema}.checkpoints WHERE position NOT IN
         (SELECT position FROM ${schema}.checkpoints ORDER BY position DESC LIMIT ${kept})`,
    );
  });
