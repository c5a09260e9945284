/**
 * Whose turn it is to probe a subject, and what all replicas together have spent on it: kept beside the log, by the
 * database's clock, so replicas whose clocks differ agree. A turn is taken in one statement and for good: one that a dying
 * replica took is lost, and none is ever taken twice.
 */
import type { Random } from "../../kernel/random.ts";
import type { Row, SharedDatabase } from "./shared-database.ts";

/** The tables, as a migration creates them. @param schema quoted */
export const probeTables = (schema: string): string => `
  CREATE TABLE ${schema}.probe_schedule (
    subject  text PRIMARY KEY,
    slot     bigint NOT NULL,
    due      timestamptz NOT NULL,
    per_hour double precision NOT NULL
  ) WITH (fillfactor = 20);
  CREATE TABLE ${schema}.probe_slots (
    subject text NOT NULL,
    slot    bigint NOT NULL,
    replica text NOT NULL,
    taken   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject, slot)
  );
  CREATE TABLE ${schema}.probe_calls (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    replica text NOT NULL,
    began   timestamptz NOT NULL DEFAULT clock_timestamp(),
    tokens  bigint NOT NULL
  );
  CREATE INDEX probe_calls_by_subject ON ${schema}.probe_calls (subject, began);`;

/** What may be spent in an hour and in a day, and what was. */
interface Spent {
  calls: number;
  tokens: number;
}

export interface ProbeScheduleOptions {
  database: SharedDatabase;
  subject: string;
  replica: string;
  /** Of the whole fleet. */
  allowances: { hour: Spent; day: Spent };
  random: Random;
  /** A call's use could not be told; what was reserved for it stays spent. */
  onError(error: unknown): void;
}

/** Slots between two clearings of what is old. */
const tidyEvery = 100;

const msOf = (row: Row | undefined): number => Math.max(0, Number(row?.wait_ms ?? 0));
const countOf = (value: unknown): number => Number(value ?? 0);

/** As `probe/fleet-probing.ts` describes it. */
export const createProbeSchedule = (options: ProbeScheduleOptions) => {
  const { database, subject, replica, allowances, random, onError } = options;
  const { schema } = database;
  let known: [hour: Spent, day: Spent] | null = null;

  /** Seconds to the next of a Poisson process. */
  const exponential = (perHour: number): number => (-Math.log(1 - random()) * 3600) / perHour;

  const begin = (perHour: number): Promise<unknown> =>
    database.query(
      `INSERT INTO ${schema}.probe_schedule (subject, slot, due, per_hour)
       VALUES ($1, 1, clock_timestamp() + $2 * interval '1 second', $3) ON CONFLICT DO NOTHING`,
      [subject, exponential(perHour), perHour],
    );

  /** As the process has no memory, a wait that is under way shrinks and grows with the rate. */
  const rescale = `
    UPDATE ${schema}.probe_schedule
    SET due = clock_timestamp() + (due - clock_timestamp()) * (per_hour / $2), per_hour = $2
    WHERE subject = $1 AND per_hour <> $2 AND due > clock_timestamp()`;

  /** What was missed while nobody asked is not made up for: two seconds of it at the most. */
  const take = `
    WITH turn AS (
      SELECT subject, slot, due FROM ${schema}.probe_schedule
      WHERE subject = $1 AND due <= clock_timestamp() FOR UPDATE SKIP LOCKED
    ), moved AS (
      UPDATE ${schema}.probe_schedule AS schedule
      SET slot = turn.slot + 1, per_hour = $3,
          due = greatest(turn.due, clock_timestamp() - interval '2 seconds') + $2 * interval '1 second'
      FROM turn WHERE schedule.subject = turn.subject
      RETURNING turn.slot, schedule.due
    ), taken AS (
      INSERT INTO ${schema}.probe_slots (subject, slot, replica) SELECT $1, slot, $4 FROM moved
    )
    SELECT slot, extract(epoch FROM due - clock_timestamp()) * 1000 AS wait_ms FROM moved`;

  const nextDue = `
    SELECT extract(epoch FROM due - clock_timestamp()) * 1000 AS wait_ms
    FROM ${schema}.probe_schedule WHERE subject = $1`;

  const waitOf = async (perHour: number): Promise<number> => {
    const [row] = await database.query(nextDue, [subject]);
    if (row === undefined) await begin(perHour);
    return msOf(row);
  };

  const spending = `
    SELECT count(*) FILTER (WHERE began > clock_timestamp() - interval '1 hour') AS hour_calls,
           coalesce(sum(tokens) FILTER (WHERE began > clock_timestamp() - interval '1 hour'), 0)::bigint AS hour_tokens,
           count(*) AS day_calls, coalesce(sum(tokens), 0)::bigint AS day_tokens
    FROM ${schema}.probe_calls WHERE subject = $1 AND began > clock_timestamp() - interval '1 day'`;

  const fits = (spent: Spent, allowed: Spent, tokens: number): boolean =>
    spent.calls + 1 <= allowed.calls && spent.tokens + tokens <= allowed.tokens;

  const settle = (id: unknown, tokens: number | null): void => {
    if (tokens === null) return;
    database.query(`UPDATE ${schema}.probe_calls SET tokens = $2 WHERE id = $1`, [id, tokens]).catch(onError);
  };

  /** Forgets calls and slots that bear on nothing any more. */
  const tidy = async (): Promise<void> => {
    const old = "clock_timestamp() - interval '25 hours'";
    await database.query(`DELETE FROM ${schema}.probe_calls WHERE subject = $1 AND began < ${old}`, [subject]);
    await database.query(`DELETE FROM ${schema}.probe_slots WHERE subject = $1 AND taken < ${old}`, [subject]);
  };

  return {
    async takeTurn(perHour: number): Promise<{ mine: boolean; waitMs: number }> {
      if (perHour <= 0) return { mine: false, waitMs: 60_000 };
      await database.query(rescale, [subject, perHour]);
      const [turn] = await database.query(take, [subject, exponential(perHour), perHour, replica]);
      if (turn === undefined) return { mine: false, waitMs: await waitOf(perHour) };
      if (Number(turn.slot) % tidyEvery === 0) tidy().catch(onError);
      return { mine: true, waitMs: msOf(turn) };
    },

    reserve: (tokens: number): Promise<{ settle(tokens: number | null): void } | null> =>
      database.transaction(async (session) => {
        // One after the other: two that look at the same time would both find room for the last call.
        await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", [`${schema} ${subject}`]);
        const [row] = await session.query(spending, [subject]);
        const hour = { calls: countOf(row?.hour_calls), tokens: countOf(row?.hour_tokens) };
        const day = { calls: countOf(row?.day_calls), tokens: countOf(row?.day_tokens) };
        known = [hour, day];
        if (!fits(hour, allowances.hour, tokens) || !fits(day, allowances.day, tokens)) return null;
        const [call] = await session.query(
          `INSERT INTO ${schema}.probe_calls (subject, replica, tokens) VALUES ($1, $2, $3) RETURNING id`,
          [subject, replica, tokens],
        );
        return { settle: (used) => settle(call?.id, used) };
      }),

    spent: () => known,
  };
};
