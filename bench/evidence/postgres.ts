/**
 * What a log that replicas share costs, with a PostgreSQL server on this machine that forces every commit to the disk;
 * writes bench/results/evidence-postgres.md.
 * `npx node bench/evidence/postgres.ts [--quick]`: about a minute; --quick: some seconds, to standard output only.
 */
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { ensureBlocks } from "../../src/evidence/postgres/blocks.ts";
import { verifyLog } from "../../src/evidence/postgres/log-reader.ts";
import { migrate } from "../../src/evidence/postgres/log-schema.ts";
import { type OutgoingRow, outgoingOf } from "../../src/evidence/postgres/outgoing-row.ts";
import { placeRows } from "../../src/evidence/postgres/placing.ts";
import { openSharedDatabase, type SharedDatabase } from "../../src/evidence/postgres/shared-database.ts";
import { openSharedStore, type SharedStore } from "../../src/evidence/postgres/shared-store.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { startPostgres } from "../../test/evidence/running-postgres.ts";
import { rowAt } from "./judged-row.ts";
import { spreadOf, timeOf, watchLoop, withFile } from "./measuring.ts";

const quick = process.argv.includes("--quick");
const size = quick
  ? { batches: { 1: 50, 100: 10, 1000: 3 }, backlog: 5_000, told: 20 }
  : { batches: { 1: 1_000, 100: 200, 1000: 40 }, backlog: 100_000, told: 200 };

const server = await startPostgres();
await server.stop();
await server.start(["fsync=on", "full_page_writes=on", "max_wal_size=4GB"]);

const open = (url: string, replica: string): SharedDatabase =>
  openSharedDatabase({ url, log: "candor", replica, random: Math.random });

const rowsFrom = (first: number, count: number): OutgoingRow[] =>
  Array.from({ length: count }, (_, index) => outgoingOf(rowAt(first + index), first + index));

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

interface Throughput {
  perSecond: number;
  /** Milliseconds of each batch. */
  times: number[];
}

/** So many replicas at once, each with so many batches of so many rows, one after the other. */
const measure = async (
  replicas: number,
  rows: number,
  batches: number,
  prepare: (database: SharedDatabase) => Promise<unknown>,
  write: (database: SharedDatabase, writer: string, rows: readonly OutgoingRow[]) => Promise<unknown>,
): Promise<Throughput> => {
  const url = await server.newDatabase();
  const databases = Array.from({ length: replicas }, (_, index) => open(url, `${index}`));
  const [first] = databases;
  if (first !== undefined) await prepare(first);
  const times: number[] = [];
  const each = async (database: SharedDatabase): Promise<void> => {
    const writer = randomUUID();
    await database.query("SELECT 1");
    for (let batch = 0; batch < batches; batch += 1) {
      const given = rowsFrom(batch * rows + 1, rows);
      times.push(await timed(() => write(database, writer, given)));
    }
  };
  const ms = await timed(() => Promise.all(databases.map(each)));
  await Promise.all(databases.map((database) => database.close()));
  return { perSecond: (replicas * rows * batches * 1_000) / ms, times };
};

const chained = (replicas: number, rows: number, batches: number): Promise<Throughput> =>
  measure(
    replicas,
    rows,
    batches,
    async (database) => {
      await migrate(database, { log: "candor", schema: database.schema, blockRows: 1_000_000 });
      await ensureBlocks(database);
    },
    (database, writer, given) => placeRows(database, { writer, replica: "bench", rows: given }),
  );

/** The floor: the same texts into a table without a chain, an order and indexes. */
const bare = (rows: number, batches: number): Promise<Throughput> =>
  measure(
    1,
    rows,
    batches,
    (database) => database.query("CREATE TABLE bare (position bigint PRIMARY KEY, body text NOT NULL)"),
    (database, _, given) =>
      database.query("INSERT INTO bare SELECT * FROM unnest($1::bigint[], $2::text[])", [
        given.map(({ sequence }) => sequence),
        given.map(({ body }) => body),
      ]),
  );

const writing = [];
for (const [rows, batches] of Object.entries(size.batches).map(([key, value]) => [Number(key), value] as const)) {
  writing.push({
    rows,
    bare: await bare(rows, batches),
    one: await chained(1, rows, batches),
    four: await chained(4, rows, Math.ceil(batches / 4)),
  });
}

const openStore = (url: string, replica: string, path: string): Promise<SharedStore> =>
  openSharedStore({
    ...{ url, name: "candor", path, replica, clock: systemClock, random: Math.random },
    ...{ log: { info: () => {}, warn: console.error }, maxPendingRows: 1_000_000, maxSpooledRows: 1_000_000 },
  });

const follow = (store: SharedStore, onPage: (rows: number) => void): Promise<void> =>
  new Promise((resolve) => {
    store.shared.follow(0, (page) => onPage(page.length), resolve);
  });

const reading = await withFile((path) =>
  withFile(async (otherPath) => {
    const url = await server.newDatabase();
    const store = await openStore(url, "one", path);
    const appending = timeOf(() => {
      for (let item = 1; item <= size.backlog; item += 1) store.append(rowAt(item));
    });
    const drained = await watchLoop(() => store.health().pending === 0);
    const other = await openStore(url, "two", otherPath);
    const followed = await timed(() => follow(other, () => {}));
    const verified = await timed(async () => {
      const result = await verifyLog(url, "candor");
      if (result.kind !== "intact" || result.rows !== size.backlog) throw new Error("the bench's own log is broken");
    });
    const newest: number[] = [];
    for (let ask = 0; ask < size.told; ask += 1) {
      newest.push(await timed(async () => store.latest(51, { subject: "bot", kinds: ["observation"] })));
    }
    let heard = (): void => {};
    await new Promise<void>((caughtUp) => {
      other.shared.follow(size.backlog, () => heard(), caughtUp);
    });
    const told: number[] = [];
    for (let ask = 0; ask < size.told; ask += 1) {
      told.push(
        await timed(
          () =>
            new Promise<void>((resolve) => {
              heard = resolve;
              store.append(rowAt(ask));
            }),
        ),
      );
    }
    await Promise.all([store.close(), other.close()]);
    return { appending, drained, followed, verified, newest: spreadOf(newest), told: spreadOf(told) };
  }),
);
await server.remove();

const count = (value: number): string => Math.round(value).toLocaleString("en-GB");
const perSecond = (ms: number): string => count((size.backlog * 1_000) / ms);
const spread = (times: readonly number[]): string => {
  const { median, p99 } = spreadOf(times);
  return `${median.toFixed(1)} / ${p99.toFixed(1)}`;
};

const report = `# What a log that replicas share costs

${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; the machine shared with other work. Command:
\`npx node bench/evidence/postgres.ts\`. PostgreSQL runs on the same machine with \`fsync\` on, so it shares the processors with the replicas, which are
connections of one process; between machines, add the network's round trip to every batch.
One row is a judged live answer without kept content, ${Buffer.byteLength(outgoingOf(rowAt(1), 1).body)} bytes of body.

## Writing

One batch is one statement: it takes the head's lock, chains and inserts the rows with all indexes, and commits. Bare: the same texts into a table with
a primary key alone.

| rows in a batch | bare, one replica: rows/s | one replica: rows/s | ms a batch, median / 99 % | four replicas together: rows/s | ms a batch, median / 99 % |
| --- | --- | --- | --- | --- | --- |
${writing
  .map(
    ({ rows, bare: floor, one, four }) =>
      `| ${count(rows)} | ${count(floor.perSecond)} | ${count(one.perSecond)} | ${spread(one.times)} | ${count(four.perSecond)} | ${spread(four.times)} |`,
  )
  .join("\n")}

What \`append\` takes of its caller: ${((reading.appending / size.backlog) * 1_000).toFixed(1)} us. A backlog of ${count(size.backlog)} rows drains in ${(reading.drained.ms / 1_000).toFixed(1)} s (${perSecond(reading.drained.ms)} rows a second, by way of the
spool); a timer of 1 ms came at most ${reading.drained.longestDelay.toFixed(1)} ms late meanwhile.

## Reading, ${count(size.backlog)} rows

| | rows a second |
| --- | --- |
| following from the beginning: hashed, parsed and checked against the schema | ${perSecond(reading.followed)} |
| \`candor verify\` | ${perSecond(reading.verified)} |

| | median / 99 % / longest, milliseconds |
| --- | --- |
| from \`append\` in one replica until another was told, of which up to 15 wait for more rows | ${[reading.told.median, reading.told.p99, reading.told.longest].map((ms) => ms.toFixed(1)).join(" / ")} |
| newest 51 observations of a subject | ${[reading.newest.median, reading.newest.p99, reading.newest.longest].map((ms) => ms.toFixed(2)).join(" / ")} |
`;

if (quick) process.stdout.write(report);
else {
  const results = new URL("../results/", import.meta.url);
  await mkdir(results, { recursive: true });
  await writeFile(new URL("evidence-postgres.md", results), report);
}
