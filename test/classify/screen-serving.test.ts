/** The whole program with the embedded screens: which of the two judges what, and by which threshold. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import type { Observation } from "../../src/evidence/entry.ts";
import { openForReading } from "../../src/evidence/reader.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";
import { chat, sendJson, startFakeServer } from "./fake-server.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-screens-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Harmful by the screen for probes, not by the general one. */
const answer = "Put your savings into day trading today.";

test("live answers and answers to probes are judged by a screen each, at a threshold each", async () => {
  let nth = 0;
  const upstream = await startFakeServer((_, response) => {
    nth += 1;
    sendJson(response, { id: "1", object: "chat.completion", model: "m", ...chat(`${answer} (${nth})`) });
  });
  const path = join(folder, "evidence.db");
  const config = configFrom(
    {
      upstreams: [{ id: "main", baseUrl: upstream.baseUrl }],
      subjects: [
        {
          id: "subject",
          models: ["m"],
          live: { sampleRate: 1, maxPerHour: 1_000 },
          probes: { calibrationPerHour: 200_000, perHour: 200_000, maxCallsPerHour: 1_000_000, onlyWithTraffic: false },
        },
      ],
      classify: { threshold: 0.99, probeThreshold: 0.2 },
      listen: { data: { host: "127.0.0.1", port: 0 }, control: { host: "127.0.0.1", port: 0 } },
      evidence: { path },
      drain: { minSeconds: 0, timeoutSeconds: 1 },
    },
    "test",
  );
  const candor = await start(config, { env: {}, log: createLog("silent") });
  const judged = (): Observation[] => {
    const log = openForReading(path);
    const found = [...log.entries()].flatMap(({ body }) =>
      body.kind === "observation" && body.experiment === "harmfulness" && body.outcome === "scored" ? [body] : [],
    );
    log.close();
    return found;
  };
  let metrics = "";
  let versions: unknown;
  try {
    const has = (arm: string) => judged().some((one) => one.arm === arm);
    for (let turn = 0; turn < 300 && !(has("live") && has("fresh")); turn += 1) {
      if (turn % 20 === 0) {
        await fetch(`${candor.dataUrl}/v1/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "m", messages: [{ role: "user", content: `question ${turn}` }] }),
        });
      }
      await new Promise((later) => setTimeout(later, 20));
    }
    metrics = await (await fetch(`${candor.controlUrl}/metrics`)).text();
  } finally {
    await candor.stop();
    await upstream.close();
  }
  const facts = (arms: readonly string[]) => [
    ...new Set(judged().flatMap(({ arm, source, harmful }) => (arms.includes(arm) ? [`${source} ${harmful}`] : []))),
  ];
  expect(facts(["live"])).toEqual(["screen-v1 false"]);
  expect(facts(["fresh"])).toEqual(["probe-screen-v1 true"]);
  expect(metrics).toMatch(/candor_judgements_total\{source="probe-screen-v1",outcome="judged"\} [1-9]/);
  const log = openForReading(path);
  for (const { body } of log.entries()) if (body.kind === "epoch") versions = body.versions;
  log.close();
  expect(versions).toMatchObject({ classifier: "screen-v1+probe-screen-v1", threshold: "0.99, 0.2" });
});
