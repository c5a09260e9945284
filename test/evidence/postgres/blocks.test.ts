import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dropOldBlocks } from "../../../src/evidence/postgres/blocks.ts";
import { verifyLog } from "../../../src/evidence/postgres/log-reader.ts";
import type { SharedStore } from "../../../src/evidence/postgres/shared-store.ts";
import { rowOf } from "../evidence-files.ts";
import { noPostgres } from "../running-postgres.ts";
import { followed, impatient, newLog, serverOfFile, type TestLog } from "./shared-logs.ts";

const within = { timeout: 10_000, interval: 20 };

describe.skipIf(noPostgres !== null)(`blocks of a shared log${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();
  let log: TestLog;
  let store: SharedStore;
  beforeEach(async () => {
    log = await newLog(server());
    store = await log.open("one", { ...impatient, blockRows: 100 });
  });
  afterEach(() => log.remove());

  const appendUpTo = async (rows: number): Promise<void> => {
    for (let item = store.head().position + 1; item <= rows; item += 1) store.append(rowOf(item));
    await store.flush();
  };
  const blocks = async (): Promise<string[]> => {
    const rows = await server().execute(
      log.url,
      `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'candor.entries'::regclass ORDER BY length(c.relname), c.relname`,
    );
    return rows.map(({ relname }) => String(relname));
  };
  const checkpoint = (position: number) => store.shared.saveCheckpoint({ position, text: `state at ${position}` });
  const drop = (rows: number) => dropOldBlocks(store.database, { rows });

  test("are there before they are needed", async () => {
    expect(await blocks()).toEqual(["entries_0", "entries_1"]);
    await appendUpTo(49);
    expect(await blocks()).toEqual(["entries_0", "entries_1"]);
    await appendUpTo(160);
    expect(await blocks()).toEqual(["entries_0", "entries_1", "entries_2"]);
  });

  test("are made while rows wait, where a batch goes beyond all that are there", async () => {
    await appendUpTo(950);
    expect(store.health().lastError).toBeNull();
    expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "intact", rows: 950 });
  });

  test("stay as large as they were when the log was begun", async () => {
    const other = await log.open("two", { ...impatient, blockRows: 10 });
    other.append(rowOf(1));
    await other.flush();
    expect(await blocks()).toEqual(["entries_0", "entries_1"]);
  });

  test("are dropped when enough newer rows are there, and not before a checkpoint covers them", async () => {
    await appendUpTo(550);
    expect(await drop(100)).toBe(0);
    await checkpoint(250);
    expect(await drop(400)).toBe(100);
    expect(await drop(100)).toBe(100);
    expect((await blocks())[0]).toBe("entries_2");
    expect((await store.since(0, 1))[0]?.position).toBe(201);
    expect(await drop(100)).toBe(0);
  });

  test("stay for whoever began to read on from the older of two checkpoints", async () => {
    await appendUpTo(550);
    await checkpoint(150);
    await checkpoint(500);
    expect(await drop(1)).toBe(100);
    await checkpoint(510);
    expect(await drop(1)).toBe(400);
  });

  test("are dropped by the database's clock", async () => {
    await appendUpTo(250);
    await checkpoint(250);
    expect(await dropOldBlocks(store.database, { days: 1 })).toBe(0);
    await server().execute(
      log.url,
      "UPDATE candor.entries SET placed = placed - interval '25 hours' WHERE position <= 100",
    );
    expect(await dropOldBlocks(store.database, { days: 1, rows: 200 })).toBe(0);
    expect(await dropOldBlocks(store.database, { days: 1 })).toBe(100);
    expect(await dropOldBlocks(store.database, { days: 1 })).toBe(0);
  });

  test("leave an anchor from which the chain is verified, and links go on", async () => {
    await appendUpTo(250);
    const before = await store.link(101);
    const anchor = { position: 100, hash: (await store.link(100))?.hash ?? "" };
    await checkpoint(250);
    await drop(1);
    expect(await store.link(201)).toMatchObject({ previous: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(before?.previous).toBe(anchor.hash);
    expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "intact", rows: 50, lost: 0 });
    await expect(verifyLog(log.url, "candor", anchor)).rejects.toThrow("rows to position 200 were dropped");
    const end = { ...store.head() };
    expect(await verifyLog(log.url, "candor", end)).toMatchObject({ kind: "intact" });
    await appendUpTo(300);
    expect(await verifyLog(log.url, "candor", end)).toMatchObject({ kind: "intact", rows: 100 });
    await server().execute(log.url, "UPDATE candor.entries SET subject = 'x' WHERE position = 201");
    expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "broken", position: 201 });
  });

  test("that were dropped before somebody read them end the following, and are told", async () => {
    await appendUpTo(250);
    await checkpoint(250);
    await drop(1);
    followed(store);
    await expect
      .poll(() => store.health().lastError, within)
      .toMatch(/rows from position 1 to 200 are not there any more/);
    expect(store.shared.connected()).toBe(false);
  });
});
