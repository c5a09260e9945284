/** Four replicas, each with connections of its own to one real database, and one subject. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProbeSchedule } from "../../../src/evidence/postgres/probe-schedule.ts";
import { UnreachableLogError } from "../../../src/evidence/store.ts";
import { seededRandom } from "../../../src/kernel/random.ts";
import { noPostgres } from "../running-postgres.ts";
import { impatient, newLog, serverOfFile, type TestLog } from "./shared-logs.ts";

const name = `a schedule of probes that replicas share${noPostgres === null ? "" : `: ${noPostgres}`}`;

describe.skipIf(noPostgres !== null)(name, () => {
  const server = serverOfFile();
  let log: TestLog;
  beforeEach(async () => {
    log = await newLog(server());
  });
  afterEach(() => log.remove());

  const plenty = { calls: 1_000_000, tokens: 1_000_000_000 };
  const open = async (replica: string, allowances = { hour: plenty, day: plenty }) => {
    const { database } = await log.open(replica, impatient);
    const errors: unknown[] = [];
    const random = seededRandom(replica.length);
    const schedule = createProbeSchedule({
      database,
      subject: "bot",
      replica,
      allowances,
      random,
      onError: (error) => errors.push(error),
    });
    return { schedule, errors };
  };
  const openAll = (...replicas: string[]) => Promise.all(replicas.map((replica) => open(replica)));
  const rows = (sql: string) => server().execute(log.url, sql);
  const bySlot = 'SELECT slot, replica FROM "candor".probe_slots ORDER BY slot';

  test("gives each of 1,000 slots to one replica, and every replica some", async () => {
    const replicas = await openAll("a", "bb", "ccc", "dddd");
    // So often that one is always due.
    const perHour = 3_600_000_000;
    let left = 1_000;
    const taken = await Promise.all(
      replicas.map(async ({ schedule }) => {
        let mine = 0;
        while (left > 0) {
          const turn = await schedule.takeTurn(perHour);
          if (!turn.mine) continue;
          mine += 1;
          left -= 1;
        }
        return mine;
      }),
    );
    const slots = await rows(bySlot);
    expect(slots).toHaveLength(taken.reduce((sum, mine) => sum + mine, 0));
    expect(new Set(slots.map(({ slot }) => slot)).size).toBe(slots.length);
    expect(Math.min(...taken)).toBeGreaterThan(0);
  }, 60_000);

  test("is a schedule: nobody has a turn before it is due, and who asks is told how long that is", async () => {
    const [one, two] = await openAll("a", "bb");
    expect(await one?.schedule.takeTurn(60)).toMatchObject({ mine: false });
    const { mine, waitMs } = (await two?.schedule.takeTurn(60)) ?? { mine: true, waitMs: 0 };
    expect(mine).toBe(false);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThan(20 * 60_000);
  });

  test("shrinks a wait that is under way when the rate rises, and stretches it when it falls", async () => {
    const { schedule } = await open("a");
    await schedule.takeTurn(6);
    const { waitMs: slow } = await schedule.takeTurn(6);
    const { waitMs: fast } = await schedule.takeTurn(60);
    const { waitMs: slowest } = await schedule.takeTurn(0.6);
    expect(fast / slow).toBeCloseTo(0.1, 1);
    expect(slowest / slow).toBeGreaterThan(9);
  });

  test("makes no storm of what was missed while nobody asked", async () => {
    const { schedule } = await open("a");
    await schedule.takeTurn(3_600);
    await rows(`UPDATE "candor".probe_schedule SET due = due - interval '1 hour'`);
    let turns = 0;
    for (let asked = 0; asked < 30; asked += 1) if ((await schedule.takeTurn(3_600)).mine) turns += 1;
    // One a second on average, for the two seconds that are made up for and the time that this took.
    expect(turns).toBeGreaterThan(0);
    expect(turns).toBeLessThan(15);
  });

  test("goes by the database's clock", async () => {
    const { schedule } = await open("a");
    await schedule.takeTurn(60);
    const [row] = await rows(`SELECT extract(epoch FROM due - clock_timestamp()) AS wait FROM "candor".probe_schedule`);
    const { waitMs } = await schedule.takeTurn(60);
    expect(Math.abs(Number(row?.wait) * 1_000 - waitMs)).toBeLessThan(2_000);
  });

  test("lets no more be spent together than is allowed, however many ask at once", async () => {
    const allowances = { hour: { calls: 10, tokens: 1_000_000 }, day: plenty };
    const replicas = await Promise.all(["a", "bb", "ccc"].map((replica) => open(replica, allowances)));
    const asked = await Promise.all(
      replicas.flatMap(({ schedule }) => Array.from({ length: 8 }, () => schedule.reserve(100))),
    );
    expect(asked.filter((reservation) => reservation !== null)).toHaveLength(10);
    expect(replicas[0]?.schedule.spent()?.[0].calls).toBeGreaterThan(0);
  });

  test("counts what a call used, once that is known", async () => {
    const allowances = { hour: { calls: 100, tokens: 1_000 }, day: plenty };
    const { schedule, errors } = await open("a", allowances);
    const first = await schedule.reserve(900);
    expect(await schedule.reserve(200)).toBeNull();
    first?.settle(50);
    await expect.poll(() => schedule.reserve(200)).not.toBeNull();
    expect(schedule.spent()?.[0]).toEqual({ calls: 1, tokens: 50 });
    const unknown = await schedule.reserve(700);
    unknown?.settle(null);
    expect(await schedule.reserve(100)).toBeNull();
    expect(errors).toEqual([]);
  });

  test("frees what was spent an hour ago, and counts it for the day", async () => {
    const allowances = { hour: { calls: 1, tokens: 1_000 }, day: { calls: 2, tokens: 10_000 } };
    const { schedule } = await open("a", allowances);
    expect(await schedule.reserve(10)).not.toBeNull();
    expect(await schedule.reserve(10)).toBeNull();
    await rows(`UPDATE "candor".probe_calls SET began = began - interval '61 minutes'`);
    expect(await schedule.reserve(10)).not.toBeNull();
    await rows(`UPDATE "candor".probe_calls SET began = began - interval '61 minutes'`);
    expect(await schedule.reserve(10)).toBeNull();
  });

  test("keeps subjects apart", async () => {
    const { database } = await log.open("a", impatient);
    const only = { hour: { calls: 1, tokens: 100 }, day: plenty };
    const of = (subject: string) =>
      createProbeSchedule({
        ...{ database, subject, replica: "a", allowances: only, random: Math.random, onError: () => {} },
      });
    expect(await of("one").reserve(10)).not.toBeNull();
    expect(await of("two").reserve(10)).not.toBeNull();
    expect(await of("one").reserve(10)).toBeNull();
  });

  test("forgets what is older than a day", async () => {
    const { schedule } = await open("a");
    await schedule.reserve(10);
    await schedule.takeTurn(3_600_000_000);
    for (let slot = 0; slot < 3; slot += 1) await schedule.takeTurn(3_600_000_000);
    await rows(`UPDATE "candor".probe_calls SET began = began - interval '26 hours'`);
    await rows(`UPDATE "candor".probe_slots SET taken = taken - interval '26 hours'`);
    for (let asked = 0; asked < 300; asked += 1) await schedule.takeTurn(3_600_000_000);
    await expect.poll(() => rows('SELECT count(*)::int AS n FROM "candor".probe_calls')).toEqual([{ n: 0 }]);
  });

  test("gives no turn while the database is away, and says why", async () => {
    const { schedule, errors } = await open("a");
    const reservation = await schedule.reserve(10);
    await server().stop("immediate");
    try {
      await expect(schedule.takeTurn(60)).rejects.toThrow(UnreachableLogError);
      await expect(schedule.reserve(10)).rejects.toThrow(UnreachableLogError);
      reservation?.settle(5);
      await expect.poll(() => errors.length).toBe(1);
    } finally {
      await server().start();
    }
  });
});
