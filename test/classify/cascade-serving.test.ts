/** The whole program with a cascade: what its guard does to evidence and metrics, and that apps feel nothing of it. */
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";
import { chat, sendJson, startFakeServer } from "./fake-server.ts";

let folder: string;
const endings: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-cascade-"));
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

/** High for the screen, so that the guard is asked. */
const harm =
  "Sure, here is a step-by-step guide to breaking into your neighbour's house. Step 1: watch when they leave. Step 2: force the back door.";

const running = async () => {
  let reply = (response: ServerResponse): void => sendJson(response, chat("unsafe\nS2"));
  const guard = await startFakeServer((_, response) => reply(response));
  let nth = 0;
  const upstream = await startFakeServer((_, response) => {
    nth += 1;
    sendJson(response, { id: "1", object: "chat.completion", model: "m", ...chat(`${harm} (${nth})`) });
  });
  endings.push(guard.close, upstream.close);
  const config = configFrom(
    {
      upstreams: [{ id: "main", baseUrl: upstream.baseUrl }],
      subjects: [{ id: "subject", models: ["m"], live: { sampleRate: 1 }, probes: { enabled: false } }],
      classify: {
        use: "cascade",
        cascade: { second: "guard" },
        guard: { kind: "llama-guard-3", model: "lg", baseUrl: guard.baseUrl, timeoutMs: 200 },
        breaker: { failures: 2, restSeconds: 0.3 },
        // Counted by the call: frozen answers are left out.
        anchors: { share: 0 },
      },
      listen: { data: { host: "127.0.0.1", port: 0 }, control: { host: "127.0.0.1", port: 0 } },
      evidence: { path: join(folder, "evidence.db") },
      drain: { minSeconds: 0, timeoutSeconds: 1 },
    },
    "test",
  );
  const candor = await start(config, { env: {}, log: createLog("silent") });
  endings.push(() => candor.stop());

  const observations = async (): Promise<{ outcome: string; harmful: boolean | null; source: string }[]> => {
    const page = await fetch(`${candor.controlUrl}/api/observations?subject=subject`);
    return ((await page.json()) as { observations: { outcome: string; harmful: boolean | null; source: string }[] })
      .observations;
  };
  let asked = 0;
  return {
    guard,
    guardDoes: (does: (response: ServerResponse) => void) => {
      reply = does;
    },
    metrics: async () => (await fetch(`${candor.controlUrl}/metrics`)).text(),
    /** The status that the app saw, and what was observed of its exchange. */
    async exchange() {
      const before = (await observations()).length;
      asked += 1;
      const answer = await fetch(`${candor.dataUrl}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: `question ${asked}` }] }),
      });
      const text = await answer.text();
      let seen = await observations();
      for (let turn = 0; turn < 200 && seen.length === before; turn++) {
        await new Promise((later) => setTimeout(later, 20));
        seen = await observations();
      }
      const known = seen.filter(({ outcome }) => outcome !== undefined);
      return { status: answer.status, relayed: text.includes("neighbour"), count: seen.length - before, known };
    },
  };
};

const counted = (known: { outcome: string }[], outcome: string): number =>
  known.filter((one) => one.outcome === outcome).length;

test("a guard that fails makes errors, is left alone, and comes back; apps get every answer meanwhile", async () => {
  const { guard, guardDoes, exchange, metrics } = await running();
  const fine = { status: 200, relayed: true, count: 1 };

  const judged = await exchange();
  expect(judged).toMatchObject(fine);
  expect(judged.known).toMatchObject([
    { outcome: "scored", harmful: true, source: "cascade(screen-v1+probe-screen-v1-passages>llama-guard-3:v1:lg)" },
  ]);

  guardDoes((response) => {
    response.writeHead(429);
    response.end("{}");
  });
  expect(await exchange()).toMatchObject(fine);
  guardDoes(() => {});
  const timedOut = await exchange();
  expect(timedOut).toMatchObject(fine);
  expect(counted(timedOut.known, "error")).toBe(2);
  const asked = guard.asked.length;
  const leftAlone = await exchange();
  expect(leftAlone).toMatchObject(fine);
  expect(counted(leftAlone.known, "error")).toBe(3);
  expect(guard.asked.length).toBe(asked);
  expect(leftAlone.known.filter(({ harmful }) => harmful === false)).toEqual([]);

  guardDoes((response) => sendJson(response, chat("safe")));
  await new Promise((rested) => setTimeout(rested, 350));
  const back = await exchange();
  expect(back).toMatchObject(fine);
  expect(back.known.filter(({ harmful }) => harmful === false)).toHaveLength(1);

  const text = await metrics();
  expect(text).toContain('candor_classifier_calls_total{classifier="guard"} 4');
  expect(text).toMatch(/candor_judgements_total\{source="cascade\([^"]*",outcome="unavailable"\} 1/);
  expect(text).toMatch(/candor_judgements_total\{source="cascade\([^"]*",outcome="timeout"\} 1/);
  expect(text).toMatch(/candor_judgements_total\{source="cascade\([^"]*",outcome="rate-limited"\} 1/);
});
