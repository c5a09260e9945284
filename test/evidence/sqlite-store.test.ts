import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SqliteStoreOptions } from "../../src/evidence/sqlite-store.ts";
import type { SoleStore } from "../../src/evidence/store.ts";
import { verifyFile } from "../../src/evidence/verify.ts";
import { meddle, newFolder, openStore, rowOf } from "./evidence-files.ts";
import { handTurnedTimers } from "./hand-turned-timers.ts";
import { describeStore } from "./store-suite.ts";

describeStore("the SQLite store", () => {
  const folder = newFolder();
  return { open: () => openStore(folder.path("log.db")), remove: folder.remove };
});

let folder: ReturnType<typeof newFolder>;
let path: string;
let opened: SoleStore[];
let logged: { level: string; message: string | undefined }[];
let anchors: unknown[];
let timers: ReturnType<typeof handTurnedTimers>;

beforeEach(() => {
  folder = newFolder();
  path = folder.path("log.db");
  opened = [];
  logged = [];
  anchors = [];
  timers = handTurnedTimers();
});
afterEach(async () => {
  for (const store of opened) await store.close().catch(() => {});
  folder.remove();
});

/** Time stands still unless it is turned. */
const open = (options: Partial<SqliteStoreOptions> = {}): SoleStore => {
  const info = (fields: object, message?: string): void => {
    if ("anchor" in fields) anchors.push(fields.anchor);
    else logged.push({ level: "info", message });
  };
  const warn = (_: object, message?: string) => void logged.push({ level: "warn", message });
  const store = openStore(path, { clock: timers, log: { info, warn }, ...options });
  opened.push(store);
  return store;
};
const appendRows = (store: SoleStore, first: number, last: number): void => {
  for (let item = first; item <= last; item += 1) store.append(rowOf(item));
};
const positionsOnDisk = (): unknown[] =>
  meddle(path, (database) => database.prepare("SELECT position FROM entries ORDER BY position").all()).map(
    ({ position }) => position,
  );

/** As a disk that takes no more from some row on; `mend` makes it take everything again. */
const breakDisk = (from = 0): { mend(): void } => {
  meddle(path, (database) =>
    database.exec(
      `CREATE TRIGGER broken BEFORE INSERT ON entries WHEN new.position >= ${from}
       BEGIN SELECT RAISE(FAIL, 'disk is broken'); END`,
    ),
  );
  return { mend: () => meddle(path, (database) => database.exec("DROP TRIGGER broken")) };
};

describe("when rows are written", () => {
  test("a row waits 50 ms at most", () => {
    const store = open();
    appendRows(store, 1, 3);
    timers.turn(49);
    expect(store.head().position).toBe(0);
    timers.turn(1);
    expect(store.head().position).toBe(3);
  });

  test("100 rows do not wait", () => {
    const store = open();
    appendRows(store, 1, 100);
    timers.turn(0);
    expect(store.head().position).toBe(100);
  });

  test("a backlog goes to disk 100 rows a turn, so that others have theirs in between", () => {
    const heads: number[] = [];
    const clock = handTurnedTimers();
    const store = open({
      clock: {
        after: (ms, ring) =>
          clock.after(ms, () => {
            ring();
            heads.push(store.head().position);
          }),
      },
    });
    appendRows(store, 1, 350);
    clock.turn(0);
    expect(heads).toEqual([100, 200, 300, 350]);
  });

  test("a flush lets other work have its turn between batches", async () => {
    const store = open();
    appendRows(store, 1, 350);
    const heads: number[] = [];
    const flushed = store.flush();
    while (store.health().pending > 0) {
      heads.push(store.head().position);
      await new Promise(setImmediate);
    }
    await flushed;
    expect(heads).toEqual([100, 200, 300]);
  });

  test("a flush does not wait for rows that come in meanwhile", async () => {
    const store = open();
    appendRows(store, 1, 150);
    const flushed = store.flush();
    appendRows(store, 151, 400);
    await flushed;
    expect(store.head().position).toBeGreaterThanOrEqual(150);
    expect(store.head().position).toBeLessThan(400);
    timers.turn(50);
    expect(store.head().position).toBe(400);
  });
});

describe("while the disk fails", () => {
  test("rows are kept, given to readers, and written once it recovers", () => {
    const store = open();
    const disk = breakDisk();
    appendRows(store, 1, 150);
    timers.turn(50);
    expect(store.health()).toEqual({ writable: false, pending: 150, dropped: 0, lastError: "disk is broken" });
    expect(store.since(0, 1_000)).toHaveLength(150);
    disk.mend();
    timers.turn(5_000);
    expect(store.health()).toEqual({ writable: true, pending: 0, dropped: 0, lastError: null });
    expect(positionsOnDisk()).toHaveLength(150);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 150, lost: 0 });
  });

  test("the log says so once, and once that it is over", () => {
    const store = open();
    const disk = breakDisk();
    appendRows(store, 1, 150);
    timers.turn(60_000);
    disk.mend();
    timers.turn(60_000);
    expect(logged).toEqual([
      { level: "warn", message: "evidence can't be written; kept in memory" },
      { level: "info", message: "evidence is written again" },
    ]);
  });

  test("nothing of a batch is written when its last row can't be", () => {
    const store = open();
    const disk = breakDisk(100);
    appendRows(store, 1, 100);
    timers.turn(0);
    expect(positionsOnDisk()).toEqual([]);
    expect(store.head().position).toBe(0);
    disk.mend();
    timers.turn(250);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 100, lost: 0 });
  });

  test("it is tried again after 0.25 s, then ever less often, down to every 5 s", () => {
    const tried: number[] = [];
    const clock = handTurnedTimers();
    const store = open({
      clock: {
        after(ms, ring) {
          tried.push(ms);
          return clock.after(ms, ring);
        },
      },
    });
    breakDisk();
    tried.length = 0;
    store.append(rowOf(1));
    clock.turn(20_000);
    expect(tried.slice(0, 8)).toEqual([50, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test("the next failure begins again with 0.25 s", () => {
    const store = open();
    const disk = breakDisk();
    store.append(rowOf(1));
    timers.turn(20_000);
    disk.mend();
    timers.turn(5_000);
    const again = breakDisk();
    store.append(rowOf(2));
    timers.turn(50);
    expect(store.health().writable).toBe(false);
    again.mend();
    timers.turn(250);
    expect(store.health().writable).toBe(true);
  });

  test("new rows do not make it be tried more often", () => {
    const store = open();
    breakDisk();
    appendRows(store, 1, 100);
    timers.turn(0);
    const before = timers.waiting();
    appendRows(store, 101, 1_000);
    expect(timers.waiting()).toBe(before);
  });

  test("a flush is refused with the disk's own words, and what it could not write is kept", async () => {
    const store = open();
    const disk = breakDisk();
    store.append(rowOf(1));
    await expect(store.flush()).rejects.toThrow("disk is broken");
    expect(store.health()).toMatchObject({ writable: false, pending: 1 });
    disk.mend();
    await store.flush();
    expect(store.health()).toMatchObject({ writable: true, pending: 0 });
  });

  test("after a flush that went well, new rows do not wait for the retry that was planned", async () => {
    const store = open();
    const disk = breakDisk();
    store.append(rowOf(1));
    timers.turn(20_000);
    disk.mend();
    await store.flush();
    store.append(rowOf(2));
    timers.turn(50);
    expect(store.head().position).toBe(2);
  });

  test("rows beyond the bound are dropped, counted, and missing in the log for everybody to see", () => {
    const store = open({ maxPendingRows: 100 });
    const disk = breakDisk();
    appendRows(store, 1, 130);
    timers.turn(0);
    expect(store.health()).toMatchObject({ pending: 100, dropped: 30 });
    disk.mend();
    timers.turn(5_000);
    expect(store.append(rowOf(131)).position).toBe(131);
    timers.turn(50);
    expect(positionsOnDisk().slice(-2)).toEqual([100, 131]);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 101, lost: 30 });
    expect(store.health().dropped).toBe(30);
  });

  test("somebody else's lock is waited for without standing still", async () => {
    const store = open();
    store.append(rowOf(1));
    const flushed = meddle(path, (other) => {
      other.exec("BEGIN IMMEDIATE");
      const start = performance.now();
      timers.turn(50);
      // With any patience at all it would have been a second.
      expect(performance.now() - start).toBeLessThan(900);
      expect(store.health()).toMatchObject({ writable: false, pending: 1, lastError: "database is locked" });
      return store.flush();
    });
    await expect(flushed).rejects.toThrow("locked");
    timers.turn(5_000);
    expect(store.head().position).toBe(1);
  });

  test("closing waits for somebody else's lock, as there is no later try", async () => {
    const store = open();
    store.append(rowOf(1));
    const other = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       const { DatabaseSync } = require("node:sqlite");
       const database = new DatabaseSync(workerData);
       database.exec("BEGIN IMMEDIATE");
       parentPort.postMessage("locked");
       setTimeout(() => database.exec("COMMIT"), 100);`,
      { eval: true, workerData: path },
    );
    await once(other, "message");
    await store.close();
    expect(positionsOnDisk()).toEqual([1]);
    await other.terminate();
  });

  test("closing says what is lost, frees the file, and leaves what was written", async () => {
    const store = open();
    appendRows(store, 1, 10);
    timers.turn(50);
    const disk = breakDisk();
    appendRows(store, 11, 15);
    await expect(store.close()).rejects.toThrow("disk is broken");
    await expect(store.close()).rejects.toThrow("disk is broken");
    expect(logged.map(({ message }) => message)).toContain("evidence is lost: it could not be written");
    disk.mend();
    expect(open().head().position).toBe(10);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 10 });
  });
});

describe("a name that changed between starts", () => {
  test("each row says who wrote it, and the chain goes on", async () => {
    await writeAs("a", 1, 3);
    await writeAs("b", 4, 6);
    await writeAs("a", 7, 8);
    const store = open();
    expect(store.since(0, 10).map(({ replica }) => replica)).toEqual(["a", "a", "a", "b", "b", "b", "a", "a"]);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 8, lost: 0 });
  });

  const writeAs = async (replica: string, first: number, last: number): Promise<void> => {
    const store = open({ replica });
    appendRows(store, first, last);
    await store.close();
  };
});

describe("anchors", () => {
  const anchor = ({ position, hash }: { position: number; hash: string }): string => `${position}:${hash}`;
  const hour = 3_600_000;

  test("the program's own log tells the head at the start, every hour in which rows were written, and at the end", async () => {
    const store = open();
    appendRows(store, 1, 2);
    await store.close();
    expect(anchors).toEqual([anchor(store.head())]);

    const again = open();
    expect(anchors).toHaveLength(2);
    timers.turn(2 * hour);
    expect(anchors).toHaveLength(2);
    again.append(rowOf(3));
    timers.turn(hour);
    expect(anchors.slice(2)).toEqual([anchor(again.head())]);
    await again.close();
    expect(anchors).toHaveLength(3);
    timers.turn(hour);
    expect(anchors).toHaveLength(3);
  });
});
