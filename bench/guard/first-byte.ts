/**
 * Measures when the first words of a streamed answer reach the client: past Candor without policies, with policies on
 * requests, and with policies that may stop the answer. The upstream says four letters every 5 ms, as a fast model does.
 * `node bench/guard/first-byte.ts [--write]`: about a minute; --write puts it into bench/results/first-byte.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";

const text = "The quick brown fox jumps over the lazy dog, and then it does so once more for us. ".repeat(3);
const pieceMs = 5;
const rounds = 150;

const upstream = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "text/event-stream" });
  let at = 0;
  const timer = setInterval(() => {
    const content = text.slice(at, at + 4);
    at += 4;
    if (content === "") {
      clearInterval(timer);
      response.end("data: [DONE]\n\n");
    } else
      response.write(
        `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`,
      );
  }, pieceMs);
});
await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
const baseUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;

const folder = mkdtempSync(join(tmpdir(), "candor-first-byte-"));
const words = Array.from({ length: 20 }, (_, index) => `forbidden phrase ${index}`);
const policies = (stages: string[], match: unknown): string => {
  const file = join(folder, `${Math.random()}.yaml`);
  const list = stages.map((stage) => ({ id: stage, description: "d", stage, match, action: "block" }));
  writeFileSync(file, JSON.stringify({ policies: list }));
  return file;
};

const running: (() => Promise<void>)[] = [];
const candor = async (files: string[]): Promise<string> => {
  const config = configFrom(
    {
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "u", baseUrl }],
      subjects: [{ id: "s", models: ["m"], probes: { enabled: false } }],
      policies: files,
      evidence: { path: join(folder, `${running.length}.db`) },
      drain: { minSeconds: 0, timeoutSeconds: 1 },
    },
    "the measurement",
  );
  const { dataUrl, stop } = await start(config, { env: {}, log: createLog("silent") });
  running.push(stop);
  return `${dataUrl}/v1`;
};

const ways: [name: string, url: string][] = [
  ["the upstream alone", baseUrl],
  ["no policy", await candor([])],
  ["20 phrases in requests", await candor([policies(["request"], { terms: words })])],
  ["20 phrases in answers, blocked", await candor([policies(["response"], { terms: words })])],
  ["all secrets in answers, blocked", await candor([policies(["response"], { secrets: "all" })])],
  ["a condition on the whole answer", await candor([policies(["response"], { not: { terms: ["fox"] } })])],
];

/** Milliseconds until the first words, and until the end. */
const ask = async (url: string): Promise<[number, number]> => {
  const from = performance.now();
  const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] });
  const response = await fetch(`${url}/chat/completions`, { method: "POST", body });
  let first = Number.NaN;
  for await (const chunk of response.body ?? []) {
    if (Number.isNaN(first) && Buffer.from(chunk).includes('"content"')) first = performance.now() - from;
  }
  return [first, performance.now() - from];
};

const quantile = (values: readonly number[], share: number): string =>
  (values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN).toFixed(1);

const times = ways.map((): [number, number][] => []);
for (let round = -5; round < rounds; round += 1) {
  for (const [way, [, url]] of ways.entries()) {
    const seen = await ask(url);
    if (round >= 0) times[way]?.push(seen);
  }
}
const rows = ways.map(([name], way) => {
  const own = times[way] ?? [];
  const [firsts, ends] = [own.map(([first]) => first), own.map(([, end]) => end)];
  return `| ${name} | ${quantile(firsts, 0.5)} | ${quantile(firsts, 0.99)} | ${quantile(ends, 0.5)} |`;
});
const report = `# When the first words of a stream arrive

\`node bench/guard/first-byte.ts --write\` on ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; medians of ${rounds} interleaved rounds, everything in one
process. The upstream says four letters every ${pieceMs} ms; a policy that may stop the answer keeps back about its longest match and two words.

| | first words, median ms | p99 ms | whole answer, median ms |
|---|---|---|---|
${rows.join("\n")}
`;
console.log(report);
if (process.argv.includes("--write")) writeFileSync("bench/results/first-byte.md", report);
for (const stop of running) await stop();
upstream.closeAllConnections();
upstream.close();
rmSync(folder, { recursive: true });
