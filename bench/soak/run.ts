/**
 * A long mixed load on the real process: whole answers, streams, clients that leave, requests that a policy blocks, and
 * policies that change meanwhile. Tells whether memory, descriptors and own errors stay where they were.
 * Usage: node bench/soak/run.ts [--minutes 20] [--rate 50] [--built] [--write]; with --built as the image runs it
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { verifyFile } from "../../src/evidence/verify.ts";
import { build, imageArguments } from "../../test/e2e/image-command.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    rate: { type: "string", default: "50" },
    built: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const perSecond = Number(values.rate);
if (!(minutes > 0 && perSecond > 0)) throw new Error("--minutes and --rate take numbers above 0");

const sampleEveryMs = 1_000;
const reloadEveryMs = 2_000;
/** Samples from one scrape of the metrics to the next. */
const scrapeEvery = 15;
/** Of the run, in which caches fill and code is compiled: not judged. */
const warmUpShare = 1 / 3;
/** Times that garbage is collected within the run, to see what is in use: a leak is what no collection takes. */
const collections = 4;
/** What counts as flat. */
const mostRssMb = 5;
const mostHeapMb = 2;
const mostDescriptors = 5;

const folder = mkdtempSync(join(tmpdir(), "candor-soak-"));
const policyFile = join(folder, "policies.yaml");
const writePolicies = (version: number): void => {
  writeFileSync(
    `${policyFile}.new`,
    `policies:\n- {id: words, description: version ${version}, stage: request, match: {terms: [zeppelins]}, action: block}\n`,
  );
  renameSync(`${policyFile}.new`, policyFile);
};
writePolicies(0);

const delta = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const stream = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let left = 20;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) response.write(delta("Ask somebody who knows. "));
    else {
      clearInterval(timer);
      response.end("data: [DONE]\n\n");
    }
  }, 20);
  response.on("close", () => clearInterval(timer));
};
const upstream = createServer(async (request, response) => {
  const body = await new Response(request).text().catch(() => "");
  if (body.includes('"stream":true')) stream(response);
  else {
    const message = { role: "assistant", content: "Take it slowly and ask somebody who knows. ".repeat(10) };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
  }
}).listen(0, "127.0.0.1");
await once(upstream, "listening");

const configFile = join(folder, "candor.yaml");
const evidence = join(folder, "evidence.db");
writeFileSync(
  configFile,
  JSON.stringify({
    listen: { data: { host: "127.0.0.1", port: 0 }, control: { host: "127.0.0.1", port: 0 } },
    upstreams: [{ id: "main", baseUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1` }],
    subjects: [{ id: "soaked", models: ["model-x"] }],
    policies: [policyFile],
    evidence: { path: evidence },
    log: { level: "info" },
  }),
);

const probe = fileURLToPath(new URL("../../test/faults/memory-on-signal.js", import.meta.url));
const ready = z.object({ msg: z.literal("ready"), data: z.string(), control: z.string() });
const inUse = z.object({ msg: z.literal("memory"), heapUsed: z.number() });

/** The next line of a log that is of this form. */
const logged = <T>(log: Interface, form: z.ZodType<T>): Promise<T> =>
  new Promise((resolve) => {
    const hear = (line: string): void => {
      const read = line.startsWith("{") ? form.safeParse(JSON.parse(line)) : null;
      if (!read?.success) return;
      log.off("line", hear);
      resolve(read.data);
    };
    log.on("line", hear);
  });

const startCandor = async () => {
  if (values.built) build();
  const program = values.built ? imageArguments() : ["src/cli.ts"];
  const child = spawn(process.execPath, [...program, "serve", "--config", configFile], {
    env: { ...process.env, NODE_OPTIONS: `--expose-gc --import ${probe}` },
    stdio: ["ignore", "inherit", "pipe"],
  });
  const ended = new Promise<never>((_, reject) => {
    child.once("exit", (code) => reject(new Error(`candor ended with ${code}`)));
  });
  ended.catch(() => {});
  const log = createInterface({ input: child.stderr });
  const { data, control } = await Promise.race([logged(log, ready), ended]);
  return { child, log, data, control };
};
const candor = await startCandor();

type Kind = "whole" | "stream" | "abort" | "blocked";
/** Of every twenty requests. */
const mix: readonly Kind[] = [..."wwwwwwwwwwssssssaaab"].map((letter) => {
  const kinds: Record<string, Kind> = { w: "whole", s: "stream", a: "abort", b: "blocked" };
  return kinds[letter] ?? "whole";
});
const sent: Record<Kind, number> = { whole: 0, stream: 0, abort: 0, blocked: 0 };
/** Answers and errors that are not what the request deserves, with how often. */
const wrong = new Map<string, number>();
const note = (what: string): void => void wrong.set(what, (wrong.get(what) ?? 0) + 1);

const ask = (kind: Kind, turn: number): Promise<void> =>
  new Promise((resolve) => {
    sent[kind] += 1;
    const streamed = kind === "stream" || kind === "abort";
    const content = kind === "blocked" ? "tell me of zeppelins" : `How do I begin with sport number ${turn}?`;
    const request = httpRequest(`${candor.data}/v1/chat/completions`, { method: "POST" }, (response) => {
      const expected = kind === "blocked" ? 400 : 200;
      if (response.statusCode !== expected) note(`${kind}: ${response.statusCode}`);
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
        if (kind === "abort" && turn % 3 !== 0) request.destroy();
      });
      response.on("error", () => {});
      response.on("close", () => {
        if (kind === "stream" && !text.endsWith("data: [DONE]\n\n")) note("stream: cut off");
        resolve();
      });
    });
    request.on("error", () => {
      if (kind !== "abort") note(`${kind}: connection`);
      resolve();
    });
    request.end(JSON.stringify({ model: "model-x", stream: streamed, messages: [{ role: "user", content }] }));
    // A third of those who leave do so whenever it is, mostly before the answer has begun.
    if (kind === "abort" && turn % 3 === 0) setTimeout(() => request.destroy(), turn % 7);
  });

interface Sample {
  minute: number;
  rssMb: number;
  descriptors: number;
}

const metrics = async (): Promise<string> => (await fetch(`${candor.control}/metrics`)).text();
const metricIn = (text: string, start: string): number =>
  text
    .split("\n")
    .filter((line) => line.startsWith(start))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
const sample = (minute: number): Sample => ({
  minute,
  rssMb: Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${candor.child.pid}/status`, "utf8"))?.[1]) / 1024,
  descriptors: readdirSync(`/proc/${candor.child.pid}/fd`).length,
});
/** What is left in the heap after a collection, MB. */
const heapInUse = async (): Promise<number> => {
  const told = logged(candor.log, inUse);
  candor.child.kill("SIGUSR2");
  return (await told).heapUsed / 1024 / 1024;
};

/** Least squares, per hour. */
const slope = (points: readonly (readonly [minute: number, value: number])[]): number => {
  const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;
  const [x, y] = [mean(points.map(([minute]) => minute)), mean(points.map(([, value]) => value))];
  const above = points.reduce((sum, [minute, value]) => sum + (minute - x) * (value - y), 0);
  return (60 * above) / points.reduce((sum, [minute]) => sum + (minute - x) ** 2, 0);
};

const from = performance.now();
const elapsedMs = (): number => performance.now() - from;
const endMs = minutes * 60_000;
const samples: Sample[] = [];
const running = new Set<Promise<void>>();
const heaps: number[] = [];
let [turn, reloads, nextSample] = [0, 0, 0];
while (elapsedMs() < endMs) {
  while (turn < (perSecond * elapsedMs()) / 1_000) {
    const one = ask(mix[turn % mix.length] ?? "whole", turn).then(() => void running.delete(one));
    running.add(one);
    turn += 1;
  }
  if (elapsedMs() > (reloads + 1) * reloadEveryMs) {
    reloads += 1;
    writePolicies(reloads);
  }
  if (elapsedMs() > nextSample) {
    nextSample += sampleEveryMs;
    samples.push(sample(elapsedMs() / 60_000));
    if (samples.length % scrapeEvery === 0) await metrics();
  }
  if (elapsedMs() > ((heaps.length + 1) * endMs) / (collections + 1)) heaps.push(await heapInUse());
  await sleep(10);
}
await Promise.all(running);
// Idle connections to the upstream are closed after four seconds.
await sleep(6_000);
const heapAtEnd = await heapInUse();
const last = sample(elapsedMs() / 60_000);
const counted = await metrics();
const exited = once(candor.child, "exit");
candor.child.kill("SIGTERM");
const [code] = await exited;
const verified = verifyFile(evidence);
upstream.closeAllConnections();
upstream.close();
rmSync(folder, { recursive: true });

/** The least of each minute: what is there beside garbage that is yet to be collected. */
const floors = [...Map.groupBy(samples, ({ minute }) => Math.floor(minute))].map(
  ([minute, rows]) => [minute, Math.min(...rows.map(({ rssMb }) => rssMb))] as const,
);
const meanFloor = (from: number, to: number): number => {
  const within = floors.filter(([minute]) => minute >= minutes * from && minute < minutes * to);
  return within.reduce((sum, [, rssMb]) => sum + rssMb, 0) / within.length;
};
const [middle, end] = [meanFloor(1 / 3, 2 / 3), meanFloor(2 / 3, 1)];
const heapGrowth = (heaps.at(-1) ?? Number.NaN) - (heaps[1] ?? Number.NaN);
const descriptorsLeft = last.descriptors - (samples[0]?.descriptors ?? 0);
const isFlat = end - middle <= mostRssMb && heapGrowth <= mostHeapMb && descriptorsLeft <= mostDescriptors;

const settled = samples.filter(({ minute }) => minute >= minutes * warmUpShare);
const cell = (rows: readonly Sample[], pick: (one: Sample) => number): string => {
  const all = rows.map(pick);
  return `${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)}`;
};
const own5xx = counted
  .split("\n")
  .filter((line) => /^candor_requests_total\{.*code="5xx"/.test(line))
  .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
const page = `# Soak

${new Date().toISOString().slice(0, 10)}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 1e9)} GB; load average at the end ${(loadavg()[0] ?? 0).toFixed(1)}.
Command: \`node bench/soak/run.ts${process.argv
  .slice(2)
  .map((word) => ` ${word}`)
  .join("")}\`.

\`candor serve\` ${values.built ? "built and with the settings of the image" : "from its sources"}, with its defaults (screen, hidden probes, evidence on disk) and one policy that
blocks, under ${perSecond} requests/s for ${minutes} minutes: half whole answers, 30 % streams of 0.4 s, 15 % streams that their clients leave, 5 %
blocked; and the file of policies replaced every ${reloadEveryMs / 1_000} s. RSS is read each second.

RSS rises and falls with garbage that is yet to be collected, so it is judged by the least of each minute: the mean of these in the
last third of the run may exceed that in the middle third by ${mostRssMb} MB. Under load ${collections} collections are forced within the run, evenly
spread: the heap in use after the last may exceed that after the second by ${mostHeapMb} MB. When all is over, at most ${mostDescriptors} descriptors more
than at the start may be open. A run of minutes can show a leak that is fast; it can't show that memory is flat over hours.

| | |
|---|---|
| requests | ${turn}: ${Object.entries(sent)
  .map(([kind, count]) => `${count} ${kind}`)
  .join(", ")} |
| answers that were not what they should be | ${[...wrong].map(([what, count]) => `${count} x ${what}`).join(", ") || "none"} |
| 5xx counted by Candor | ${own5xx} |
| reloads taken over, refused | ${metricIn(counted, 'candor_config_reloads_total{result="success"')} of ${reloads}, ${metricIn(counted, 'candor_config_reloads_total{result="failure"')} |
| flat | ${isFlat ? "held" : "**missed**"} |
| least RSS of each minute, MB | ${floors.map(([, rssMb]) => rssMb.toFixed(0)).join(" ")} |
| their mean in the middle third and in the last, MB | ${middle.toFixed(1)}, ${end.toFixed(1)} |
| heap in use after collections under load, MB; when all was over | ${heaps.map((heap) => heap.toFixed(1)).join(", ")}; ${heapAtEnd.toFixed(1)} |
| RSS in the first third, MB | ${cell(
  samples.filter(({ minute }) => minute < minutes * warmUpShare),
  ({ rssMb }) => rssMb,
)} |
| RSS after it, MB | ${cell(settled, ({ rssMb }) => rssMb)} |
| slope of RSS after the first third, all samples, by least squares, MB/h | ${slope(settled.map(({ minute, rssMb }) => [minute, rssMb])).toFixed(1)} |
| descriptors under load | ${cell(settled, ({ descriptors }) => descriptors)} |
| slope of descriptors, 1/h | ${slope(settled.map(({ minute, descriptors }) => [minute, descriptors])).toFixed(1)} |
| descriptors before, and when all was over | ${samples[0]?.descriptors ?? 0}, ${last.descriptors} |
| exit code, chain | ${code}, ${verified.kind}${verified.kind === "intact" ? `, ${verified.rows} rows, ${verified.lost} lost` : ""} |
`;
console.log(page);
if (values.write) writeFileSync("bench/results/soak.md", page);
