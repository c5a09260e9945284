/**
 * What the settings that the image gives to Node save and cost: memory at the start, with many open streams and after many
 * requests, and processor time for each request, at first and once all is compiled. Each setting is left out in turn.
 * Usage: node bench/memory/run.ts [--rounds 3] [--write]
 */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build, imageArguments } from "../../test/e2e/image-command.ts";
import { type Serving, serveCandor } from "../../test/e2e/running-candor.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, write: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
if (!(rounds > 0)) throw new Error("--rounds takes a number above 0");

const streams = 1_000;
/** Requests that are counted as the first ones; that go by then; that are counted as those of a process that is warm. */
const [first, between, warm] = [4_000, 8_000, 8_000];
const atOnce = 32;

const answer = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "Ask somebody who knows. ".repeat(40) } }],
});
const upstream = createServer(async (request, response) => {
  const body = await new Response(request).text().catch(() => "");
  if (body.includes('"stream":true')) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: {"choices":[{"index":0,"delta":{"content":"first"},"finish_reason":null}]}\n\n`);
  } else response.setHeader("content-type", "application/json").end(answer);
}).listen(0, "127.0.0.1");
await once(upstream, "listening");

const folder = mkdtempSync(join(tmpdir(), "candor-memory-"));
const file = join(folder, "candor.yaml");
const at = { host: "127.0.0.1", port: 0 };
const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
writeFileSync(
  file,
  JSON.stringify({
    listen: { data: at, control: at },
    upstreams: [{ id: "main", baseUrl: upstreamUrl, connections: 2 * streams }],
    subjects: [{ id: "bench", models: ["model-x"], probes: { enabled: false } }],
    evidence: { path: join(folder, "evidence.db") },
    drain: { minSeconds: 0, timeoutSeconds: 1 },
  }),
);

const residentMb = ({ process }: Serving): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${process.pid}/status`, "latin1"))?.[1]) / 1024;
/** The kernel counts in hundredths of a second. */
const cpuMicros = ({ process }: Serving): number => {
  const text = readFileSync(`/proc/${process.pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

const bodyOf = (stream: boolean): string =>
  JSON.stringify({ model: "model-x", stream, messages: [{ role: "user", content: "How do I begin? ".repeat(40) }] });

const withStreams = async (run: readonly string[]): Promise<[before: number, open: number]> => {
  const candor = await serveCandor(["--config", file], {}, run);
  await sleep(500);
  const before = residentMb(candor);
  const body = bodyOf(true);
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`;
  const sockets = await Promise.all(
    Array.from({ length: streams }, async () => {
      const socket = connect(Number(new URL(candor.dataUrl).port), "127.0.0.1");
      await once(socket, "connect");
      return socket;
    }),
  );
  const heard = Promise.all(sockets.map((socket) => once(socket, "data")));
  for (const socket of sockets) socket.write(head + body);
  await heard;
  const open = residentMb(candor);
  for (const socket of sockets) socket.destroy();
  await candor.end();
  return [before, open];
};

const underLoad = async (run: readonly string[]): Promise<[first: number, warm: number, resident: number]> => {
  const candor = await serveCandor(["--config", file], {}, run);
  const agent = new Agent({ keepAlive: true });
  const body = bodyOf(false);
  const headers = { "content-type": "application/json", "content-length": body.length };
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        `${candor.dataUrl}/v1/chat/completions`,
        { method: "POST", agent, headers },
        (response) => {
          if (response.statusCode !== 200) reject(new Error(`answered with ${response.statusCode}`));
          response.resume().once("end", resolve);
        },
      );
      request.once("error", reject);
      request.end(body);
    });
  /** Microseconds for each. */
  const costOf = async (count: number): Promise<number> => {
    const from = cpuMicros(candor);
    let left = count;
    const line = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await one();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, line));
    return (cpuMicros(candor) - from) / count;
  };
  const cost = await costOf(first);
  await costOf(between);
  const costWarm = await costOf(warm);
  const resident = residentMb(candor);
  agent.destroy();
  await candor.end();
  return [cost, costWarm, resident];
};

build();
const all = imageArguments();
const flags = all.slice(0, -1);
const program = all.slice(-1);
const forms: readonly (readonly [name: string, run: readonly string[]])[] = [
  ["as the image", all],
  ...flags.map((flag) => [`without \`${flag}\``, all.filter((one) => one !== flag)] as const),
  ["with none of them", program],
];
const seen = new Map<string, number[][]>(forms.map(([name]) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const [name, run] of forms) seen.get(name)?.push([...(await withStreams(run)), ...(await underLoad(run))]);
}
upstream.closeAllConnections();
upstream.close();
rmSync(folder, { recursive: true });

/** Least and most of the rounds. */
const cell = (rows: readonly number[][], column: number): string => {
  const sorted = rows.map((row) => row[column] ?? Number.NaN).toSorted((one, other) => one - other);
  return `${sorted[0]?.toFixed(0)} to ${sorted.at(-1)?.toFixed(0)}`;
};
const page = `# What the image's settings of Node save and cost

${new Date().toISOString().slice(0, 10)}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 1e9)} GB; load average at the end ${(loadavg()[0] ?? 0).toFixed(1)}.
Command: \`node bench/memory/run.ts${process.argv
  .slice(2)
  .map((word) => ` ${word}`)
  .join("")}\`.

\`candor serve\`, built, without policies and probes. ${rounds} rounds, each with new processes, least to most. The image's settings are
\`${flags.join(" ")}\`. Streams have had their first event; requests are whole answers of 1 KB, ${atOnce} at once.

| settings | RSS at the start, MB | RSS with ${streams} open streams, MB | processor, us a request, of the first ${first} | of ${warm} after ${first + between} | RSS then, MB |
|---|---|---|---|---|---|
${forms.map(([name]) => `| ${name} | ${[0, 1, 2, 3, 4].map((column) => cell(seen.get(name) ?? [], column)).join(" | ")} |`).join("\n")}
`;
console.log(page);
if (values.write) writeFileSync("bench/results/memory.md", page);
