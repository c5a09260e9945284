/**
 * The tables of a shared log, and how older ones become newer ones while replicas of both versions run. Migrations are
 * only ever added, and only add: what an older replica reads and calls is there for as long as `compatibleFrom` says so.
 */
import { genesis } from "../chain.ts";
import { judgedAs } from "../filter-sql.ts";
import { UnreachableLogError } from "../store.ts";
import { DatabaseRefusal } from "./database-error.ts";
import { probeTables } from "./probe-schedule.ts";
import type { Session, SharedDatabase } from "./shared-database.ts";

/** The log in the database can't be used by this version of Candor, and no waiting changes that. */
export class IncompatibleLogError extends Error {
  override readonly name = "IncompatibleLogError";
}

export interface NewLog {
  /** Name of the log. */
  log: string;
  /** The schema, quoted. */
  schema: string;
  /** Rows of one block, which is what is dropped at a time. Stays what it was when the log was begun. */
  blockRows: number;
}

export interface Migration {
  /** The oldest version of Candor's schema whose replicas can go on beside this one. */
  compatibleFrom: number;
  sql(log: NewLog): string;
}

/** Whom to tell that the head has moved; the message is `POSITION:HASH`. */
export const channelOf = (log: string): string => `candor_${log}`;

/**
 * Rows get their place in one statement, so that the head's lock is never held while a replica thinks. The head's lock
 * makes the order of positions the order of commits; `last_sequence` makes rows that come again go nowhere.
 */
const place = ({ schema, log }: NewLog): string => `
  CREATE FUNCTION ${schema}.place_rows(
    given_writer uuid, given_replica text, quoted_replica text,
    sequences bigint[], subjects text[], quoted_subjects text[], ats bigint[], kinds text[],
    experiments text[], arms text[], outcomes text[], bodies text[], contents bytea[]
  ) RETURNS TABLE (head_position bigint, head_hash text, placed_rows integer, block_rows bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $place$
  DECLARE
    head ${schema}.log%ROWTYPE;
    last bigint;
    count integer := 0;
    given record;
  BEGIN
    SELECT * INTO STRICT head FROM ${schema}.log FOR UPDATE;
    SELECT w.last_sequence INTO last FROM ${schema}.writers w WHERE w.writer = given_writer;
    last := coalesce(last, 0);
    FOR given IN
      SELECT * FROM unnest(sequences, subjects, quoted_subjects, ats, kinds, experiments, arms, outcomes, bodies, contents)
        AS r (sequence, subject, quoted_subject, at, kind, experiment, arm, outcome, body, content)
    LOOP
      CONTINUE WHEN given.sequence <= last;
      last := given.sequence;
      count := count + 1;
      head.position := head.position + 1;
      head.hash := encode(sha256(convert_to(
        head.hash || E'\\n{"at":' || given.at || ',"body":' || given.body || ',"position":' || head.position
          || ',"replica":' || quoted_replica || ',"subject":' || given.quoted_subject || '}', 'UTF8')), 'hex');
      INSERT INTO ${schema}.entries (position, replica, subject, at, kind, experiment, arm, outcome, body, content, hash,
                                     writer, sequence, placed)
      VALUES (head.position, given_replica, given.subject, given.at, given.kind, given.experiment, given.arm,
              given.outcome, given.body, given.content, head.hash, given_writer, given.sequence, clock_timestamp());
    END LOOP;
    IF count > 0 THEN
      UPDATE ${schema}.log SET position = head.position, hash = head.hash;
      INSERT INTO ${schema}.writers AS w (writer, replica, last_sequence) VALUES (given_writer, given_replica, last)
        ON CONFLICT (writer) DO UPDATE SET last_sequence = excluded.last_sequence;
      PERFORM pg_notify('${channelOf(log)}', head.position || ':' || head.hash);
    END IF;
    RETURN QUERY SELECT head.position, head.hash, count, head.block_rows;
  END $place$;`;

const first = (log: NewLog): string => `
  CREATE TABLE ${log.schema}.log (
    name       text PRIMARY KEY,
    position   bigint NOT NULL,
    hash       text NOT NULL,
    beginning  text NOT NULL,
    block_rows bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO ${log.schema}.log VALUES ('${log.log}', 0, '${genesis(log.log)}', '${genesis(log.log)}', ${log.blockRows});

  CREATE TABLE ${log.schema}.writers (
    writer        uuid PRIMARY KEY,
    replica       text NOT NULL,
    last_sequence bigint NOT NULL,
    began         timestamptz NOT NULL DEFAULT now()
  ) WITH (fillfactor = 50);

  CREATE TABLE ${log.schema}.entries (
    position   bigint PRIMARY KEY,
    replica    text NOT NULL,
    subject    text NOT NULL,
    at         bigint NOT NULL,
    kind       text NOT NULL,
    experiment text,
    arm        text,
    outcome    text,
    body       text NOT NULL,
    content    bytea,
    hash       text NOT NULL,
    writer     uuid NOT NULL,
    sequence   bigint NOT NULL,
    placed     timestamptz NOT NULL
  ) PARTITION BY RANGE (position);
  CREATE INDEX entries_by_kind ON ${log.schema}.entries (kind, position);
  CREATE INDEX entries_by_subject ON ${log.schema}.entries (subject, kind, position);
  CREATE INDEX entries_by_experiment ON ${log.schema}.entries (experiment, arm, outcome, position)
    WHERE experiment IS NOT NULL;
  CREATE INDEX entries_harmful ON ${log.schema}.entries (position) WHERE ${judgedAs("strpos", true)};
  CREATE INDEX decisions_by_action ON ${log.schema}.entries (outcome, position) WHERE kind = 'decision';

  CREATE TABLE ${log.schema}.checkpoints (
    position bigint PRIMARY KEY,
    text     text NOT NULL,
    saved    timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE ${log.schema}.anchors (
    position bigint PRIMARY KEY,
    hash     text NOT NULL,
    dropped  timestamptz NOT NULL DEFAULT now()
  );
  ${probeTables(log.schema)}
  ${place(log)}`;

export const migrations: readonly Migration[] = [{ compatibleFrom: 1, sql: first }];

/** Something else may be using the tables for a moment; a migration that waited long would hold up everybody behind it. */
const migrationLimits = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '5min'";
const migrationMs = 300_000;

const one = async (session: Session, text: string, values: readonly unknown[] = []): Promise<unknown> => {
  const [row] = await session.query(text, values);
  return row === undefined ? undefined : Object.values(row)[0];
};

/** Creates what every version knows: the schema and where its version stands. */
const begin = async (session: Session, { log, schema }: NewLog): Promise<void> => {
  const versioned = await one(session, "SELECT to_regclass($1) IS NOT NULL", [`${schema}.schema_version`]);
  if (versioned === true) return;
  const exists = await one(session, "SELECT count(*) FROM pg_namespace WHERE nspname = $1", [log]);
  const tables = await one(session, "SELECT count(*) FROM pg_tables WHERE schemaname = $1", [log]);
  if (tables !== 0) {
    throw new IncompatibleLogError(
      `the database's schema ${log} holds tables of something else: give evidence.postgres.log another name`,
    );
  }
  const encoding = await one(session, "SHOW server_encoding");
  if (encoding !== "UTF8") {
    throw new IncompatibleLogError(`the database's encoding is ${String(encoding)}: create one with ENCODING 'UTF8'`);
  }
  if (exists === 0) await session.query(`CREATE SCHEMA ${schema}`);
  await session.query(
    `CREATE TABLE ${schema}.schema_version (version integer NOT NULL, compatible_from integer NOT NULL)`,
  );
  await session.query(`INSERT INTO ${schema}.schema_version VALUES (0, 0)`);
};

/** One step, in one transaction, while no other replica takes one. Gives whether it was the last. */
const step = (database: SharedDatabase, log: NewLog, known: readonly Migration[]): Promise<boolean> =>
  database.transaction(async (session) => {
    await session.query(migrationLimits);
    await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`${log.log} migration`]);
    await begin(session, log);
    const [row] = await session.query(`SELECT version, compatible_from FROM ${log.schema}.schema_version`);
    const version = Number(row?.version);
    const next = known[version];
    if (next !== undefined) {
      await session.query(next.sql(log), [], migrationMs);
      const update = `UPDATE ${log.schema}.schema_version SET version = $1, compatible_from = $2`;
      await session.query(update, [version + 1, next.compatibleFrom]);
      return version + 1 === known.length;
    }
    if (Number(row?.compatible_from) > known.length) {
      throw new IncompatibleLogError(
        `the log ${log.log} is of a newer Candor (schema ${version}, which replicas of schema ${known.length} can't go on beside): upgrade this one`,
      );
    }
    return true;
  });

/**
 * Makes the log what this version of Candor needs, from nothing or from an older version; leaves a newer one as it is.
 * @throws IncompatibleLogError, UnreachableLogError, DatabaseRefusal
 */
export const migrate = async (
  database: SharedDatabase,
  log: NewLog,
  known: readonly Migration[] = migrations,
): Promise<void> => {
  try {
    while (!(await step(database, log, known)));
  } catch (error) {
    // Insufficient privilege: nothing of the log is there yet, or an older version of it.
    if (error instanceof DatabaseRefusal && error.code === "42501") {
      throw new UnreachableLogError(
        `${error.message}: the user needs CREATE on the database, or on the schema ${log.log}`,
      );
    }
    throw error;
  }
};
