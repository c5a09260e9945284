/**
 * Measures the relay beside the upstream alone, two bare proxies and a peer, in interleaved rounds of one run.
 * Usage: node bench/relay/run.ts [--guard] [--rounds N] [--ms N] [--no-peer] [--write] [--candor "COMMAND with {port} {upstream}"]
 * With --guard, what two lists of words cost: on requests alone, and on requests and answers; the peer has two as well.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installPeer, peerCommand, peerHeaders } from "./peers/portkey.ts";
import { freePort, type MeasuredServer, onCore, startServer } from "./servers.ts";
import type { Workload } from "./workloads.ts";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    ms: { type: "string", default: "1200" },
    guard: { type: "boolean", default: false },
    "no-peer": { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    candor: { type: "string" },
  },
});

interface Sample {
  rps: number;
  p50: number;
  p99: number;
  cpuMicros: number;
}

interface Target {
  server: MeasuredServer;
  headers: readonly string[];
}

const scenarios: readonly { workload: Workload; connections: number }[] = [
  { workload: "json", connections: 1 },
  { workload: "json", connections: 32 },
  { workload: "sse", connections: 1 },
  { workload: "sse", connections: 32 },
];

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const node = process.execPath;

const generate = (
  target: Target,
  workload: Workload,
  connections: number,
  ms: number,
): Promise<Omit<Sample, "cpuMicros"> & { requests: number }> =>
  new Promise((resolve, reject) => {
    const args = [here("generator.ts"), String(target.server.port), workload, String(connections), String(ms)];
    const [program, all] = onCore(1, [node, ...args, ...target.headers]);
    const child = spawn(program, all, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`${target.server.name}: the generator failed on ${workload}`));
    });
  });

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
};

const started: MeasuredServer[] = [];
const begin = async (
  name: string,
  core: 0 | 1,
  command: (port: number) => readonly string[],
): Promise<MeasuredServer> => {
  const port = await freePort();
  const server = await startServer(name, core, command(port), port);
  started.push(server);
  return server;
};

const folder = mkdtempSync(join(tmpdir(), "candor-bench-"));

/** Everything at its defaults: a tenth of the answers sampled and judged, hidden probes, evidence on disk. */
const wholeProgram = (port: string, upstreamPort: string, policies: string[] = []): string[] => {
  const file = join(folder, `candor-${port}.yaml`);
  writeFileSync(
    file,
    JSON.stringify({
      upstreams: [{ id: "bench", baseUrl: `http://127.0.0.1:${upstreamPort}/v1` }],
      subjects: [{ id: "bench", models: ["bench-model"] }],
      evidence: { path: join(folder, `evidence-${port}.db`) },
      policies,
      log: { level: "warn" },
    }),
  );
  return [node, here("../../src/cli.ts"), "serve", "--config", file, "--port", port, "--control-port", "0"];
};

const words = (list: string): string[] => Array.from({ length: 20 }, (_, word) => `forbidden-${list}-${word}`);

/** A file with a list of words that are blocked at each of these stages. */
const wordLists = (...stages: ("request" | "response")[]): string => {
  const file = join(folder, `words-${stages.join("-")}.yaml`);
  const policies = stages.map((stage) => ({
    id: `words-${stage}`,
    description: "for the measurement",
    stage,
    match: { terms: words(stage) },
    action: "block",
  }));
  writeFileSync(file, JSON.stringify({ policies }));
  return file;
};

/** The same lists in the peer's own configuration. */
const peerLists = JSON.stringify({
  input_guardrails: [{ "default.contains": { operator: "none", words: words("request") }, deny: true }],
  output_guardrails: [{ "default.contains": { operator: "none", words: words("response") }, deny: true }],
});

const startAll = async (): Promise<Target[]> => {
  const upstream = await begin("direct", 1, (port) => [node, here("upstream.ts"), String(port)]);
  const at = String(upstream.port);
  const plain = async (name: string, command: (port: string) => string[]): Promise<Target> => ({
    server: await begin(name, 0, (port) => command(String(port))),
    headers: [],
  });
  const given = flags.candor;
  const targets: Target[] = [
    { server: upstream, headers: [] },
    await plain("floor: http.request", (port) => [node, here("floors.ts"), "request", port, at]),
    await plain("floor: undici dispatch", (port) => [node, here("floors.ts"), "dispatch", port, at]),
    ...(flags.guard
      ? [
          await plain("Candor, no policy", (port) => wholeProgram(port, at)),
          await plain("Candor, words in requests", (port) => wholeProgram(port, at, [wordLists("request")])),
          await plain("Candor, words in both", (port) => wholeProgram(port, at, [wordLists("request", "response")])),
        ]
      : [
          await plain("Candor, watch off", (port) => [node, here("candor.ts"), port, at]),
          await plain("Candor, watch on", (port) => wholeProgram(port, at)),
        ]),
  ];
  if (given !== undefined) {
    const url = `http://127.0.0.1:${at}/v1`;
    const command = (port: string) => given.replaceAll("{port}", port).replaceAll("{upstream}", url).split(" ");
    targets.push(await plain("Candor, as given", command));
  }
  if (!flags["no-peer"]) {
    installPeer();
    const headers = peerHeaders(upstream.port);
    targets.push({
      server: await begin(flags.guard ? "Portkey 1.15.2, words in both" : "Portkey 1.15.2", 0, peerCommand),
      headers: flags.guard ? [...headers, `x-portkey-config: ${peerLists}`] : headers,
    });
  }
  return targets;
};

const measure = async (target: Target, workload: Workload, connections: number, ms: number): Promise<Sample> => {
  const before = target.server.cpuMicros();
  const { rps, p50, p99, requests } = await generate(target, workload, connections, ms);
  return { rps, p50, p99, cpuMicros: (target.server.cpuMicros() - before) / requests };
};

const summary = (samples: readonly Sample[]): Sample => ({
  rps: median(samples.map(({ rps }) => rps)),
  p50: median(samples.map(({ p50 }) => p50)),
  p99: median(samples.map(({ p99 }) => p99)),
  cpuMicros: median(samples.map(({ cpuMicros }) => cpuMicros)),
});

const table = (targets: readonly Target[], samples: ReadonlyMap<string, Sample[]>): string => {
  const lines: string[] = [];
  for (const { workload, connections } of scenarios) {
    const results = targets.map(({ server }) => {
      const of = samples.get(`${server.name} ${workload} ${connections}`) ?? [];
      return { name: server.name, ...summary(of), rounds: of };
    });
    const direct = results[0];
    const bases = results.filter(({ name }) => name.startsWith("floor") || name.startsWith("Portkey"));
    if (direct === undefined || bases.length === 0) throw new Error("nothing to compare with");
    const shortOf = (name: string): string => name.replace("floor: ", "").split(/[ ,]/, 1)[0] ?? name;
    lines.push(
      `### ${workload === "json" ? "JSON, about 1 KB each way" : "Event stream, 20 frames"}, ${connections} connection${connections === 1 ? "" : "s"}`,
      "",
      `| | requests/s | p50 ms | p99 ms | added p50 ms | CPU us/request | ${bases.map(({ name }) => `: ${shortOf(name)}`).join(" | ")} |`,
      `|---|---|---|---|---|---|${"---|".repeat(bases.length)}`,
    );
    for (const { name, rps, p50, p99, cpuMicros, rounds } of results) {
      // Ratios are taken within a round, where both ran under the same load, and then the median of them.
      const ratios = bases.map((base) =>
        median(rounds.map((sample, index) => sample.rps / (base.rounds[index]?.rps ?? Number.NaN))).toFixed(2),
      );
      const cells = [name, rps.toFixed(0), p50.toFixed(2), p99.toFixed(2), (p50 - direct.p50).toFixed(2)];
      lines.push(`| ${[...cells, cpuMicros.toFixed(0), ...ratios].join(" | ")} |`);
    }
    lines.push("");
  }
  return lines.join("\n");
};

/** For so long the machine code of what runs is still being made, on the core that is measured. */
const warmUpMs = 4_000;

const run = async (): Promise<void> => {
  const targets = await startAll();
  const rounds = Number(flags.rounds);
  const ms = Number(flags.ms);
  const samples = new Map<string, Sample[]>();
  for (let round = -1; round < rounds; round += 1) {
    for (const { workload, connections } of scenarios) {
      for (const target of targets) {
        // The first round only warms everything up.
        const sample = await measure(target, workload, connections, round < 0 ? warmUpMs : ms);
        const key = `${target.server.name} ${workload} ${connections}`;
        if (round >= 0) samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
    }
  }
  const memory = targets.map(({ server }) => `${server.name} ${server.residentMB().toFixed(0)} MB`).join(", ");
  const report = [
    flags.guard ? "# What lists of words cost in the relay" : "# The relay beside a bare proxy",
    "",
    `${new Date().toISOString().slice(0, 10)}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GB; load average at the end ${loadavg()[0]?.toFixed(1)}.`,
    `Command: \`node bench/relay/run.ts ${process.argv.slice(2).join(" ")}\`.`,
    "",
    `Medians of ${rounds} interleaved rounds of ${ms} ms after ${warmUpMs / 1000} s of each workload to warm up. Each server is a process of`,
    "its own on the first core; the upstream, which answers at once, and the load generator share the second. No TLS. Floors are two",
    "bare proxies: node:http with http.request, and with undici's dispatch. The last columns are requests/s in proportion to theirs and",
    "the peer's, within a round. CPU is user and system time of the measured process by the kernel's count. Watch off: the relay with",
    "its metrics. Watch on, and wherever policies are named: `candor serve` with its defaults: a tenth of the answers sampled and judged,",
    "hidden probes, evidence on disk. A load average above 2 means that the machine did other work meanwhile.",
    "",
    table(targets, samples),
    `Resident memory at the end: ${memory}.`,
    "",
  ].join("\n");
  console.log(report);
  if (flags.write) writeFileSync(here(flags.guard ? "../results/relay-guard.md" : "../results/relay.md"), report);
};

const stopAll = (): void => {
  for (const server of started) if (existsSync(`/proc/${server.pid}`)) server.stop();
  rmSync(folder, { recursive: true, force: true });
};
try {
  await run();
} finally {
  stopAll();
}
