/** What an orchestrator is told by a real process when everything around it is away, and while it ends. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startOpenAiServer } from "../../src/demo/openai-server.ts";
import { startProxy } from "../evidence/postgres/cutting-proxy.ts";
import { noPostgres, startPostgres } from "../evidence/running-postgres.ts";
import { serveCandor } from "./running-candor.ts";

/** Nothing listens there. */
const nowhere = "http://127.0.0.1:9";
const probes = ["/startupz", "/livez", "/readyz"];

const serveWith = async (config: (folder: string) => object, env: NodeJS.ProcessEnv = {}) => {
  const folder = mkdtempSync(join(tmpdir(), "candor-readiness-"));
  const file = join(folder, "candor.yaml");
  writeFileSync(file, JSON.stringify({ listen: { data: { port: 0 }, control: { port: 0 } }, ...config(folder) }));
  const candor = await serveCandor(["--config", file], env);
  onTestFinished(async () => {
    await candor.end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  /** As patient as the kubelet. */
  const statusOf = async (path: string): Promise<number> =>
    (await fetch(candor.controlUrl + path, { signal: AbortSignal.timeout(2_000) })).status;
  const chat = async (): Promise<number> => {
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Name a vegetable." }] });
    const response = await fetch(`${candor.dataUrl}/v1/chat/completions`, { method: "POST", body });
    await response.text();
    return response.status;
  };
  return { candor, statusOf, chat };
};

test("model, judge, database and all receivers away: ready all the same, and ended cleanly", {
  timeout: 60_000,
}, async (context) => {
  if (noPostgres !== null) return context.skip(noPostgres);
  const postgres = await startPostgres();
  onTestFinished(() => postgres.remove());
  const proxy = await startProxy(await postgres.newDatabase());
  onTestFinished(proxy.close);
  const { candor, statusOf, chat } = await serveWith(
    (folder) => ({
      upstreams: [{ id: "away", baseUrl: `${nowhere}/v1` }],
      subjects: [{ id: "support", models: ["m"] }],
      classify: { use: "judge", judge: { baseUrl: `${nowhere}/v1`, model: "j" } },
      evidence: { path: join(folder, "spool.db"), postgres: { url: { env: "DATABASE" } } },
      alerting: { alertmanagers: [{ id: "am", url: nowhere }] },
      telemetry: { otlp: { endpoint: nowhere, sampleShare: 1, metricsSeconds: 1 } },
      drain: { minSeconds: 0, timeoutSeconds: 1 },
    }),
    { DATABASE: proxy.url },
  );
  expect(await Promise.all(probes.map(statusOf))).toEqual([200, 200, 200]);
  for (const breakDown of [proxy.stall, proxy.cut]) {
    breakDown();
    expect(await chat()).toBe(502);
    for (let look = 0; look < 5; look += 1) {
      expect(await Promise.all(probes.map(statusOf))).toEqual([200, 200, 200]);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  expect(await candor.end()).toBe(0);
});

test("told to end: unready at once and alive, while new requests are served for the least time of a drain", {
  timeout: 30_000,
}, async () => {
  const model = await startOpenAiServer({ model: "m", speaker: { say: () => "Leek." } });
  onTestFinished(() => model.close());
  const { candor, statusOf, chat } = await serveWith((folder) => ({
    upstreams: [{ id: "u", baseUrl: model.baseUrl }],
    subjects: [{ id: "support", models: ["m"], probes: { enabled: false } }],
    evidence: { path: join(folder, "evidence.db") },
    drain: { minSeconds: 2, timeoutSeconds: 5 },
  }));
  expect(await statusOf("/readyz")).toBe(200);
  const ended = candor.end();
  await expect.poll(() => statusOf("/readyz")).toBe(503);
  expect(await statusOf("/livez")).toBe(200);
  expect(await chat()).toBe(200);
  expect(await ended).toBe(0);
});
