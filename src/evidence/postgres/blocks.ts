/**
 * The blocks of a shared log: partitions of so many positions each, made before they are needed and dropped whole. What
 * is dropped leaves an anchor, from which the chain can still be checked; nothing goes that a kept checkpoint does not
 * cover, as a replica may be about to read on from it.
 */
import type { Session, SharedDatabase } from "./shared-database.ts";

/** What may be dropped; with both, only what is beyond both. */
export interface Retention {
  /** So many of the newest rows stay. */
  rows?: number | undefined;
  /** Rows stay for so many days, by the database's clock. */
  days?: number | undefined;
}

/** Blocks that are there beyond the one that is asked for. */
const ahead = 1;

const tableOf = ({ schema }: SharedDatabase, block: number): string => `${schema}.entries_${block}`;

interface Standing {
  position: number;
  blockRows: number;
}

const standing = async (session: Session, { schema }: SharedDatabase): Promise<Standing> => {
  const [row] = await session.query(`SELECT position, block_rows FROM ${schema}.log`);
  return { position: Number(row?.position), blockRows: Number(row?.block_rows) };
};

const isThere = async (session: Session, table: string): Promise<boolean> => {
  const [row] = await session.query("SELECT to_regclass($1) IS NOT NULL AS there", [table]);
  return row?.there === true;
};

/** Only one replica makes or drops blocks at a time. */
const exclusively = <T>(database: SharedDatabase, work: (session: Session) => Promise<T>): Promise<T> =>
  database.transaction(async (session) => {
    await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`${database.schema} blocks`]);
    return work(session);
  });

const createBlock = async (session: Session, database: SharedDatabase, block: number, blockRows: number) => {
  const table = tableOf(database, block);
  if (await isThere(session, table)) return;
  const [from, to] = [block * blockRows + 1, (block + 1) * blockRows + 1];
  // Attached rather than created as a partition: nobody who reads or writes has to wait for it.
  await session.query(
    `CREATE TABLE ${table} (LIKE ${database.schema}.entries);
     ALTER TABLE ${database.schema}.entries ATTACH PARTITION ${table} FOR VALUES FROM (${from}) TO (${to})`,
  );
};

/** Makes the blocks for so many further rows and the one after these, where they are not there yet. */
export const ensureBlocks = (database: SharedDatabase, rows = 1): Promise<void> =>
  exclusively(database, async (session) => {
    const { position, blockRows } = await standing(session, database);
    const last = Math.floor((position + rows - 1) / blockRows) + ahead;
    for (let block = Math.floor(position / blockRows); block <= last; block += 1) {
      await createBlock(session, database, block, blockRows);
    }
  });

/** Whether the last row of a block is old enough, and there at all. */
const isBeyond = (
  { rows, days }: Retention,
  last: { position: number; ageDays: number } | null,
  { position }: Standing,
): boolean =>
  last !== null &&
  (rows === undefined || last.position <= position - rows) &&
  (days === undefined || last.ageDays >= days);

/** Gives how many rows were dropped. @throws UnreachableLogError, DatabaseRefusal */
export const dropOldBlocks = (database: SharedDatabase, retention: Retention): Promise<number> =>
  exclusively(database, async (session) => {
    const { schema } = database;
    const now = await standing(session, database);
    const [covered] = await session.query(`SELECT coalesce(min(position), 0) AS position FROM ${schema}.checkpoints`);
    const [dropped] = await session.query(`SELECT coalesce(max(position), 0) AS position FROM ${schema}.anchors`);
    const first = Number(dropped?.position);
    let end = first;
    for (;;) {
      const block = Math.floor(end / now.blockRows);
      const lastOfBlock = (block + 1) * now.blockRows;
      if (lastOfBlock > Number(covered?.position)) break;
      const [row] = await session.query(
        `SELECT hash, extract(epoch FROM clock_timestamp() - placed)::float8 / 86400 AS age_days
         FROM ${schema}.entries WHERE position = $1`,
        [lastOfBlock],
      );
      const last = row === undefined ? null : { position: lastOfBlock, ageDays: Number(row.age_days) };
      if (!isBeyond(retention, last, now)) break;
      await session.query(`INSERT INTO ${schema}.anchors (position, hash) VALUES ($1, $2)`, [lastOfBlock, row?.hash]);
      await session.query(`DROP TABLE ${tableOf(database, block)}`);
      end = lastOfBlock;
    }
    return end - first;
  });
