/** What an operator does through the admin API, on the whole program with a real log: every act leaves its row. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { changeResult, subjectList } from "../../src/control/api-schema.ts";
import type { Entry } from "../../src/evidence/entry.ts";
import { openForReading } from "../../src/evidence/reader.ts";
import { openSqliteStore } from "../../src/evidence/sqlite-store.ts";
import { verifyFile } from "../../src/evidence/verify.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createLog } from "../../src/kernel/log.ts";
import { type Candor, start } from "../../src/main.ts";
import { createLedger } from "../../src/watch/ledger.ts";
import { replay } from "../../src/watch/replay.ts";
import { judged } from "../watch/rows.ts";

const token = "operator-token-for-this-test-0123456789";
const folder = mkdtempSync(join(tmpdir(), "candor-operator-"));
const file = join(folder, "evidence.db");

const log = createLog("silent");

const serve = (models: readonly string[] = ["model-x"]): Promise<Candor> => {
  const config = configFrom(
    {
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "none", baseUrl: "http://127.0.0.1:9/v1" }],
      subjects: [
        { id: "support", models, probes: { enabled: false }, detector: { calibration: { harm: 300, selfReport: 30 } } },
      ],
      evidence: { path: file },
      control: { token: { env: "TOKEN" } },
    },
    "the test's configuration",
  );
  return start(config, { env: { TOKEN: token }, log });
};

const entries = (): Entry[] => {
  const reader = openForReading(file);
  try {
    return [...reader.entries()];
  } finally {
    reader.close();
  }
};

const rowsOf = (kind: Entry["body"]["kind"]): Entry[] => entries().filter(({ body }) => body.kind === kind);

/** A healthy past and a harmful present, as the watch would have entered them. */
const alarm = async (): Promise<void> => {
  const store = openSqliteStore({
    path: file,
    replica: "local",
    clock: systemClock,
    log,
    maxPendingRows: 10_000,
  });
  const [begun] = store.since(0, 1, { kinds: ["epoch"] });
  if (begun?.body.kind !== "epoch") throw new Error("the log begins with an epoch");
  const { detector, versions } = begun.body;
  const onListenerError = (error: unknown): void => {
    throw error;
  };
  const ledger = createLedger({
    store,
    clock: systemClock,
    subjects: [{ id: "support", detector, versions }],
    onListenerError,
  });
  for (let row = 0; row < 400; row += 1) ledger.record("support", judged(row > 330));
  await store.close();
};

let candor: Candor;
beforeAll(async () => {
  await (await serve()).stop();
  await alarm();
  candor = await serve();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const verdict = async () => {
  const response = await fetch(`${candor.controlUrl}/api/subjects`);
  const [subject] = subjectList.parse(await response.json()).subjects;
  if (subject === undefined) throw new Error("no subject");
  return subject.verdict;
};

const post = async (act: string, body: unknown) => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const url = `${candor.controlUrl}/api/subjects/support/${act}`;
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return changeResult.parse(await response.json());
};

it("an acknowledgement ends the alarm, an epoch the baseline, and a row says who did it and why", async () => {
  expect(await verdict()).toMatchObject({ persona: "unnamed", severity: "action" });
  const seen = await post("acknowledge", { note: "rolled back" });
  const after = await verdict();
  expect(after).toMatchObject({ severity: "none", alarms: [] });
  expect(after.baseline).toHaveLength(1);
  const begun = await post("epoch", { reason: "new release" });
  expect((await verdict()).baseline).toEqual([]);
  await candor.stop();
  expect(rowsOf("acknowledgement")).toMatchObject([
    { position: seen.position, body: { actor: seen.actor, note: "rolled back" } },
  ]);
  expect(rowsOf("epoch").at(-1)).toMatchObject({
    position: begun.position,
    body: { reason: `new release (by key ${begun.actor})` },
  });
});

it("another declared model begins an epoch by itself", async () => {
  const before = rowsOf("epoch").length;
  await (await serve(["model-y"])).stop();
  const epochs = rowsOf("epoch");
  expect(epochs).toHaveLength(before + 1);
  expect(epochs.at(-1)?.body).toMatchObject({
    reason: 'declared settings changed: versions.models "model-x" -> "model-y"',
  });
});

it("the log that comes of it verifies and replays", async () => {
  expect(verifyFile(file).kind).toBe("intact");
  const { checked, mismatches } = await replay(entries);
  expect(checked).toBeGreaterThan(3);
  expect(mismatches).toEqual([]);
});
