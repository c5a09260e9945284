/**
 * How many series a scrape of the whole program shows and how long it takes, for several numbers of subjects.
 * Usage: node bench/alert/run.ts [--write]
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";

const scrapes = 200;
const warmUp = 20;

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** Milliseconds of each scrape over the loopback, the whole page read, and what the last one showed. */
const scrapeProgram = async (subjects: number): Promise<{ times: number[]; page: string }> => {
  const config = configFrom(
    {
      upstreams: [{ id: "main", baseUrl: "http://127.0.0.1:9/v1" }],
      subjects: Array.from({ length: subjects }, (_, index) => ({
        id: `subject-${index}`,
        models: [`model-${index}`],
      })),
      listen: { data: { port: 0 }, control: { port: 0 } },
      evidence: { path: ":memory:" },
      drain: { minSeconds: 0, timeoutSeconds: 0 },
    },
    "bench",
  );
  const candor = await start(config, { env: {}, log: createLog("silent") });
  const times: number[] = [];
  let page = "";
  for (let scrape = -warmUp; scrape < scrapes; scrape += 1) {
    const before = performance.now();
    const answer = await fetch(`${candor.controlUrl}/metrics`);
    page = await answer.text();
    if (!answer.ok) throw new Error(`the scrape failed with ${answer.status}`);
    if (scrape >= 0) times.push(performance.now() - before);
  }
  await candor.stop();
  return { times: times.sort((a, b) => a - b), page };
};

const rows: string[] = [];
for (const subjects of [1, 5, 20]) {
  const { times, page } = await scrapeProgram(subjects);
  const series = page.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  const cells = [subjects, series, (page.length / 1024).toFixed(0), quantile(times, 0.5).toFixed(1)];
  rows.push(`| ${[...cells, quantile(times, 0.99).toFixed(1)].join(" | ")} |`);
}
const report = [
  "# What a scrape costs",
  "",
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; load average at the end ${loadavg()[0]?.toFixed(1)}.`,
  "Command: `npx node bench/alert/run.ts --write`.",
  "",
  `The whole program without traffic, scraped ${scrapes} times one after the other over the loopback by a client in the same process,`,
  `after ${warmUp} that are not counted. A scrape runs on the thread that relays.`,
  "",
  "| subjects | series | KiB | median ms | 99 % ms |",
  "|---|---|---|---|---|",
  ...rows,
  "",
].join("\n");
console.log(report);
if (process.argv.includes("--write")) {
  writeFileSync(new URL("../results/metrics.md", import.meta.url), report);
}
