import { spawnSync } from "node:child_process";
import { appendFileSync, chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DatabaseRefusal } from "../../../src/evidence/postgres/database-error.ts";
import { openSharedDatabase, type SharedDatabase } from "../../../src/evidence/postgres/shared-database.ts";
import { UnreachableLogError } from "../../../src/evidence/store.ts";
import { noPostgres } from "../running-postgres.ts";
import { type CuttingProxy, startProxy } from "./cutting-proxy.ts";
import { serverOfFile } from "./shared-logs.ts";

const password = "c4nary-p@ss";

describe.skipIf(noPostgres !== null)(`a shared database${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();
  let url: string;
  let proxy: CuttingProxy;
  const opened: SharedDatabase[] = [];
  beforeEach(async () => {
    url = await server().newDatabase();
    proxy = await startProxy(url);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
    proxy.close();
  });

  const open = (through = url): SharedDatabase => {
    const patience = { connect: 500, answer: 500 };
    const options = { url: through, log: "candor", replica: "one", random: () => 0.5, patience };
    const database = openSharedDatabase(options);
    opened.push(database);
    return database;
  };

  test("gives whole numbers as numbers, beyond exact ones as text, and bytes as they are", async () => {
    const rows = await open().query(
      "SELECT 9007199254740991::bigint AS a, 9007199254740993::bigint AS b, '\\x00ff'::bytea AS c",
    );
    expect(rows).toEqual([{ a: 9_007_199_254_740_991, b: "9007199254740993", c: Buffer.from([0, 255]) }]);
  });

  test("a transaction is done whole or not at all", async () => {
    const { query, transaction } = open();
    await query("CREATE TABLE t (a integer)");
    const failing = transaction(async (session) => {
      await session.query("INSERT INTO t VALUES (1)");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await transaction((session) => session.query("INSERT INTO t VALUES (2)"));
    expect(await query("SELECT a FROM t")).toEqual([{ a: 2 }]);
  });

  test("a statement that the database can't do is refused with its code", async () => {
    const error = await open()
      .query("SELECT 1 FROM nowhere")
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DatabaseRefusal);
    expect(error).toMatchObject({ code: "42P01", message: expect.stringContaining('"nowhere" does not exist') });
  });

  test("connections that were cut are replaced", async () => {
    const { query } = open(proxy.url);
    await query("SELECT 1");
    proxy.cut();
    await expect(query("SELECT 1")).rejects.toThrow(UnreachableLogError);
    proxy.mend();
    await expect.poll(() => query("SELECT 1 AS a").catch(() => [])).toEqual([{ a: 1 }]);
  });

  test("an answer that does not come is not waited for, nor is its connection used again", async () => {
    const { query } = open(proxy.url);
    await query("SELECT 1");
    proxy.stall();
    await expect(query("SELECT 1")).rejects.toThrow("the database did not answer in time");
    proxy.mend();
    expect(await query("SELECT 2 AS a")).toEqual([{ a: 2 }]);
  });

  test("after it was closed, questions are refused", async () => {
    const database = open();
    await database.query("SELECT 1");
    await database.close();
    await database.close();
    await expect(database.query("SELECT 1")).rejects.toThrow(UnreachableLogError);
    await expect(database.alone("x", async () => 1)).rejects.toThrow(UnreachableLogError);
  });

  describe("alone", () => {
    test("work of one name is done by one process at a time, and none is left out", async () => {
      let busy = 0;
      let most = 0;
      const work = async (): Promise<number> => {
        busy += 1;
        most = Math.max(most, busy);
        await pause(20);
        busy -= 1;
        return busy;
      };
      expect(await Promise.all([open(), open(), open()].map(({ alone }) => alone("a", work)))).toEqual([0, 0, 0]);
      expect(most).toBe(1);
    });

    test("work of other names does not wait", async () => {
      const [one, two] = [open(), open()];
      expect(await one.alone("a", () => two.alone("b", async () => "both"))).toBe("both");
    });

    test("what the work throws is told as it is, and the next one may begin", async () => {
      const { alone } = open();
      const fails = async (): Promise<never> => {
        throw new RangeError("mine");
      };
      await expect(alone("a", fails)).rejects.toThrow(RangeError);
      expect(await alone("a", async () => 1)).toBe(1);
    });

    test("who loses the connection is told at once, and another can begin", async () => {
      const [one, two] = [open(proxy.url), open()];
      let told = false;
      const lost = one.alone("a", (signal) => {
        signal.addEventListener("abort", () => {
          told = true;
        });
        proxy.cut();
        return new Promise(() => {});
      });
      await expect(lost).rejects.toThrow(UnreachableLogError);
      expect(told).toBe(true);
      expect(await two.alone("a", async () => 1)).toBe(1);
    });
  });

  test("a replica that stops within a transaction keeps its locks for a short time only", async () => {
    const [stuck, other] = [open(), open()];
    await other.query("CREATE TABLE t (a integer); INSERT INTO t VALUES (1)");
    const stopped = stuck.transaction(async (session) => {
      await session.query("SELECT a FROM t FOR UPDATE");
      await pause(1_500);
      await session.query("SELECT 1");
    });
    const ended = expect(stopped).rejects.toThrow(UnreachableLogError);
    await pause(50);
    expect(await other.query("UPDATE t SET a = 2 RETURNING a", [], 1_400)).toEqual([{ a: 2 }]);
    await ended;
  });

  describe("names neither its address nor a password", () => {
    const asUser = (user: string, key: string, query = "sslmode=disable"): string => {
      const changed = new URL(url);
      changed.username = user;
      changed.password = key;
      changed.search = query;
      return changed.href;
    };
    const messageOf = async (through: string): Promise<string> => {
      const error = await open(through)
        .query("SELECT 1")
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UnreachableLogError);
      const told = inspect(error, { depth: 10, showHidden: true });
      for (const secret of [password, encodeURIComponent(password), through, "127.0.0.1", "nowhere.invalid"]) {
        expect(told).not.toContain(secret);
      }
      return error instanceof Error ? error.message : "";
    };
    const allow = async (line: string): Promise<void> => {
      const file = join(server().folder, "pg_hba.conf");
      writeFileSync(file, `${line}\n${readFileSync(file, "utf8")}`);
      await server().execute(url, "SELECT pg_reload_conf()");
      await pause(100);
    };

    test("when the password is wrong", async () => {
      await server().execute(url, "CREATE ROLE locked LOGIN PASSWORD 'right'");
      await allow("host all locked 127.0.0.1/32 scram-sha-256");
      expect(await messageOf(asUser("locked", password))).toBe("the database refuses the password");
      expect(await messageOf(asUser("locked", ""))).toBe("the database asks for a password, and its URL has none");
      expect(await open(asUser("locked", "right")).query("SELECT 1 AS a")).toEqual([{ a: 1 }]);
    });

    test("when the user is not let in", async () => {
      await server().execute(url, "CREATE ROLE rejected LOGIN");
      await allow("host all rejected 127.0.0.1/32 reject");
      expect(await messageOf(asUser("rejected", password))).toMatch(/^the database refuses the user/);
    });

    test("when TLS is asked for and there is none", async () => {
      expect(await messageOf(asUser("postgres", password, "sslmode=require"))).toMatch(/^the database has no TLS/);
    });

    test.each([
      ["there is no such host", "nowhere.invalid", /host/],
      ["nothing listens there", "127.0.0.1:1", /^nothing listens/],
    ])("when %s", async (_, host, message) => {
      expect(await messageOf(`postgres://bot:${encodeURIComponent(password)}@${host}/logs?sslmode=disable`)).toMatch(
        message,
      );
    });

    test("when there is no such database", async () => {
      const other = new URL(asUser("postgres", password));
      other.pathname = "/none";
      expect(await messageOf(other.href)).toBe("the server has no database of this name");
    });

    test("when the network says nothing", async () => {
      proxy.stall();
      const through = new URL(proxy.url);
      through.password = password;
      expect(await messageOf(through.href)).toBe("the database did not answer in time");
    });
  });

  test("a certificate is checked as sslmode says", async (context) => {
    const { folder } = server();
    const [key, certificate] = [join(folder, "server.key"), join(folder, "server.crt")];
    const command = "openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=other.example";
    const [program = "", ...args] = `${command} -addext subjectAltName=DNS:other.example`.split(" ");
    const { error } = spawnSync(program, [...args, "-keyout", key, "-out", certificate], { stdio: "ignore" });
    if (error !== undefined) return context.skip(`no certificate can be made (${error.message})`);
    const { uid, gid } = statSync(folder);
    for (const file of [key, certificate]) chownSync(file, uid, gid);
    appendFileSync(join(folder, "postgresql.conf"), "ssl = on\n");
    await server().stop();
    await server().start();
    const ask = (query: string) => {
      const through = new URL(url);
      through.search = query;
      return open(through.href).query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    };
    expect(await ask("sslmode=disable")).toEqual([{ ssl: false }]);
    expect(await ask("sslmode=require")).toEqual([{ ssl: true }]);
    await expect(ask("sslmode=verify-full")).rejects.toThrow("signed by itself: name its authority with sslrootcert");
    expect(await ask(`sslmode=verify-ca&sslrootcert=${certificate}`)).toEqual([{ ssl: true }]);
    await expect(ask(`sslmode=verify-full&sslrootcert=${certificate}`)).rejects.toThrow("for another host name");
  });
});
