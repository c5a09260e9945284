import { setTimeout as pause } from "node:timers/promises";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verifyLog } from "../../../src/evidence/postgres/log-reader.ts";
import type { SharedStore } from "../../../src/evidence/postgres/shared-store.ts";
import { UnreachableLogError } from "../../../src/evidence/store.ts";
import { meddle, rowOf } from "../evidence-files.ts";
import { noPostgres } from "../running-postgres.ts";
import { type CuttingProxy, startProxy } from "./cutting-proxy.ts";
import { followed, impatient, itemsOf, newLog, serverOfFile, type TestLog } from "./shared-logs.ts";

const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const appendAll = (store: SharedStore, items: readonly number[]) => items.map((item) => store.append(rowOf(item)));
const within = { timeout: 15_000, interval: 20 };

describe.skipIf(noPostgres !== null)(`a log in PostgreSQL${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();
  let log: TestLog;
  let proxy: CuttingProxy;
  beforeEach(async () => {
    log = await newLog(server());
    proxy = await startProxy(log.url);
  });
  afterEach(async () => {
    await log.remove();
    proxy.close();
    await server().start();
  });

  const open = (replica: string, options = {}) => log.open(replica, { ...impatient, ...options });
  const openThroughProxy = (replica: string, options = {}) => open(replica, { url: proxy.url, ...options });
  const allPlaced = (store: SharedStore) => expect.poll(() => store.health().pending, within).toBe(0);
  const stored = async (): Promise<number[]> => {
    const rows = await server().execute(log.url, "SELECT body FROM candor.entries ORDER BY position");
    return rows.map(({ body }) => Number(/"item":"q#(\d+)"/.exec(String(body))?.[1]));
  };
  const verified = async (rows: number) =>
    expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "intact", rows, lost: 0 });

  test("with a database that is away at the start, entries are kept and placed once it is there", async () => {
    await server().stop("immediate");
    const store = await open("one");
    expect(appendAll(store, upTo(150)).map(({ position }) => position)).toEqual(upTo(150));
    await store.flush();
    expect(store.health()).toMatchObject({ writable: true, pending: 150, dropped: 0 });
    expect(store.health().lastError).toBe("nothing listens at the database's address");
    expect(store.shared.connected()).toBe(false);
    await expect(store.since(0, 10)).rejects.toThrow(UnreachableLogError);
    await expect(store.latest(10)).rejects.toThrow(UnreachableLogError);
    await expect(store.link(1)).rejects.toThrow(UnreachableLogError);
    await expect(store.shared.checkpoint()).rejects.toThrow(UnreachableLogError);
    await expect(store.shared.alone("x", async () => 1)).rejects.toThrow(UnreachableLogError);
    await server().start();
    await allPlaced(store);
    expect(store.health()).toEqual({ writable: true, pending: 0, dropped: 0, lastError: null });
    expect(await stored()).toEqual(upTo(150));
    await verified(150);
  });

  test("a database that crashes and comes back has every entry once, in order, and so has who follows", async () => {
    const store = await open("one");
    const { placed } = followed(store);
    appendAll(store, upTo(100));
    await store.flush();
    const crash = server().stop("immediate");
    for (const item of upTo(300, 101)) {
      store.append(rowOf(item));
      if (item % 20 === 0) await pause(10);
    }
    await crash;
    await expect.poll(() => store.shared.connected(), within).toBe(false);
    appendAll(store, upTo(400, 301));
    await server().start();
    await expect.poll(() => placed.length, within).toBe(400);
    expect(store.shared.connected()).toBe(true);
    expect(itemsOf(placed.map(({ entry }) => entry))).toEqual(upTo(400));
    expect(placed.map(({ entry }) => entry.position)).toEqual(upTo(400));
    expect(placed.every(({ own }) => own)).toBe(true);
    await verified(400);
  });

  test("an answer that is lost after the commit makes no entry come twice", async () => {
    const store = await openThroughProxy("one");
    const { placed } = followed(store);
    const lost = proxy.loseAnswerTo("place_rows");
    appendAll(store, upTo(50));
    await lost;
    appendAll(store, upTo(80, 51));
    await allPlaced(store);
    expect(await stored()).toEqual(upTo(80));
    await expect.poll(() => placed.length, within).toBe(80);
    await verified(80);
  });

  test("a network that says nothing any more is noticed, and the entries are kept until it does", async () => {
    const store = await openThroughProxy("one");
    const { placed } = followed(store);
    appendAll(store, upTo(10));
    await store.flush();
    proxy.stall();
    appendAll(store, upTo(20, 11));
    await expect.poll(() => store.shared.connected(), within).toBe(false);
    expect(store.health()).toMatchObject({ writable: true, pending: 10 });
    await expect(store.since(0, 10)).rejects.toThrow(UnreachableLogError);
    proxy.mend();
    await allPlaced(store);
    await expect.poll(() => placed.length, within).toBe(20);
    expect(await stored()).toEqual(upTo(20));
  });

  test("a connection that is cut again and again loses nothing and doubles nothing", async () => {
    const store = await openThroughProxy("one");
    const { placed } = followed(store);
    for (const round of upTo(6)) {
      appendAll(store, upTo(round * 50, round * 50 - 49));
      await pause(round * 8);
      proxy.cut();
      await pause(10);
      proxy.mend();
    }
    await expect.poll(() => placed.length, within).toBe(300);
    expect(itemsOf(placed.map(({ entry }) => entry))).toEqual(upTo(300));
    await verified(300);
  });

  test("what a process could not place before its end is placed by the next one, before its own", async () => {
    const first = await openThroughProxy("one");
    proxy.cut();
    appendAll(first, upTo(30));
    await first.close();
    const second = await openThroughProxy("one");
    expect(second.health()).toMatchObject({ writable: true, pending: 30 });
    appendAll(second, upTo(40, 31));
    const { placed } = followed(second);
    proxy.mend();
    await expect.poll(() => placed.length, within).toBe(40);
    expect(itemsOf(placed.map(({ entry }) => entry))).toEqual(upTo(40));
    expect(placed.map(({ own }) => own)).toEqual(upTo(40).map((item) => item > 30));
    await verified(40);
  });

  test("a batch that was placed without its answer and spooled is not placed again after a restart", async () => {
    const first = await openThroughProxy("one");
    const lost = proxy.loseAnswerTo("place_rows");
    appendAll(first, upTo(10));
    await lost;
    proxy.cut();
    await first.close();
    proxy.mend();
    const second = await openThroughProxy("one");
    await allPlaced(second);
    expect(await stored()).toEqual(upTo(10));
  });

  test("a lost spool, as on a disk that goes with the container, makes a new writer that clashes with nobody", async () => {
    const first = await open("one");
    appendAll(first, upTo(5));
    await first.close();
    const second = await open("one", { path: log.spool("another") });
    appendAll(second, upTo(10, 6));
    await second.flush();
    expect(await stored()).toEqual(upTo(10));
  });

  test("rows of an earlier process that can't be read are told, stay where they are, and keep nobody", async () => {
    const first = await openThroughProxy("one");
    proxy.cut();
    appendAll(first, [1]);
    await first.close();
    proxy.mend();
    const beyondNumbers = "UPDATE rows SET sequence = 9223372036854775807";
    meddle(log.spool("one"), (database) => database.exec(beyondNumbers));
    const warnings: unknown[] = [];
    const second = await open("one", { log: { info: () => {}, warn: (...given: unknown[]) => warnings.push(given) } });
    appendAll(second, [2]);
    await allPlaced(second);
    expect(await stored()).toEqual([2]);
    expect(JSON.stringify(warnings)).toContain("can't be read from the spool");
    await second.close();
    expect(meddle(log.spool("one"), (database) => database.prepare("SELECT count(*) AS rows FROM rows").get())).toEqual(
      {
        rows: 1,
      },
    );
  });

  test.each([
    ["a wrong host", (url: URL) => Object.assign(url, { hostname: "c4nary-host.invalid" })],
    ["a database that is not there", (url: URL) => Object.assign(url, { pathname: "/c4nary-name" })],
    ["a port where nobody is", (url: URL) => Object.assign(url, { port: "1" })],
  ])("with %s, nothing that is told holds a part of the URL, and rows are spooled", async (_, change) => {
    const url = new URL(log.url);
    url.password = "c4nary-password";
    change(url);
    const told: unknown[] = [];
    const note = (...given: unknown[]): void => {
      told.push(given);
    };
    const store = await open("one", { url: url.href, log: { info: note, warn: note } });
    appendAll(store, upTo(3));
    await store.flush();
    told.push(store.health(), await Promise.resolve(store.since(0, 1)).catch((error: unknown) => error));
    expect(store.health()).toMatchObject({ writable: true, pending: 3 });
    expect(inspect(told, { depth: 10, showHidden: true })).not.toContain("c4nary");
    await store.close();
  });

  test("two processes can't use one spool", async () => {
    await open("one");
    await expect(open("one")).rejects.toThrow("is being written by another process");
  });

  test("two replicas that write at once share one dense chain, each in its own order", async () => {
    const stores = await Promise.all([open("one"), open("two")]);
    const follower = followed(await open("three"));
    for (const round of upTo(20)) {
      for (const store of stores) appendAll(store, upTo(round * 50, round * 50 - 49));
      await pause(5);
    }
    await Promise.all(stores.map((store) => store.flush()));
    await expect.poll(() => follower.placed.length, within).toBe(2_000);
    const entries = follower.placed.map(({ entry }) => entry);
    expect(entries.map(({ position }) => position)).toEqual(upTo(2_000));
    for (const name of ["one", "two"]) {
      expect(itemsOf(entries.filter(({ replica }) => replica === name))).toEqual(upTo(1_000));
    }
    await verified(2_000);
  });

  test("beyond the rows that may wait in memory new ones are dropped and counted", async () => {
    const store = await openThroughProxy("one", { maxPendingRows: 100 });
    proxy.cut();
    appendAll(store, upTo(130));
    expect(store.health()).toMatchObject({ pending: 100, dropped: 30 });
    proxy.mend();
    await allPlaced(store);
    expect(await stored()).toEqual(upTo(100));
  });

  test("a full spool keeps further rows in memory, says so, and recovers", async () => {
    const store = await openThroughProxy("one", { maxSpooledRows: 100 });
    proxy.cut();
    appendAll(store, upTo(100));
    await store.flush();
    expect(store.health().writable).toBe(true);
    appendAll(store, upTo(120, 101));
    await expect(store.flush()).rejects.toThrow("holds as many rows as it may: 100");
    expect(store.health()).toMatchObject({ writable: false, pending: 120, dropped: 0 });
    proxy.mend();
    await allPlaced(store);
    expect(store.health()).toMatchObject({ writable: true, lastError: null });
    expect(await stored()).toEqual(upTo(120));
  });

  test("a notice that is lost delays who follows, no more", async () => {
    const store = await open("one");
    const { placed } = followed(await open("two"));
    const [found] = await server().execute(
      log.url,
      "SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE proname = 'place_rows'",
    );
    const silent = String(found?.text).replace(/PERFORM pg_notify\(.*\);/, "");
    expect(silent).not.toContain("pg_notify");
    await server().execute(log.url, silent);
    appendAll(store, upTo(10));
    await expect.poll(() => placed.length, within).toBe(10);
  });

  test("a log that was cut under a follower ends the following, and is told", async () => {
    const warnings: unknown[] = [];
    const store = await open("one", { log: { info: () => {}, warn: (...given: unknown[]) => warnings.push(given) } });
    const { placed } = followed(store);
    appendAll(store, upTo(10));
    await expect.poll(() => placed.length, within).toBe(10);
    await server().execute(
      log.url,
      `DELETE FROM candor.entries WHERE position > 5;
       UPDATE candor.log SET position = 5, hash = (SELECT hash FROM candor.entries WHERE position = 5)`,
    );
    await expect.poll(() => store.shared.connected(), within).toBe(false);
    expect(store.health().lastError).toMatch(
      /restart this replica: the log ends at 5, and this replica has read to 10/,
    );
    expect(JSON.stringify(warnings)).toContain("rows were cut off");
  });

  test("a log that was written anew under a follower ends the following", async () => {
    const store = await open("one");
    const { placed } = followed(store);
    appendAll(store, upTo(10));
    await expect.poll(() => placed.length, within).toBe(10);
    await server().execute(log.url, "UPDATE candor.log SET hash = repeat('0', 64)");
    appendAll(store, [11]);
    await expect.poll(() => store.health().lastError, within).toMatch(/position 11 does not follow the one before it/);
    expect(placed).toHaveLength(10);
    expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "broken", position: 11 });
  });
});
