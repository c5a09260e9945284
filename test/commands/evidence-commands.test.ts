import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linkHash } from "../../src/evidence/chain.ts";
import { openForReading } from "../../src/evidence/reader.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { defaultSettings } from "../../src/persona/settings.ts";
import { createLedger } from "../../src/watch/ledger.ts";
import { runCandor } from "../e2e/running-candor.ts";
import { meddle, newFolder, openStore } from "../evidence/evidence-files.ts";
import { judged } from "../watch/rows.ts";

const folder = newFolder();
afterAll(folder.remove);

const rows = 450;

/** The log of a subject that was watched for a while: an epoch, judged answers, and the verdicts over them. */
const watchSubject = async (path: string): Promise<void> => {
  const store = openStore(path);
  const ledger = createLedger({
    store,
    clock: systemClock,
    subjects: [{ id: "bot", detector: defaultSettings, versions: { judge: "words-v1" } }],
    onListenerError: (error) => {
      throw error;
    },
  });
  const random = seededRandom(7);
  for (let row = 0; row < rows; row += 1) ledger.record("bot", judged(random() < 0.02));
  await store.close();
};

/** A harmless answer becomes a harmful one. */
const change = "UPDATE entries SET body = replace(body, '\"harmful\":false', '\"harmful\":true') WHERE position = 20";

/** By somebody who knows how the chain is made. */
const chainAnew = (path: string): void => {
  const log = openForReading(path);
  const stored = [...log.rows()];
  log.close();
  meddle(path, (database) => {
    const rewrite = database.prepare("UPDATE entries SET hash = ? WHERE position = ?");
    let previous = stored[18]?.hash ?? "";
    for (const row of stored.slice(19)) {
      previous = linkHash(previous, row);
      rewrite.run(previous, row.position);
    }
  });
};

const intact = folder.path("intact.db");
const tampered = folder.path("tampered.db");
const forged = folder.path("forged.db");
const missing = folder.path("missing.db");
const foreign = folder.path("foreign.db");
/** Of the intact file; the forged one had the same before it was forged. */
let anchor: string;

beforeAll(async () => {
  await watchSubject(intact);
  anchor = /anchor (\S+)/.exec(runCandor(["verify", intact]).stdout)?.[1] ?? "";
  for (const path of [tampered, forged]) {
    meddle(intact, (database) => database.exec(`VACUUM INTO '${path}'`));
    meddle(path, (database) => database.exec(change));
  }
  chainAnew(forged);
  writeFileSync(foreign, "dear diary, ".repeat(100));
});

describe("candor verify", () => {
  test("says that an untouched file is intact, and how to hold it to that later", () => {
    const { code, stdout } = runCandor(["verify", intact]);
    expect(stdout).toMatch(/intact\.db: intact, \d+ rows\n {2}anchor \d+:[0-9a-f]{64}\n$/);
    expect(code).toBe(0);
    expect(runCandor(["verify", intact, "--anchor", anchor]).code).toBe(0);
  });

  test("says where a file was tampered with", () => {
    const { code, stdout } = runCandor(["verify", tampered]);
    expect(stdout).toContain("tampered.db: broken at position 20: this row or the one before it was changed");
    expect(code).toBe(1);
  });

  test("finds a file whose chain was made anew by its anchor alone", () => {
    expect(runCandor(["verify", forged]).code).toBe(0);
    const { code, stdout } = runCandor(["verify", forged, "--anchor", anchor]);
    expect(stdout).toContain("the log was written anew");
    expect(code).toBe(1);
  });

  test("tells how many entries were never written", async () => {
    const path = folder.path("gap.db");
    const store = openStore(path, { maxPendingRows: 100 });
    for (let row = 0; row < 103; row += 1) store.append({ subject: "bot", at: row, body: judged(false) });
    await store.flush();
    store.append({ subject: "bot", at: 104, body: judged(false) });
    await store.close();
    const { code, stdout } = runCandor(["verify", path]);
    expect(stdout).toContain("intact, 101 rows\n  3 entries were never written");
    expect(code).toBe(0);
  });

  test.each([
    ["a file that is not there", [missing], /candor verify: there is no file .*missing\.db/],
    ["a file that is no evidence", [foreign], /foreign\.db is no evidence file/],
    ["no file at all", [], /give an evidence file/],
    ["an anchor that is none", [intact, "--anchor", "12"], /--anchor is "12": give POSITION:HASH/],
  ])("can't do it with %s", (_, args, message) => {
    const { code, stderr } = runCandor(["verify", ...args]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe("candor replay", () => {
  test("computes the recorded verdicts again", () => {
    const { code, stdout } = runCandor(["replay", intact]);
    expect(stdout).toMatch(/^bot: undetermined, no alarm, at position \d+\n/);
    expect(stdout).toMatch(/\n[1-9]\d* recorded verdicts compared, 0 differ\n/);
    expect(code).toBe(0);
  });

  test("gives the same as JSON", () => {
    const { code, stdout } = runCandor(["replay", intact, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ subjects: { bot: { persona: "undetermined" } }, mismatches: [] });
    expect(code).toBe(0);
  });

  test.each([
    ["tampered with", tampered],
    ["forged with its whole chain", forged],
  ])("finds that the rows of a file that was %s do not give the recorded verdicts", (_, path) => {
    const { code, stdout } = runCandor(["replay", path]);
    expect(stdout).toMatch(/recorded verdicts compared, [1-9]\d* differ\n {2}position \d+, bot: recorded [0-9a-f]{64}/);
    expect(code).toBe(1);
  });

  test.each([
    ["a file that is not there", missing, /candor replay: there is no file .*missing\.db/],
    ["a file that is no evidence", foreign, /foreign\.db is no evidence file/],
  ])("can't do it with %s", (_, path, message) => {
    const { code, stderr } = runCandor(["replay", path]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
