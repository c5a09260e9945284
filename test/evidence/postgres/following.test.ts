import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verifyLog } from "../../../src/evidence/postgres/log-reader.ts";
import type { Placed } from "../../../src/evidence/store.ts";
import { rowOf } from "../evidence-files.ts";
import { noPostgres } from "../running-postgres.ts";
import { followed, impatient, itemsOf, newLog, serverOfFile, type TestLog } from "./shared-logs.ts";

const within = { timeout: 10_000, interval: 10 };
const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe.skipIf(noPostgres !== null)(`following a shared log${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();
  let log: TestLog;
  beforeEach(async () => {
    log = await newLog(server());
  });
  afterEach(() => log.remove());
  const open = (replica: string, options = {}) => log.open(replica, { ...impatient, ...options });

  test("tells that all of before was told once, after it, and at once where there is nothing", async () => {
    const one = await open("one");
    const events: string[] = [];
    const note = (page: readonly Placed[]): void => {
      events.push(`${page.length} rows`);
    };
    one.shared.follow(0, note, () => events.push("caught up"));
    await expect.poll(() => events, within).toEqual(["caught up"]);
    for (const item of upTo(2_500)) one.append(rowOf(item));
    await one.flush();
    const later: string[] = [];
    const seen: number[] = [];
    (await open("two")).shared.follow(
      0,
      (page) => {
        later.push(`${page.length} rows`);
        seen.push(...itemsOf(page.map(({ entry }) => entry)));
      },
      () => later.push("caught up"),
    );
    await expect.poll(() => later, within).toEqual(["1000 rows", "1000 rows", "500 rows", "caught up"]);
    one.append(rowOf(2_501));
    await expect.poll(() => later.at(-1), within).toBe("1 rows");
    expect(seen).toEqual(upTo(2_501));
  });

  test("begins behind any position, and ends when it is told to", async () => {
    const one = await open("one");
    for (const item of upTo(20)) one.append(rowOf(item));
    await one.flush();
    const seen: number[] = [];
    const end = one.shared.follow(
      15,
      (page) => seen.push(...page.map(({ entry }) => entry.position)),
      () => {},
    );
    await expect.poll(() => seen, within).toEqual(upTo(20, 16));
    end();
    one.append(rowOf(21));
    await one.flush();
    await pause(50);
    expect(seen).toEqual(upTo(20, 16));
  });

  test("says which entries are own, in the order in which they were appended", async () => {
    const [one, two] = [await open("same"), await open("same", { path: log.spool("other") })];
    const [first, second] = [followed(one), followed(two)];
    for (const item of upTo(200)) {
      (item % 2 === 0 ? one : two).append(rowOf(item));
      if (item % 10 === 0) await pause(3);
    }
    for (const { placed } of [first, second]) await expect.poll(() => placed.length, within).toBe(200);
    const own = ({ placed }: typeof first) => itemsOf(placed.filter((row) => row.own).map(({ entry }) => entry));
    expect(own(first)).toEqual(upTo(100).map((half) => half * 2));
    expect(own(second)).toEqual(upTo(100).map((half) => half * 2 - 1));
    expect(first.placed.map(({ entry }) => entry)).toEqual(second.placed.map(({ entry }) => entry));
  });

  test("an entry of another replica is told long before anybody asks for it", async () => {
    const [one, two] = [await open("one", { pace: { ask: 60_000, answer: 300 } }), await open("two")];
    const { placed, isCaughtUp } = followed(one);
    await expect.poll(isCaughtUp, within).toBe(true);
    two.append(rowOf(1));
    await expect.poll(() => placed.length, within).toBe(1);
  });

  test("a row that nobody can read ends it, and says where", async () => {
    const one = await open("one");
    for (const item of upTo(3)) one.append(rowOf(item));
    await one.flush();
    await server().execute(log.url, "UPDATE candor.entries SET kind = 'epoch' WHERE position = 2");
    const { placed } = followed(one);
    await expect.poll(() => one.health().lastError, within).toMatch(/the row at position 2 can't be read/);
    expect(placed).toEqual([]);
  });

  test("of checkpoints the newest is given, whoever saved it", async () => {
    const [one, two] = [await open("one"), await open("two")];
    expect(await one.shared.checkpoint()).toBeNull();
    await one.shared.saveCheckpoint({ position: 10, text: "ten" });
    await two.shared.saveCheckpoint({ position: 30, text: '{"a":"\\u0000é😀"}' });
    await one.shared.saveCheckpoint({ position: 20, text: "late" });
    expect(await one.shared.checkpoint()).toEqual({ position: 30, text: '{"a":"\\u0000é😀"}' });
    await one.shared.saveCheckpoint({ position: 30, text: "again" });
    expect(await two.shared.checkpoint()).toEqual({ position: 30, text: "again" });
    const kept = await server().execute(log.url, "SELECT position FROM candor.checkpoints ORDER BY position");
    expect(kept).toEqual([{ position: "20" }, { position: "30" }]);
  });

  test("a subject that the database could not hold is refused before it has a position", async () => {
    const one = await open("one");
    for (const subject of ["a\0b", "a\ud800"]) {
      expect(() => one.append({ ...rowOf(1), subject })).toThrow("subject: expected whole characters other than 0");
    }
    expect(one.append(rowOf(1)).position).toBe(1);
    expect(await one.since(0, 10, { subject: "a\0b" })).toEqual([]);
  });

  test("names of any characters are chained as they are, and verified", async () => {
    const one = await open("odd", { replica: "o'n\"e\\\u2028\u007f" });
    for (const subject of ["q\"uo'te", "back\\slash{,}", "é😀\u2028", "\u0001\n\t", "NULL", ""]) {
      one.append({ ...rowOf(1), subject });
    }
    const entries = await one.since(0, 10);
    await one.flush();
    expect(await one.since(0, 10)).toEqual(entries);
    expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "intact", rows: 6 });
  });

  test("its head is what was noted in the spool while the database is away", async () => {
    const one = await open("one");
    for (const item of upTo(5)) one.append(rowOf(item));
    await one.close();
    const head = one.head();
    expect(head.position).toBe(5);
    await server().stop();
    const again = await open("one");
    expect(again.head()).toEqual(head);
    expect(again.append(rowOf(6)).position).toBe(6);
    await server().start();
    await expect.poll(() => again.health().pending, within).toBe(0);
  });
});
