/**
 * What Candor costs inside a program, beside a plain fetch and the proxy, in one run. Writes bench/results/embed.md.
 * `npx node bench/embed/run.ts [--quick]`: some twenty seconds; --quick: two, to standard output only.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createLog } from "../../src/kernel/log.ts";
import { openCandor } from "../../src/library.ts";
import { spreadOf } from "../evidence/measuring.ts";

const quick = process.argv.includes("--quick");
const asked = quick ? 200 : 3_000;
const rounds = quick ? 1 : 4;

interface Listening {
  url: string;
  end(): Promise<void>;
}

/** A process of its own, which says where it listens in its first line. */
const spawned = async (args: readonly string[]): Promise<Listening> => {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.resume();
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return {
    url: String(line),
    async end() {
      child.kill();
      await once(child, "exit");
    },
  };
};

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const upstream = await spawned([here("upstream.ts")]);
const folder = mkdtempSync(join(tmpdir(), "candor-bench-"));
const words = Array.from({ length: 50 }, (_, at) => `forbidden${at}`);
const policies = join(folder, "words.yaml");
const stages = ["request", "response"].map((stage) => ({
  ...{ id: `no-words-in-${stage}`, description: "a list of words", stage, match: { terms: words }, action: "block" },
}));
writeFileSync(policies, JSON.stringify({ policies: stages }));

const configuration = (name: string, guarded: boolean) => ({
  listen: { data: { port: 0 }, control: { port: 0 } },
  upstreams: [{ id: "main", baseUrl: upstream.url }],
  subjects: [{ id: "bench", models: ["m"], probes: { enabled: false } }],
  policies: guarded ? [policies] : [],
  evidence: { path: join(folder, `${name}.db`) },
  log: { level: "silent" },
});

const log = createLog("silent");
const plain = await openCandor({ config: configuration("plain", false), log });
const guarded = await openCandor({ config: configuration("guarded", true), log });
const file = join(folder, "proxy.json");
writeFileSync(file, JSON.stringify(configuration("proxy", true)));
const proxy = await spawned([here("proxy.ts"), file]);

const body = JSON.stringify({
  model: "m",
  messages: [{ role: "user", content: "Good words and plain ones. ".repeat(35) }],
});
const request = { method: "POST", headers: { "content-type": "application/json" }, body };

const ways: [name: string, ask: () => Promise<Response>][] = [
  ["fetch", () => fetch(`${upstream.url}/chat/completions`, request)],
  ["Candor's fetch, no policy", () => plain.fetch(`${upstream.url}/chat/completions`, request)],
  ["Candor's fetch, lists of words on both", () => guarded.fetch(`${upstream.url}/chat/completions`, request)],
  ["the proxy, lists of words on both", () => fetch(`${proxy.url}/v1/chat/completions`, request)],
];

const times = new Map(ways.map(([name]) => [name, [] as number[]]));
const cpu = new Map(ways.map(([name]) => [name, 0]));
const exchangeOnce = async (ask: () => Promise<Response>): Promise<void> => {
  const response = await ask();
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
};
for (const [, ask] of ways) for (let at = 0; at < asked / 4; at += 1) await exchangeOnce(ask);
for (let round = 0; round < rounds; round += 1) {
  for (const [name, ask] of ways) {
    const before = process.cpuUsage();
    for (let at = 0; at < asked; at += 1) {
      const begun = performance.now();
      await exchangeOnce(ask);
      times.get(name)?.push(performance.now() - begun);
    }
    const { user, system } = process.cpuUsage(before);
    cpu.set(name, (cpu.get(name) ?? 0) + (user + system) / asked / rounds);
  }
}
await plain.close();
await guarded.close();
await proxy.end();
await upstream.end();
rmSync(folder, { recursive: true, force: true });

const base = spreadOf(times.get("fetch") ?? []).median;
const rows = ways.map(([name]) => {
  const { median, p99 } = spreadOf(times.get(name) ?? []);
  const [total, added] = [median, median - base].map((ms) => ms.toFixed(2));
  return `| ${name} | ${total} | ${p99.toFixed(2)} | ${name === "fetch" ? "" : added} | ${(cpu.get(name) ?? 0).toFixed(0)} |`;
});
const report = `# Candor inside a program

${new Date().toISOString().slice(0, 10)}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}; load average at the end ${loadavg()[0]?.toFixed(1)}.
Command: \`npx node bench/embed/run.ts${quick ? " --quick" : ""}\`.

One exchange of about 1 KB each way after the other, ${(asked * rounds).toLocaleString("en-GB")} of each kind in ${rounds} interleaved rounds. The upstream answers at once, in a process of its own, and so does the proxy. CPU is that of the program that
asks: with the proxy, the proxy's own comes on top.

| | median ms | 99 % ms | added, ms | CPU us/exchange |
|---|---|---|---|---|
${rows.join("\n")}
`;
process.stdout.write(report);
if (!quick) writeFileSync("bench/results/embed.md", report);
