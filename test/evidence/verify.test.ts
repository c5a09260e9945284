import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Anchor, verifyFile } from "../../src/evidence/verify.ts";
import { meddle, newFolder, openStore, rowOf, writeRows } from "./evidence-files.ts";

let folder: ReturnType<typeof newFolder>;
let path: string;
beforeEach(() => {
  folder = newFolder();
  path = folder.path("log.db");
});
afterEach(() => folder.remove());

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** An auditor's own verifier, written from the documentation: knows the columns, nothing of Candor. */
const rowsAsDocumented = (database: DatabaseSync) => {
  let previous = "";
  return database
    .prepare("SELECT position, replica, subject, at, body, hash FROM entries ORDER BY position")
    .all()
    .map(({ position, replica, subject, at, body, hash }) => {
      if (previous === "") previous = sha256(`candor evidence ${replica}`);
      const row = `{"at":${at},"body":${body},"position":${position},"replica":${JSON.stringify(replica)},"subject":${JSON.stringify(subject)}}`;
      previous = sha256(`${previous}\n${row}`);
      return { position, recorded: hash, computed: previous };
    });
};

/** As somebody would who knows how the chain is made: from this row on, every hash is made anew. */
const chainAnew = (database: DatabaseSync): void => {
  const rewrite = database.prepare("UPDATE entries SET hash = ? WHERE position = ?");
  for (const { position, computed } of rowsAsDocumented(database)) rewrite.run(computed, position ?? null);
};

const anchorAt = (position: number): Anchor =>
  meddle(path, (database) => {
    const row = database.prepare("SELECT hash FROM entries WHERE position = ?").get(position);
    return { position, hash: String(row?.hash) };
  });

const copyRow = (from: number, to: number): string =>
  `INSERT INTO entries SELECT ${to}, replica, subject, at, kind, experiment, arm, outcome, body, content, hash
   FROM entries WHERE position = ${from}`;

describe("an untouched log", () => {
  test("is intact, and its anchor is its last row", async () => {
    await writeRows(path, 30);
    expect(verifyFile(path)).toEqual({ kind: "intact", rows: 30, lost: 0, head: anchorAt(30) });
  });

  test("is intact over several pages and restarts", async () => {
    for (let start = 0; start < 5; start += 1) await writeRows(path, 501);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 2505, lost: 0 });
  });

  test("is intact when nothing is in it yet", async () => {
    await writeRows(path, 0);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 0, lost: 0 });
  });

  test("can be verified by a stranger who read the documentation", async () => {
    await writeRows(path, 30, { replica: 'é "quoted"\n' });
    for (const { recorded, computed } of meddle(path, rowsAsDocumented)) expect(computed).toBe(recorded);
  });

  test("goes with any anchor of its own", async () => {
    await writeRows(path, 30);
    for (const position of [1, 17, 30]) expect(verifyFile(path, anchorAt(position)).kind).toBe("intact");
  });

  test("can be verified while it is written", async () => {
    const store = openStore(path);
    for (let item = 1; item <= 10; item += 1) store.append(rowOf(item));
    await store.flush();
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 10 });
    store.append(rowOf(11));
    await store.flush();
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 11 });
    await store.close();
  });

  test("stays intact when kept content is erased, and nothing of it is left in the file", async () => {
    const store = openStore(path);
    store.append(rowOf(1, { content: "what was said", contentHash: sha256("what was said") }));
    store.append(rowOf(2));
    await store.flush();
    meddle(path, (database) =>
      database.exec(`PRAGMA secure_delete = ON; UPDATE entries SET content = NULL WHERE subject = 'bot';
        PRAGMA wal_checkpoint(TRUNCATE)`),
    );
    for (const file of [path, `${path}-wal`]) expect(readFileSync(file).includes("what was said")).toBe(false);
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 2 });
    expect(store.since(0, 1)[0]?.body).toMatchObject({ content: null, contentHash: sha256("what was said") });
    await store.close();
  });
});

describe("a log that was tampered with", () => {
  beforeEach(() => writeRows(path, 30));

  const changes: [name: string, sql: string, brokenAt: number][] = [
    [
      "a value was changed",
      "UPDATE entries SET body = replace(body, '\"value\":0', '\"value\":1') WHERE position = 7",
      7,
    ],
    ["white space was put into a body", "UPDATE entries SET body = body || ' ' WHERE position = 7", 7],
    ["a body is no JSON any more", "UPDATE entries SET body = substr(body, 2) WHERE position = 7", 7],
    ["a subject was changed", "UPDATE entries SET subject = 'other' WHERE position = 7", 7],
    ["a time was changed", "UPDATE entries SET at = at + 1 WHERE position = 7", 7],
    ["a time is beyond all numbers", `UPDATE entries SET at = ${2n ** 60n} WHERE position = 7`, 1],
    ["a writer was changed", "UPDATE entries SET replica = 'other' WHERE position = 7", 7],
    ["the first writer was changed", "UPDATE entries SET replica = 'other' WHERE position = 1", 1],
    ["a hash was changed", "UPDATE entries SET hash = replace(hash, 'a', 'b') WHERE position = 7", 7],
    ["the last row was changed", "UPDATE entries SET at = 0 WHERE position = 30", 30],
    ["the first row was removed", "DELETE FROM entries WHERE position = 1", 2],
    ["a row was removed", "DELETE FROM entries WHERE position = 7", 8],
    [
      "a row was removed and the rest moved up",
      "DELETE FROM entries WHERE position = 7; UPDATE entries SET position = position - 1 WHERE position > 7",
      7,
    ],
    [
      "two rows changed places",
      `UPDATE entries SET position = 99 WHERE position = 7; UPDATE entries SET position = 7 WHERE position = 8;
       UPDATE entries SET position = 8 WHERE position = 99`,
      7,
    ],
    ["a row was put in at the end", copyRow(30, 31), 31],
    ["a row was put in before the first", copyRow(1, 0), 0],
    ["a row was put in far before the first", copyRow(1, -5), -5],
    ["a row was put in where rows were lost", `DELETE FROM entries WHERE position > 28; ${copyRow(5, 30)}`, 30],
    ["a row is found under another kind", "UPDATE entries SET kind = 'verdict' WHERE position = 7", 7],
    ["a row is found under another outcome", "UPDATE entries SET outcome = 'refused' WHERE position = 7", 7],
    ["a row is found under no experiment", "UPDATE entries SET experiment = NULL WHERE position = 7", 7],
    ["a row is found under another arm", "UPDATE entries SET arm = 'live' WHERE position = 7", 7],
  ];

  test.each(changes)("is broken where %s", (_, sql, position) => {
    expect(verifyFile(path).kind).toBe("intact");
    meddle(path, (database) => database.exec(sql));
    expect(verifyFile(path)).toMatchObject({ kind: "broken", position, problem: expect.stringMatching(/./) });
  });

  test("is broken where a page of the file was overwritten", async () => {
    await writeRows(path, 3_000);
    // Closed without a write-ahead log, the rows are in the file itself.
    const pageSize = 4_096;
    const page = Math.floor(readFileSync(path).indexOf('"item":"q#2000"') / pageSize);
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(pageSize, 0xff), 0, pageSize, page * pageSize);
    closeSync(file);
    expect(verifyFile(path)).toMatchObject({
      kind: "broken",
      position: 2001,
      problem: expect.stringMatching(/malformed/),
    });
  });

  test("without an anchor, nothing tells that rows were cut off at the end", () => {
    meddle(path, (database) => database.exec("DELETE FROM entries WHERE position > 20"));
    expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: 20, lost: 0 });
  });

  test("an anchor tells that rows were cut off at the end", () => {
    const anchor = anchorAt(30);
    meddle(path, (database) => database.exec("DELETE FROM entries WHERE position > 20"));
    expect(verifyFile(path, anchor)).toEqual({
      kind: "broken",
      position: 30,
      problem: "the log ends at 20, before the anchor: rows were cut off",
    });
  });

  test("an anchor from before the cut tells nothing about it", () => {
    const anchor = anchorAt(20);
    meddle(path, (database) => database.exec("DELETE FROM entries WHERE position > 20"));
    expect(verifyFile(path, anchor).kind).toBe("intact");
  });

  test("an anchor finds a log whose chain was made anew", () => {
    const anchor = anchorAt(30);
    meddle(path, (database) => {
      database.exec("UPDATE entries SET at = at + 1 WHERE position = 7");
      chainAnew(database);
    });
    expect(verifyFile(path).kind).toBe("intact");
    expect(verifyFile(path, anchor)).toMatchObject({ kind: "broken", position: 30, problem: /written anew/ });
  });

  test("an anchor finds a log that was made anew without its row", () => {
    const anchor = anchorAt(15);
    meddle(path, (database) => {
      database.exec("DELETE FROM entries WHERE position = 15");
      chainAnew(database);
    });
    expect(verifyFile(path)).toMatchObject({ kind: "intact", lost: 1 });
    expect(verifyFile(path, anchor)).toMatchObject({ kind: "broken", position: 15, problem: /written anew/ });
  });
});
