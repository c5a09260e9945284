/**
 * What a row of evidence costs, and writes bench/results/evidence.md.
 * `npx node bench/evidence/run.ts [--quick]`: under a minute; --quick: some seconds, to standard output only.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { bodyText } from "../../src/evidence/chain.ts";
import type { Entry } from "../../src/evidence/entry.ts";
import { openWriter } from "../../src/evidence/entry-writer.ts";
import { openForReading } from "../../src/evidence/reader.ts";
import { openSqliteStore } from "../../src/evidence/sqlite-store.ts";
import { verifyFile } from "../../src/evidence/verify.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { observation, rowAt } from "./judged-row.ts";
import { type Spread, spreadOf, timeOf, watchLoop, withFile } from "./measuring.ts";

const quick = process.argv.includes("--quick");
const size = quick
  ? { rounds: 2, rows: 2_000, backlog: 10_000, reads: 200 }
  : { rounds: 7, rows: 20_000, backlog: 100_000, reads: 2_000 };

const entries: Entry[] = Array.from({ length: size.rows }, (_, index) => ({
  ...rowAt(index + 1),
  position: index + 1,
  replica: "bench",
}));
const batchesOf = (rows: readonly Entry[], length: number): Entry[][] =>
  Array.from({ length: Math.ceil(rows.length / length) }, (_, index) =>
    rows.slice(index * length, (index + 1) * length),
  );

const openStore = (path: string) =>
  openSqliteStore({
    path,
    replica: "bench",
    clock: systemClock,
    log: { info: () => {}, warn: console.error },
    maxPendingRows: size.backlog,
  });

/** Milliseconds of each batch, hash chain and commit included. */
const writeInBatches = (length: number): Promise<number[]> =>
  withFile((path) => {
    const writer = openWriter(path, "bench");
    const times = batchesOf(entries, length).map((batch) => timeOf(() => writer.write(batch)));
    writer.close();
    return times;
  });

/** The floor: the same texts into a table without a chain and without indexes, in the same batches. */
const writeBare = (length: number): Promise<number[]> =>
  withFile((path) => {
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec("CREATE TABLE rows (position INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT");
    const insert = database.prepare("INSERT INTO rows VALUES (?, ?)");
    const times = batchesOf(entries, length).map((batch) =>
      timeOf(() => {
        database.exec("BEGIN IMMEDIATE");
        for (const { position, body } of batch) insert.run(position, bodyText(body));
        database.exec("COMMIT");
      }),
    );
    database.close();
    return times;
  });

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Round by round, one after the other, so that a slow minute of the machine slows all of them. */
const writing = { one: [] as number[], hundred: [] as number[], bareOne: [] as number[], bareHundred: [] as number[] };
const flushes: number[] = [];
for (let round = 0; round < size.rounds; round += 1) {
  const hundred = await writeInBatches(100);
  flushes.push(...hundred);
  writing.hundred.push((sum(hundred) / size.rows) * 1_000);
  writing.bareHundred.push((sum(await writeBare(100)) / size.rows) * 1_000);
  writing.one.push((sum(await writeInBatches(1)) / size.rows) * 1_000);
  writing.bareOne.push((sum(await writeBare(1)) / size.rows) * 1_000);
}

/** What the caller pays: nothing is written within this time, as the event loop does not turn. */
const appending: number[] = [];
for (let round = 0; round < size.rounds; round += 1) {
  await withFile(async (path) => {
    const store = openStore(path);
    appending.push(
      (timeOf(() => {
        for (const row of entries) store.append(row);
      }) /
        size.rows) *
        1_000,
    );
    await store.close();
  });
}

const { drain, scan, verified, newest } = await withFile(async (path) => {
  const store = openStore(path);
  for (let position = 1; position <= size.backlog; position += 1) store.append(rowAt(position));
  const newestPending = spreadOf(Array.from({ length: 20 }, () => timeOf(() => store.latest(50))));
  const drained = await watchLoop(() => store.health().pending === 0);
  const newestStored = spreadOf(
    Array.from({ length: size.reads }, () =>
      timeOf(() => store.latest(51, { subject: "bot", kinds: ["observation"] })),
    ),
  );
  await store.close();
  const prepared = new DatabaseSync(path, { readOnly: true });
  const preparing = spreadOf(
    Array.from({ length: size.reads }, () =>
      timeOf(
        () =>
          void prepared.prepare(
            "SELECT position, replica, subject, at, kind, body, content, hash FROM entries WHERE position < ? AND subject = ? AND kind IN (?) ORDER BY position DESC LIMIT ?",
          ),
      ),
    ),
  );
  prepared.close();
  const repeat = (work: () => void): number =>
    spreadOf(Array.from({ length: size.rounds }, () => timeOf(work))).median / size.backlog;
  const entriesOf = (read: (log: ReturnType<typeof openForReading>) => Iterable<unknown>): number =>
    repeat(() => {
      const log = openForReading(path);
      for (const _ of read(log));
      log.close();
    });
  return {
    drain: drained,
    scan: { rows: entriesOf((log) => log.rows()) * 1_000, entries: entriesOf((log) => log.entries()) * 1_000 },
    verified:
      repeat(() => {
        if (verifyFile(path).kind !== "intact") throw new Error("the bench's own log is broken");
      }) * 1_000,
    newest: { pending: newestPending, stored: newestStored, preparing },
  };
});

const us = (value: number): string => value.toFixed(1);
const range = (values: readonly number[]): string => {
  const { median } = spreadOf(values);
  return `${us(median)} (${us(Math.min(...values))} to ${us(Math.max(...values))})`;
};
const ms = ({ median, p99, longest }: Spread): string =>
  [median, p99, longest].map((value) => value.toFixed(2)).join(" / ");
const rate = (micros: number): string => Math.round(1e6 / micros).toLocaleString("en-GB");

const report = `# What a row of evidence costs

${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, SQLite ${process.versions.sqlite}; the machine shared with
other work. Command: \`npx node bench/evidence/run.ts\`. Files in the system's folder for temporary files; WAL, \`synchronous = NORMAL\`.
One row is a judged live answer without kept content, ${Buffer.byteLength(bodyText(observation))} bytes of body.

## Writing, microseconds a row

Median of ${size.rounds} rounds of ${size.rows.toLocaleString("en-GB")} rows (least to most). Bare: the same texts into a table without a chain and without indexes.

| transaction | evidence, chain and indexes included | bare | ratio |
| --- | --- | --- | --- |
| 1 row | ${range(writing.one)} | ${range(writing.bareOne)} | ${(spreadOf(writing.one).median / spreadOf(writing.bareOne).median).toFixed(1)} |
| 100 rows | ${range(writing.hundred)} | ${range(writing.bareHundred)} | ${(spreadOf(writing.hundred).median / spreadOf(writing.bareHundred).median).toFixed(1)} |

What \`append\` itself takes of its caller, checking the entry against the schema included: ${range(appending)}.

## How long the event loop stands still, milliseconds

| | median / 99 % / longest |
| --- | --- |
| one flush of 100 rows, ${flushes.length.toLocaleString("en-GB")} of them, SQLite's own checkpoints included | ${ms(spreadOf(flushes))} |

A backlog of ${size.backlog.toLocaleString("en-GB")} rows, as after a disk that failed, drains in ${(drain.ms / 1_000).toFixed(1)} s
(${Math.round(size.backlog / (drain.ms / 1_000)).toLocaleString("en-GB")} rows a second); a timer of 1 ms came at most ${drain.longestDelay.toFixed(1)} ms late meanwhile.

## Reading, ${size.backlog.toLocaleString("en-GB")} rows

| | us a row | rows a second |
| --- | --- | --- |
| rows as they are stored | ${us(scan.rows)} | ${rate(scan.rows)} |
| \`entries()\`: parsed and checked against the schema | ${us(scan.entries)} | ${rate(scan.entries)} |
| \`candor verify\`: hashed and parsed | ${us(verified)} | ${rate(verified)} |

| | median / 99 % / longest, milliseconds |
| --- | --- |
| newest 51 observations of a subject, from disk | ${ms(newest.stored)} |
| of that, preparing the statement | ${ms(newest.preparing)} |
| newest 50 rows of ${size.backlog.toLocaleString("en-GB")} that wait for a disk | ${ms(newest.pending)} |
`;

if (quick) process.stdout.write(report);
else {
  const results = new URL("../results/", import.meta.url);
  await mkdir(results, { recursive: true });
  await writeFile(new URL("evidence.md", results), report);
}
