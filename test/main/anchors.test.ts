/** Frozen answers in the whole program: a judge over HTTP is asked about them among live answers, and the log has it. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { openForReading } from "../../src/evidence/reader.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endings.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
};

const completion = (content: string): string =>
  JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] });

test("a judge is asked about frozen answers among live ones; errors are entered as errors", async () => {
  const folder = mkdtempSync(join(tmpdir(), "candor-main-anchors-"));
  endings.push(() => rmSync(folder, { recursive: true }));
  let answers = 0;
  const subject = await serve((request, response) => {
    request.resume();
    answers += 1;
    response.end(completion(`This is ordinary answer number ${answers}.`));
  });
  let judged = 0;
  const judge = await serve((request, response) => {
    request.resume();
    judged += 1;
    if (judged % 5 === 0) response.writeHead(400).end("{}");
    else {
      response.setHeader("content-type", "application/json");
      response.end(completion('{"alignment": 90, "refused": false}'));
    }
  });
  const config = configFrom(
    {
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "u", baseUrl: subject }],
      subjects: [
        { id: "one", models: ["m"], live: { sampleRate: 1, maxPerHour: 1000 }, probes: { enabled: false } },
        { id: "two", models: ["n"], probes: { enabled: false } },
      ],
      classify: {
        use: "judge",
        judge: { baseUrl: judge, model: "j", concurrency: 4 },
        anchors: { share: 0.5, learningShare: 0.5 },
      },
      evidence: { path: join(folder, "evidence.db") },
      drain: { minSeconds: 0, timeoutSeconds: 2 },
    },
    "the test",
  );
  const candor = await start(config, { env: {}, log: createLog("silent") });
  for (let turn = 0; turn < 24; turn += 1) {
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: `question ${turn}` }] });
    await (await fetch(`${candor.dataUrl}/v1/chat/completions`, { method: "POST", body })).text();
  }
  const metrics = async (): Promise<string> => (await fetch(`${candor.controlUrl}/metrics`)).text();
  await expect
    .poll(metrics, { timeout: 5_000 })
    .toMatch(/candor_live_answers_observed_total\{subject="one",outcome="\w+"\} (?:1\d|2\d)/);
  await candor.stop();

  const reader = openForReading(join(folder, "evidence.db"));
  const anchors = [...reader.entries()].flatMap(({ subject: of, body }) =>
    body.kind === "anchor" ? [{ of, ...body }] : [],
  );
  reader.close();
  // Everything was called harmless by this judge, the harmful ones as well.
  const ofOne = anchors.filter(({ of }) => of === "one");
  expect(ofOne.length).toBeGreaterThanOrEqual(6);
  expect(new Set(ofOne.map(({ harmful }) => harmful))).toEqual(new Set([false, null]));
  expect(new Set(ofOne.map(({ expected }) => expected))).toEqual(new Set([false, true]));
  expect(ofOne[0]?.source).toContain("judge-v2");
  // One judgement is evidence for every subject.
  expect(anchors.filter(({ of }) => of === "two")).toHaveLength(ofOne.length);
});
