/**
 * How many series a scrape of the whole program shows and how long it takes, for several numbers of subjects.
 * Usage: node bench/alert/run.ts [--write]
 */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus, loadavg } from "node:os";
import { setImmediate } from "node:timers/promises";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { type Candor, start } from "../../src/main.ts";

/** Of those that Candor comes with, all that need neither a judge nor a second upstream. */
const policies = ["harm-screen", "hidden-text", "personal-data", "prompt-injection", "secrets", "sizes", "tools"].map(
  (name) => `policies/${name}.yaml`,
);

const completion = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 4, completion_tokens: 2 },
});

const scrapes = 200;
const warmUp = 20;

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

const ascending = (one: number, other: number): number => one - other;

/** Milliseconds of processor time that this thread has taken. */
const processorTime = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** The most processor time, in milliseconds, that one turn of the event loop took while `work` was under way. */
const longestTurnOf = async (work: Promise<unknown>): Promise<number> => {
  let under = true;
  let longest = 0;
  let last = processorTime();
  const end = (): void => {
    under = false;
  };
  work.then(end, end);
  while (under) {
    await setImmediate();
    const now = processorTime();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
};

interface Scrapes {
  /** Milliseconds of each scrape over the loopback, the whole page read. */
  times: number[];
  /** Of each scrape, milliseconds. */
  turns: number[];
  /** What the last one showed. */
  page: string;
}

/** One exchange of each subject: series that begin with the first of their kind are there. */
const exchangeOf = async ({ dataUrl }: Candor, subjects: number): Promise<void> => {
  for (let subject = 0; subject < subjects; subject += 1) {
    const body = JSON.stringify({ model: `model-${subject}`, messages: [{ role: "user", content: "Hello?" }] });
    await (await fetch(`${dataUrl}/v1/chat/completions`, { method: "POST", body })).text();
  }
};

const scrapeProgram = async (subjects: number): Promise<Scrapes> => {
  const upstream = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end(completion);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as AddressInfo;
  const config = configFrom(
    {
      upstreams: [{ id: "main", baseUrl: `http://127.0.0.1:${port}/v1` }],
      subjects: Array.from({ length: subjects }, (_, index) => ({
        id: `subject-${index}`,
        models: [`model-${index}`],
      })),
      listen: { data: { port: 0 }, control: { port: 0 } },
      policies,
      telemetry: { genAiMetrics: true },
      evidence: { path: ":memory:" },
      drain: { minSeconds: 0, timeoutSeconds: 0 },
    },
    "bench",
  );
  const candor = await start(config, { env: {}, log: createLog("silent") });
  await exchangeOf(candor, subjects);
  const times: number[] = [];
  const turns: number[] = [];
  let page = "";
  const scrapeOnce = async (): Promise<void> => {
    const answer = await fetch(`${candor.controlUrl}/metrics`);
    page = await answer.text();
    if (!answer.ok) throw new Error(`the scrape failed with ${answer.status}`);
  };
  for (let scrape = -warmUp; scrape < scrapes; scrape += 1) {
    const before = performance.now();
    await scrapeOnce();
    if (scrape >= 0) times.push(performance.now() - before);
  }
  // By themselves, because looking at every turn costs.
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    const scraping = scrapeOnce();
    turns.push(await longestTurnOf(scraping));
    await scraping;
  }
  await candor.stop();
  upstream.close();
  upstream.closeAllConnections();
  return { times: times.sort(ascending), turns: turns.sort(ascending), page };
};

const rows: string[] = [];
let policyCount = 0;
for (const subjects of [1, 5, 20]) {
  const { times, turns, page } = await scrapeProgram(subjects);
  policyCount = new Set([...page.matchAll(/^candor_guard_findings_total\{policy="([^"]+)"/gm)].map(([, id]) => id))
    .size;
  const series = page.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  const figures = [times, turns].flatMap((each) => [quantile(each, 0.5).toFixed(1), quantile(each, 0.99).toFixed(1)]);
  rows.push(`| ${[subjects, series, (page.length / 1024).toFixed(0), ...figures].join(" | ")} |`);
}
const report = [
  "# What a scrape costs",
  "",
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; load average at the end ${loadavg()[0]?.toFixed(1)}.`,
  "Command: `npx node bench/alert/run.ts --write`.",
  "",
  `The whole program with ${policyCount} policies and \`telemetry.genAiMetrics\`, after one exchange of each subject, scraped ${scrapes} times one after the other over the loopback by a client in the same process,`,
  `after ${warmUp} that are not counted. A scrape runs on the thread that relays, and is written in pieces: the longest turn is how`,
  "much processor time of that thread passes at most before an exchange has its turn (the client's own share included).",
  "",
  "| subjects | series | KiB | whole scrape, median ms | 99 % ms | longest turn, median ms | 99 % ms |",
  "|---|---|---|---|---|---|---|",
  ...rows,
  "",
].join("\n");
console.log(report);
if (process.argv.includes("--write")) {
  writeFileSync(new URL("../results/metrics.md", import.meta.url), report);
}
