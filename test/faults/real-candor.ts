/** The real process with a configuration file of its own, whose memory and descriptors can be asked for. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { type Serving, serveCandor } from "../e2e/running-candor.ts";
import { type MockUpstream, startMockUpstream } from "../relay/mock-upstream.ts";

const memory = z.object({
  heapUsed: z.number(),
  /** Outside the heap: what sockets read and have yet to write. */
  arrayBuffers: z.number(),
  rss: z.number(),
  descriptors: z.number(),
  /** Of the event loop since the last call, in milliseconds. */
  late: z.object({ p999: z.number(), longest: z.number() }),
});
type Memory = z.infer<typeof memory>;

export interface RealCandor extends Serving {
  port: number;
  /** Of the data port, with /v1. */
  baseUrl: string;
  /** Of its evidence. */
  path: string;
  /** Bytes after a collection of garbage, and open descriptors. */
  memory(): Promise<Memory>;
  /** When each request had been read since the last call, by the client's port; of `withArrivals` only. */
  arrivals(): Promise<Map<number, number>>;
  metrics(): Promise<string>;
}

/** A folder that is gone after the test. */
export const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "candor-faults-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** An upstream that is closed after the test. */
export const startUpstream = async (): Promise<MockUpstream> => {
  const upstream = await startMockUpstream();
  onTestFinished(() => upstream.close());
  return upstream;
};

const arrivals = z.object({ arrivals: z.array(z.tuple([z.number(), z.number()])) });

const memoryProbe = fileURLToPath(new URL("memory-on-signal.js", import.meta.url));
const arrivalsProbe = fileURLToPath(new URL("arrivals-on-signal.js", import.meta.url));

/** A configuration that relays to `baseUrl`, does not probe, and stops at once. */
export const configFor = (baseUrl: string, folder: string, changes: Record<string, unknown> = {}) => ({
  listen: { data: { host: "127.0.0.1", port: 0 }, control: { host: "127.0.0.1", port: 0 } },
  upstreams: [{ id: "main", baseUrl }],
  subjects: [{ id: "support-bot", models: ["gpt-test"], probes: { enabled: false } }],
  evidence: { path: join(folder, "evidence.db") },
  drain: { minSeconds: 0, timeoutSeconds: 1 },
  log: { level: "info" },
  ...changes,
});

/** @param run arguments of Node, up to the program; where left out, as all tests run it */
export const serveReal = async (
  baseUrl: string,
  {
    folder = newFolder(),
    withArrivals = false,
    ...changes
  }: Record<string, unknown> & { folder?: string; withArrivals?: boolean } = {},
  run?: readonly string[],
): Promise<RealCandor> => {
  const file = join(folder, "candor.yaml");
  const config = configFor(baseUrl, folder, changes);
  writeFileSync(file, JSON.stringify(config));
  const probe = withArrivals ? arrivalsProbe : memoryProbe;
  const serving = await serveCandor(["--config", file], { NODE_OPTIONS: `--expose-gc --import ${probe}` }, run);
  onTestFinished(async () => {
    if (serving.process.exitCode === null && serving.process.signalCode === null) await serving.end("SIGKILL");
  });
  const logged = (msg: string): string[] =>
    serving
      .logged()
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.includes(`"msg":"${msg}"`));
  /** What is logged next under this name, on a signal. */
  const asked = async (msg: string): Promise<unknown> => {
    const before = logged(msg).length;
    serving.process.kill("SIGUSR2");
    for (;;) {
      const latest = logged(msg)[before];
      if (latest !== undefined) return JSON.parse(latest);
      await sleep(5);
    }
  };
  return {
    ...serving,
    port: Number(new URL(serving.dataUrl).port),
    baseUrl: `${serving.dataUrl}/v1`,
    path: config.evidence.path,
    memory: async () => memory.parse(await asked("memory")),
    arrivals: async () => new Map(arrivals.parse(await asked("arrivals")).arrivals),
    metrics: async () => (await fetch(`${serving.controlUrl}/metrics`)).text(),
  };
};

/** The sum of a metric over all its labels, or over those that `labels` matches. */
export const metricIn = (metrics: string, name: string, labels = ""): number =>
  metrics
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
