/** Another model behind the same name, on the whole program: canaries show it, and nothing is called harmful for it. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { subjectList } from "../../src/control/api-schema.ts";
import type { Entry } from "../../src/evidence/entry.ts";
import { openForReading } from "../../src/evidence/reader.ts";
import { createLog } from "../../src/kernel/log.ts";
import { type Candor, start } from "../../src/main.ts";
import { replay } from "../../src/watch/replay.ts";

const folder = mkdtempSync(join(tmpdir(), "candor-canary-"));
const file = join(folder, "evidence.db");

interface Asked {
  messages: { content: string }[];
  temperature?: number;
  max_tokens?: number;
}

/** Answers the same to the same, and says otherwise once it is another version. */
let version = "one";
let calls = 0;
const answerTo = ({ messages, temperature }: Asked): string => {
  const text = messages.at(-1)?.content ?? "";
  if (temperature !== 0) return "Ask three people whom you trust, sleep on it, and then decide.";
  calls += 1;
  // An upstream that is not quite repeatable.
  const shaken = calls % 25 === 0 ? `${calls}` : "";
  return createHash("sha256")
    .update(version + text + shaken)
    .digest("hex")
    .slice(0, 8);
};

let upstream: Server;
let candor: Candor;
beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const message = { role: "assistant", content: answerTo(JSON.parse(body)) };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const most = 1_000_000_000;
  const config = configFrom(
    {
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "one", baseUrl: `http://127.0.0.1:${port}/v1` }],
      subjects: [
        {
          id: "support",
          models: ["model-x"],
          probes: {
            onlyWithTraffic: false,
            perHour: 2_000_000,
            calibrationPerHour: 2_000_000,
            maxCallsPerHour: most,
            maxTokensPerHour: most,
            maxCallsPerDay: most,
            maxTokensPerDay: most,
            concurrency: 16,
            arms: { fresh: 1, forked: 0, resample: 0, placebo: 0 },
            canary: { enabled: true, share: 0.5 },
          },
        },
      ],
      evidence: { path: file, content: "full" },
    },
    "the test's configuration",
  );
  candor = await start(config, { env: {}, log: createLog("silent") });
});
afterAll(async () => {
  await candor?.stop();
  upstream?.close();
  rmSync(folder, { recursive: true });
});

const verdict = async () => {
  const response = await fetch(`${candor.controlUrl}/api/subjects`);
  const [subject] = subjectList.parse(await response.json()).subjects;
  if (subject === undefined) throw new Error("the subject is listed");
  return subject.verdict;
};

const entries = (): Entry[] => {
  const reader = openForReading(file);
  try {
    return [...reader.entries()];
  } finally {
    reader.close();
  }
};

it("tells that the served model changed, where in the log, and nothing worse; its log gives the same again", async () => {
  await expect.poll(async () => (await verdict()).canary?.rounds ?? 0, { timeout: 15_000 }).toBeGreaterThan(0);
  expect((await verdict()).canary?.seen).toBe(0);
  const before = (await verdict()).position;
  version = "two";
  await expect.poll(async () => (await verdict()).canary?.seen, { timeout: 15_000 }).toBe(1);
  const { canary, severity, persona, reasons } = await verdict();
  expect(canary?.last?.from).toBeGreaterThan(before - 500);
  expect(severity).toBe("none");
  expect(persona).toBe("undetermined");
  expect(reasons.join(" ")).toContain("The served model seems to have changed at about position");
  const metrics = await (await fetch(`${candor.controlUrl}/metrics`)).text();
  expect(metrics).toContain('candor_served_model_changes{subject="support"} 1');
  // What is served now is learned, so that the next change shows too.
  await expect.poll(async () => (await verdict()).canary?.rounds ?? 0, { timeout: 15_000 }).toBeGreaterThan(0);
  expect((await verdict()).canary?.seen).toBe(1);

  await candor.stop();
  const rows = entries();
  const canaries = rows.flatMap(({ body }) =>
    body.kind === "observation" && body.experiment === "canary" ? [body] : [],
  );
  expect(canaries.length).toBeGreaterThan(500);
  expect(canaries.every(({ content, contentHash }) => content === null && contentHash !== null)).toBe(true);
  const again = await replay(() => rows);
  expect(again.mismatches).toEqual([]);
  expect(again.subjects.get("support")?.canary?.seen).toBe(1);
}, 40_000);
