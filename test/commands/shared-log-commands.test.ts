import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Command } from "../../src/commands/command.ts";
import { replay } from "../../src/commands/replay.ts";
import { verify } from "../../src/commands/verify.ts";
import { dropOldBlocks } from "../../src/evidence/postgres/blocks.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { defaultSettings } from "../../src/persona/settings.ts";
import { createLedger } from "../../src/watch/ledger.ts";
import { newFolder, openStore } from "../evidence/evidence-files.ts";
import { newLog, serverOfFile, type TestLog } from "../evidence/postgres/shared-logs.ts";
import { noPostgres } from "../evidence/running-postgres.ts";
import { judged } from "../watch/rows.ts";

const run = async (command: Command, ...args: string[]): Promise<{ code: number; stdout: string }> => {
  const lines: string[] = [];
  const code = await command.run(args, {
    out: (line) => lines.push(line),
    err: (line) => lines.push(line),
    input: async () => "",
    env: {},
    stopping: new AbortController().signal,
    terminal: null,
  });
  return { code, stdout: lines.join("\n") };
};

describe.skipIf(noPostgres !== null)(`commands on a shared log${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();
  const folder = newFolder();
  let log: TestLog;
  let anchor: string;

  /** The rows of a subject that was watched for a while: an epoch, judged answers, and the verdicts over them. */
  const watchedRows = async () => {
    const store = openStore(folder.path("watched.db"));
    const ledger = createLedger({
      store,
      clock: systemClock,
      subjects: [{ id: "bot", detector: defaultSettings, versions: { judge: "words-v1" } }],
      onListenerError: (error) => {
        throw error;
      },
    });
    for (let row = 0; row < 450; row += 1) ledger.record("bot", judged(row % 50 === 0));
    const entries = store.since(0, 1_000);
    await store.close();
    return entries;
  };

  beforeAll(async () => {
    log = await newLog(server());
    const store = await log.open("one", { blockRows: 100 });
    for (const entry of await watchedRows()) store.append(entry);
    await store.close();
    anchor = `${store.head().position}:${store.head().hash}`;
  });
  afterAll(async () => {
    await log.remove();
    folder.remove();
  });

  test("verify says that it is intact, and how to hold it to that later, without a word of the URL", async () => {
    const { code, stdout } = await run(verify, log.url);
    expect(stdout).toMatch(new RegExp(`^log candor: intact, \\d+ rows\n {2}anchor ${anchor}$`));
    expect(code).toBe(0);
    expect((await run(verify, log.url, "--anchor", anchor)).code).toBe(0);
    const { stdout: other } = await run(verify, log.url, "--anchor", `5:${"0".repeat(64)}`);
    expect(other).toContain("was written anew");
  });

  test("replay computes the recorded verdicts again", async () => {
    const { code, stdout } = await run(replay, log.url);
    expect(stdout).toMatch(/\n[1-9]\d* recorded verdicts compared, 0 differ$/);
    expect(code).toBe(0);
  });

  test.each([verify, replay])("$name says what is wrong with a log that is not there", async (command) => {
    await expect(run(command, log.url, "--log", "other")).rejects.toThrow("the database has no log of the name other");
    await expect(run(command, log.url, "--log", 'o"; DROP')).rejects.toThrow("the name of the log: use");
    const away = run(command, "postgres://bot:c4nary@127.0.0.1:1/logs");
    await expect(away).rejects.toThrow(/^nothing listens at the database's address$/);
  });

  test("verify needs no more than the right to read", async () => {
    const grants = "GRANT USAGE ON SCHEMA candor TO auditor; GRANT SELECT ON ALL TABLES IN SCHEMA candor TO auditor";
    await server().execute(log.url, `CREATE ROLE auditor LOGIN; ${grants}`);
    const url = new URL(log.url);
    url.username = "auditor";
    expect((await run(verify, url.href)).code).toBe(0);
  });

  test("verify finds what was changed", async () => {
    await server().execute(log.url, "UPDATE candor.entries SET subject = 'x' WHERE position = 20");
    const { code, stdout } = await run(verify, log.url);
    expect(stdout).toContain("log candor: broken at position 20: this row or the one before it was changed");
    expect(code).toBe(1);
    await server().execute(log.url, "UPDATE candor.entries SET subject = 'bot' WHERE position = 20");
  });

  test("once rows were dropped, verify begins behind them, and replay says that it can't", async () => {
    const store = await log.open("two");
    await store.shared.saveCheckpoint({ position: 150, text: "" });
    expect(await dropOldBlocks(store.database, { rows: 1 })).toBe(100);
    expect((await run(verify, log.url, "--anchor", anchor)).code).toBe(0);
    await expect(run(replay, log.url)).rejects.toThrow("rows to position 100 were dropped from the log");
  });
});
