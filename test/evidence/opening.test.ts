import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Entry } from "../../src/evidence/entry.ts";
import { openWriter } from "../../src/evidence/entry-writer.ts";
import { openForReading } from "../../src/evidence/reader.ts";
import { BrokenRowError } from "../../src/evidence/rows.ts";
import { meddle, newFolder, openStore, rowOf, writeRows } from "./evidence-files.ts";

let folder: ReturnType<typeof newFolder>;
let path: string;
beforeEach(() => {
  folder = newFolder();
  path = folder.path("log.db");
});
afterEach(() => folder.remove());

/** Nothing may be left behind that keeps the next attempt out. */
const opensOnce = async (): Promise<void> => {
  await openStore(path).close();
};

describe("a file that can't be written", () => {
  test("one in a folder that does not exist", () => {
    expect(() => openStore(folder.path("nowhere/log.db"))).toThrow(/nowhere\/log\.db can't be written .*folder exists/);
  });

  test("one whose path is a folder", () => {
    mkdirSync(path);
    expect(() => openStore(path)).toThrow("unable to open database file");
  });

  // Root may write everywhere.
  test.skipIf(process.getuid?.() === 0)("one in a folder that is read-only", () => {
    chmodSync(folder.path("."), 0o555);
    expect(() => openStore(path)).toThrow("can't be written");
    chmodSync(folder.path("."), 0o755);
  });

  test.skipIf(process.getuid?.() === 0)("one that is read-only itself", async () => {
    await writeRows(path, 3);
    chmodSync(path, 0o444);
    expect(() => openStore(path)).toThrow(`${path} can't be written (EACCES`);
    chmodSync(path, 0o644);
    await opensOnce();
  });

  test("one that is no database stays as it is, and is not kept locked", async () => {
    const text = "dear diary, ".repeat(100);
    writeFileSync(path, text);
    expect(() => openStore(path)).toThrow(`${path} is no evidence file: file is not a database`);
    expect(readFileSync(path, "utf8")).toBe(text);
    writeFileSync(path, "");
    await opensOnce();
  });

  test("a database of something else stays as it is", () => {
    meddle(path, (database) => database.exec("CREATE TABLE invoices (amount INTEGER)"));
    const before = readFileSync(path);
    expect(() => openStore(path)).toThrow(`${path} is no evidence file: it is a database of something else`);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a database of something else that counts its versions too", () => {
    meddle(path, (database) => database.exec("CREATE TABLE invoices (amount INTEGER); PRAGMA user_version = 1"));
    expect(() => openStore(path)).toThrow("a database of something else");
  });

  test("one of a newer Candor stays as it is, and is not kept locked", async () => {
    await writeRows(path, 3);
    meddle(path, (database) => database.exec("PRAGMA user_version = 4"));
    const upgrade = `${path} was written by a newer Candor (schema 4, known 3): upgrade Candor`;
    expect(() => openStore(path)).toThrow(upgrade);
    expect(() => openForReading(path)).toThrow(upgrade);
    meddle(path, (database) => database.exec("PRAGMA user_version = 3"));
    await opensOnce();
  });

  test("one of an older Candor is taken further, with its rows", async () => {
    await writeRows(path, 3);
    meddle(path, (database) =>
      database.exec("DROP INDEX entries_harmful; DROP INDEX decisions_by_action; PRAGMA user_version = 1"),
    );
    const reader = openForReading(path);
    expect([...reader.entries()]).toHaveLength(3);
    reader.close();
    await opensOnce();
    meddle(path, (database) => {
      expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 3 });
    });
  });

  test("one whose migration was cut short is taken further", async () => {
    meddle(path, (database) => database.exec("BEGIN; CREATE TABLE entries (x); ROLLBACK"));
    await writeRows(path, 3);
    expect([...readAll()]).toHaveLength(3);
  });
});

describe("one writer at a time", () => {
  test("a second one is refused with what to do, and the first goes on", async () => {
    const first = openStore(path);
    expect(() => openStore(path)).toThrow(
      `${path} is being written by another process: stop it, or give this one an evidence.path of its own`,
    );
    first.append(rowOf(1));
    await first.flush();
    await first.close();
    await opensOnce();
  });

  test("a link to the file is no way around it", async () => {
    const first = openStore(path);
    symlinkSync(path, folder.path("link.db"));
    expect(() => openStore(folder.path("link.db"))).toThrow("is being written by another process");
    await first.close();
  });

  test("a store in memory is nobody else's", async () => {
    const [one, other] = [openStore(":memory:"), openStore(":memory:")];
    one.append(rowOf(1));
    await one.flush();
    expect(other.since(0, 10)).toEqual([]);
    await Promise.all([one.close(), other.close()]);
  });
});

describe("a disk that is full", () => {
  const entryAt = (position: number): Entry => ({ ...rowOf(position), position, replica: "local" });
  const batch = (first: number): Entry[] => Array.from({ length: 100 }, (_, index) => entryAt(first + index));

  test("refuses the whole batch, and the same batch is taken once there is room", () => {
    const writer = openWriter(path, "local");
    writer.write(batch(1));
    const pages = writer.database.prepare("PRAGMA page_count").get()?.page_count;
    writer.database.exec(`PRAGMA max_page_count = ${Number(pages) + 1}`);
    expect(() => writer.write(batch(101))).toThrow("database or disk is full");
    expect(writer.head().position).toBe(100);
    writer.database.exec("PRAGMA max_page_count = 100000");
    writer.write(batch(101));
    expect(writer.head().position).toBe(200);
    writer.close();
    expect([...readAll()]).toHaveLength(200);
  });
});

const readAll = function* (): Generator<Entry> {
  const log = openForReading(path);
  try {
    yield* log.entries();
  } finally {
    log.close();
  }
};

describe("reading", () => {
  test("needs a file", () => {
    expect(() => openForReading(path)).toThrow(`there is no file ${path}`);
    expect(existsSync(path)).toBe(false);
  });

  test("needs an evidence file", () => {
    writeFileSync(path, "");
    expect(() => openForReading(path)).toThrow(`${path} is no evidence file: it is empty`);
    writeFileSync(path, "dear diary, ".repeat(100));
    expect(() => openForReading(path)).toThrow(`${path} is no evidence file: file is not a database`);
    meddle(folder.path("other.db"), (database) => database.exec("CREATE TABLE invoices (amount INTEGER)"));
    expect(() => openForReading(folder.path("other.db"))).toThrow("a database of something else");
  });

  test("sees a live file as far as it is written, page after page", async () => {
    const store = openStore(path);
    for (let item = 1; item <= 1_500; item += 1) store.append(rowOf(item));
    await store.flush();
    const rows = readAll();
    const seen = [rows.next().value];
    for (let item = 1_501; item <= 2_500; item += 1) store.append(rowOf(item));
    await store.flush();
    seen.push(...rows);
    expect(seen.map((entry) => entry?.position)).toEqual(Array.from({ length: 2_500 }, (_, index) => index + 1));
    await store.close();
  });

  test.skipIf(process.getuid?.() === 0)("needs no right to write, be the file closed or live", async () => {
    await writeRows(path, 3);
    chmodSync(folder.path("."), 0o555);
    expect([...readAll()]).toHaveLength(3);
    chmodSync(folder.path("."), 0o755);
    const store = openStore(path);
    store.append(rowOf(4));
    await store.flush();
    chmodSync(folder.path("."), 0o555);
    expect([...readAll()]).toHaveLength(4);
    chmodSync(folder.path("."), 0o755);
    await store.close();
  });

  test("changes nothing", async () => {
    await writeRows(path, 3);
    const before = readFileSync(path);
    [...readAll()];
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test.each([
    ["a body that is no JSON", "body = 'x'", /body: .*JSON/],
    ["a body of an unknown kind", `body = '{"kind":"poem"}'`, /body: kind/],
    ["a value that can't be", `body = replace(body, '"value":0', '"value":7')`, /body: value: /],
    ["a kind that the body contradicts", "kind = 'epoch'", /contradict/],
  ])("stops at %s and says where", async (_, change, message) => {
    await writeRows(path, 5);
    meddle(path, (database) => database.exec(`UPDATE entries SET ${change} WHERE position = 3`));
    const seen: number[] = [];
    const read = (): void => {
      for (const { position } of readAll()) seen.push(position);
    };
    expect(read).toThrow(BrokenRowError);
    expect(read).toThrow(/^the row at position 3 can't be read: /);
    expect(read).toThrow(message);
    expect(seen.slice(0, 2)).toEqual([1, 2]);
    const store = openStore(path);
    expect(() => store.since(0, 10)).toThrow(message);
    await store.close();
  });
});
