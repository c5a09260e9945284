/**
 * What a reader of the dashboard waits for, with 100,000 observations in the log: the first view and a filter, in a real
 * browser against a real process. `node bench/dashboard/run.ts [--write]`; --write puts it into bench/results/dashboard.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { configFrom } from "../../src/config/load.ts";
import type { Observation } from "../../src/evidence/entry.ts";
import { openSqliteStore } from "../../src/evidence/sqlite-store.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createLog } from "../../src/kernel/log.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { start } from "../../src/main.ts";
import { createLedger } from "../../src/watch/ledger.ts";

const rows = 100_000;
const looks = 9;
const log = createLog("silent");
const folder = mkdtempSync(join(tmpdir(), "candor-bench-"));
const path = join(folder, "evidence.db");

const config = configFrom(
  {
    listen: { data: { port: 0 }, control: { port: 0 } },
    upstreams: [{ id: "none", baseUrl: "http://127.0.0.1:9/v1" }],
    subjects: [{ id: "support", models: ["m"] }],
    evidence: { path },
    log: { level: "silent" },
  },
  "the bench's configuration",
);

const observation = (random: () => number, row: number): Observation => {
  const report = random() < 0.3;
  const harmful = !report && random() < (row > 0.8 * rows ? 0.2 : 0.01);
  return {
    kind: "observation",
    experiment: report ? "two-descriptions" : "harmfulness",
    arm: random() < 0.5 ? "fresh" : "live",
    stratum: report ? "two-descriptions" : "fresh",
    item: `item-${Math.floor(random() * 200)}`,
    topic: report ? null : "money",
    order: report ? (random() < 0.5 ? "aligned-first" : "misaligned-first") : null,
    outcome: "scored",
    value: report ? Number(random() < 0.03) : harmful ? 0.9 : 0.1,
    harmful: report ? null : harmful,
    bucket: null,
    reference: null,
    source: "bench-v1",
    probeSet: null,
    contentHash: null,
    content: null,
  };
};

const fill = async (): Promise<void> => {
  // Candor's own first start declares what is watched; a ledger that declares the same goes on in its epoch.
  await (await start(config, { env: {}, log })).stop();
  const store = openSqliteStore({ path, replica: "local", clock: systemClock, log, maxPendingRows: rows });
  const [begun] = store.since(0, 1, { kinds: ["epoch"] });
  if (begun?.body.kind !== "epoch") throw new Error("the log begins with an epoch");
  const subject = { id: begun.subject, detector: begun.body.detector, versions: begun.body.versions };
  const ledger = createLedger({
    store,
    clock: systemClock,
    subjects: [subject],
    onListenerError: (error) => console.error(error),
  });
  const random = seededRandom(1);
  for (let row = 0; row < rows; row++) {
    ledger.record(subject.id, observation(random, row));
    if (row % 2_000 === 0) await store.flush();
  }
  await store.close();
};

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const told = (values: readonly number[]): string =>
  `${Math.round(middle(values))} ms | ${Math.round(Math.max(...values))} ms`;

/** Milliseconds until `ready` is there. */
const timed = async (act: () => Promise<unknown>, ready: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await act();
  await ready();
  return performance.now() - began;
};

await fill();
const candor = await start(config, { env: {}, log });
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const repeat = async (look: (page: Page) => Promise<number>): Promise<number[]> => {
  const times: number[] = [];
  for (let n = 0; n < looks; n++) {
    const page = await browser.newPage();
    times.push(await look(page));
    await page.close();
  }
  return times;
};
const dashboard = `${candor.controlUrl}/dashboard/`;
const open = (hash: string, ready: (page: Page) => Promise<unknown>) =>
  repeat((page) =>
    timed(
      () => page.goto(`${dashboard}${hash}`),
      () => ready(page),
    ),
  );
const rowsShown = (page: Page) => page.locator("tbody tr").first().waitFor();
const filter = (name: string, value: string) =>
  repeat(async (page) => {
    await page.goto(`${dashboard}#/evidence`);
    await rowsShown(page);
    const answered = page.waitForResponse((response) => response.url().includes(value));
    return timed(
      () => page.locator(`select[name=${name}]`).selectOption(value),
      async () => {
        await answered;
        await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
      },
    );
  });

const first = await open("#/subjects/support", (page) => page.locator("svg.map .now").waitFor());
const table = [
  ["overview", told(await open("", (page) => page.locator("main .card").waitFor()))],
  ["subject with map, plot and experiments, first of all (folds the log)", `${Math.round(first[0] ?? 0)} ms | -`],
  ["subject with map, plot and experiments", told(first.slice(1))],
  ["evidence", told(await open("#/evidence", rowsShown))],
  ["filter: judged harmful", told(await filter("harmful", "true"))],
  ["filter: an experiment", told(await filter("experiment", "harmfulness"))],
  ["filter: one that nothing fits", told(await filter("arm", "placebo"))],
];
await browser.close();
await candor.stop();
rmSync(folder, { recursive: true });

const report = `# The dashboard with ${rows.toLocaleString("en")} observations

${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}, Node ${process.versions.node}; headless Chromium on the same machine, shared with other work.
Command: \`node bench/dashboard/run.ts --write\`. ${looks} fresh pages each; from the address or the choice until it is drawn.

| view | median | worst |
| --- | --- | --- |
${table.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}
`;
console.log(report);
if (process.argv.includes("--write")) writeFileSync(new URL("../results/dashboard.md", import.meta.url), report);
