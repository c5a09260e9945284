import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IncompatibleLogError, type Migration, migrations } from "../../../src/evidence/postgres/log-schema.ts";
import type { SharedStore } from "../../../src/evidence/postgres/shared-store.ts";
import { rowOf } from "../evidence-files.ts";
import { noPostgres } from "../running-postgres.ts";
import { impatient, itemsOf, newLog, serverOfFile, type TestLog } from "./shared-logs.ts";

const within = { timeout: 10_000, interval: 20 };

/** What a later version may bring. */
const adding: Migration = {
  compatibleFrom: 1,
  sql: ({ schema }) => `ALTER TABLE ${schema}.entries ADD COLUMN more text; CREATE TABLE ${schema}.slots (a integer)`,
};
const breaking: Migration = { compatibleFrom: 2, sql: ({ schema }) => `CREATE TABLE ${schema}.others (a integer)` };
const failing: Migration = {
  compatibleFrom: 1,
  sql: ({ schema }) => `CREATE TABLE ${schema}.half (a integer); SELECT 1/0`,
};

describe.skipIf(noPostgres !== null)(
  `the schema of a shared log${noPostgres === null ? "" : `: ${noPostgres}`}`,
  () => {
    const server = serverOfFile();
    let log: TestLog;
    beforeEach(async () => {
      log = await newLog(server());
    });
    afterEach(() => log.remove());

    const open = (replica: string, next: readonly Migration[] = []): Promise<SharedStore> =>
      log.open(replica, { ...impatient, migrations: [...migrations, ...next] });
    const version = async () => server().execute(log.url, "SELECT version, compatible_from FROM candor.schema_version");
    const isThere = async (table: string): Promise<boolean> => {
      const [row] = await server().execute(log.url, `SELECT to_regclass('candor.${table}') IS NOT NULL AS there`);
      return row?.there === true;
    };
    const write = async (store: SharedStore, item: number): Promise<void> => {
      store.append(rowOf(item));
      await store.flush();
      expect(store.health()).toMatchObject({ pending: 0, lastError: null });
    };

    test("replicas that start together make it once", async () => {
      const stores = await Promise.all(["one", "two", "three", "four"].map((replica) => open(replica)));
      expect(await version()).toEqual([{ version: 1, compatible_from: 1 }]);
      await Promise.all(stores.map((store, index) => write(store, index)));
      expect((await stores[0]?.since(0, 10))?.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
    });

    test("an older replica goes on beside a newer one, and starts beside it, where the newer one says so", async () => {
      const older = await open("older");
      await write(older, 1);
      const newer = await open("newer", [adding]);
      expect(await version()).toEqual([{ version: 2, compatible_from: 1 }]);
      await write(newer, 2);
      await write(older, 3);
      await write(await open("late"), 4);
      expect(itemsOf(await newer.since(0, 10))).toEqual([1, 2, 3, 4]);
      expect(itemsOf(await older.since(0, 10))).toEqual([1, 2, 3, 4]);
    });

    test("an older replica refuses to start where it can't go on beside the newer one, and says what to do", async () => {
      await write(await open("newer", [adding, breaking]), 1);
      const attempt = open("older");
      await expect(attempt).rejects.toThrow(IncompatibleLogError);
      await expect(attempt).rejects.toThrow("the log candor is of a newer Candor (schema 3");
      await expect(attempt).rejects.toThrow("upgrade this one");
      await write(await open("older", [adding, breaking]), 2);
    });

    test("a running replica that can't go on spools, as soon as it learns of it", async () => {
      const older = await open("older");
      await open("newer", [adding, breaking]);
      await server().execute(
        log.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'candor older'",
      );
      await expect.poll(() => older.health().lastError, within).toMatch(/upgrade this one/);
      older.append(rowOf(1));
      await older.flush();
      expect(older.health()).toMatchObject({ writable: true, pending: 1 });
      expect(older.shared.connected()).toBe(false);
    });

    test("a migration that fails leaves nothing of itself, and rows wait until it succeeds", async () => {
      await write(await open("older"), 1);
      const newer = await open("newer", [failing]);
      expect(newer.health().lastError).toContain("division by zero");
      newer.append(rowOf(2));
      await newer.flush();
      expect(newer.health()).toMatchObject({ writable: true, pending: 1 });
      expect(await isThere("half")).toBe(false);
      expect(await version()).toEqual([{ version: 1, compatible_from: 1 }]);
    });

    test("a schema that something else uses is left alone", async () => {
      await server().execute(log.url, "CREATE SCHEMA candor; CREATE TABLE candor.theirs (a integer)");
      await expect(open("one")).rejects.toThrow("give evidence.postgres.log another name");
      expect(await isThere("schema_version")).toBe(false);
    });

    test("an empty schema that an administrator made is used, without the right to make one", async () => {
      await server().execute(log.url, "CREATE ROLE modest LOGIN; CREATE SCHEMA candor AUTHORIZATION modest");
      const url = new URL(log.url);
      url.username = "modest";
      await write(await log.open("one", { ...impatient, url: url.href }), 1);
    });

    test("without the right to make a schema, it says what right is missing", async () => {
      await server().execute(log.url, "CREATE ROLE powerless LOGIN");
      const url = new URL(log.url);
      url.username = "powerless";
      const store = await log.open("one", { ...impatient, url: url.href });
      expect(store.health().lastError).toMatch(/the user needs CREATE on the database, or on the schema candor/);
    });

    test("a database that can't hold every text is refused", async () => {
      await server().execute(log.url, "CREATE DATABASE narrow ENCODING 'SQL_ASCII' TEMPLATE template0");
      const url = new URL(log.url);
      url.pathname = "/narrow";
      await expect(log.open("one", { ...impatient, url: url.href })).rejects.toThrow("create one with ENCODING 'UTF8'");
    });

    test("several logs in one database know nothing of each other", async () => {
      const [one, two] = await Promise.all([open("one"), log.open("two", { ...impatient, name: "other" })]);
      await write(one, 1);
      await write(two, 2);
      expect(itemsOf(await one.since(0, 10))).toEqual([1]);
      expect(itemsOf(await two.since(0, 10))).toEqual([2]);
    });
  },
);
