import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type OutgoingRow, outgoingOf } from "../../../src/evidence/postgres/outgoing-row.ts";
import { openSpool, type Spool } from "../../../src/evidence/postgres/spool.ts";
import { meddle, newFolder, openStore, rowOf, writeRows } from "../evidence-files.ts";

let folder: ReturnType<typeof newFolder>;
let path: string;
beforeEach(() => {
  folder = newFolder();
  path = folder.path("spool.db");
});
afterEach(() => folder.remove());

const rows = (first: number, last: number): OutgoingRow[] =>
  Array.from({ length: last - first + 1 }, (_, index) =>
    outgoingOf(rowOf(first + index, { content: "\0é" }), first + index),
  );

const using = <T>(work: (spool: Spool) => T, maxRows = 100): T => {
  const spool = openSpool(path, maxRows);
  try {
    return work(spool);
  } finally {
    spool.close();
  }
};

test("gives back what was written, oldest writer first, until it is forgotten", () => {
  using((spool) => {
    spool.write({ writer: "b", replica: "one", rows: rows(1, 3) });
    spool.write({ writer: "b", replica: "one", rows: rows(4, 4) });
    spool.write({ writer: "a", replica: "two", rows: rows(5, 6) });
  });
  using((spool) => {
    expect(spool.size()).toBe(6);
    expect(spool.oldest(2, "c")).toMatchObject({ writer: "b", replica: "one", rows: rows(1, 2) });
    expect(spool.oldest(10, "b")).toMatchObject({ writer: "a", replica: "two", rows: rows(5, 6) });
    spool.forget("b", 3);
    expect(spool.oldest(10, "c")).toMatchObject({ writer: "b", rows: rows(4, 4) });
    spool.forget("b", 4);
    spool.forget("a", 6);
    expect(spool.oldest(10, "c")).toBeNull();
    expect(spool.size()).toBe(0);
  });
});

test("remembers the head that was noted last", () => {
  using((spool) => expect(spool.notedHead()).toBeNull());
  for (const position of [5, 7]) using((spool) => spool.noteHead({ position, hash: `${position}` }));
  using((spool) => expect(spool.notedHead()).toEqual({ position: 7, hash: "7" }));
});

test("takes no row beyond its bound, and again some when there is room", () => {
  using((spool) => {
    spool.write({ writer: "a", replica: "one", rows: rows(1, 3) });
    const more = { writer: "a", replica: "one", rows: rows(4, 6) };
    expect(() => spool.write(more)).toThrow("holds as many rows as it may: 3");
    expect(spool.size()).toBe(3);
    spool.forget("a", 2);
    spool.write(more);
    expect(spool.oldest(10, "")?.rows.map(({ sequence }) => sequence)).toEqual([3, 4, 5, 6]);
  }, 5);
});

test("a batch that fails is not there at all", () => {
  using((spool) => {
    const twice = { writer: "a", replica: "one", rows: [...rows(1, 2), ...rows(2, 2)] };
    expect(() => spool.write(twice)).toThrow(/UNIQUE/);
    expect(spool.oldest(10, "")).toBeNull();
    expect(spool.size()).toBe(0);
  });
});

test("of kept texts nothing is left in the file when they are gone", () => {
  using((spool) => {
    spool.write({ writer: "a", replica: "one", rows: [outgoingOf(rowOf(1, { content: "c4nary" }), 1)] });
    spool.forget("a", 1);
  });
  expect(readFileSync(path).includes("c4nary")).toBe(false);
});

test.each<[string, (file: string) => unknown, RegExp]>([
  ["an evidence file", (file) => writeRows(file, 1), /is no spool but something else/],
  ["somebody's database", (file) => meddle(file, (database) => database.exec("CREATE TABLE t (a)")), /is no spool/],
  ["no database", (file) => writeFileSync(file, "dear diary, ".repeat(500)), /not a database/],
  [
    "a newer Candor's",
    (file) => {
      openSpool(file, 10).close();
      meddle(file, (database) => database.exec("PRAGMA user_version = 2"));
    },
    /is of a newer Candor/,
  ],
])("%s is not taken for a spool, and can be opened by others afterwards", async (_, make, message) => {
  await make(path);
  expect(() => openSpool(path, 10)).toThrow(message);
  expect(() => openSpool(path, 10)).toThrow(message);
});

test("a spool is not taken for an evidence file", () => {
  using(() => {});
  expect(() => openStore(path)).toThrow("is no evidence file");
});
