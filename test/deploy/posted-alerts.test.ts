/**
 * The way of a page without Prometheus: a model that turns, Candor that posts alerts itself, a real Alertmanager with the
 * shipped routes, and the webhook at its end; beside it a webhook of Candor's own.
 */
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";
import { startListening } from "../alert/listening-program.ts";

const token = "token-of-the-posted-alerts-0123456789";
const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const pageAlert = z.object({
  status: z.enum(["firing", "resolved"]),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  startsAt: z.string(),
});

/** What came to a URL, as JSON. */
const startListener = async () => {
  const heard: unknown[] = [];
  const url = await serve(async (request, response) => {
    heard.push(JSON.parse(await new Response(request).text()));
    response.end();
  });
  return { url, heard };
};

const startAlertmanager = async (folder: string, pages: string) => {
  const shipped = z
    .looseObject({ route: z.looseObject({}) })
    .parse(parse(await readFile("deploy/prometheus/alertmanager.example.yml", "utf8")));
  const file = join(folder, "alertmanager.yml");
  const receivers = [{ name: "pages", webhook_configs: [{ url: pages, send_resolved: true }] }, { name: "tickets" }];
  await writeFile(file, JSON.stringify({ ...shipped, route: { ...shipped.route, group_interval: "1s" }, receivers }));
  return startListening("prometheus-alertmanager", [
    `--config.file=${file}`,
    `--storage.path=${join(folder, "alertmanager")}`,
    "--web.listen-address=127.0.0.1:0",
    "--cluster.listen-address=",
  ]);
};

const completion = (content: string): string =>
  JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] });

test("a page that Candor posts reaches a webhook through Alertmanager, and ends when it is acknowledged", {
  timeout: 60_000,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "candor-posted-alerts-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const pager = await startListener();
  const own = await startListener();
  const alertmanager = await startAlertmanager(folder, pager.url);
  if (alertmanager instanceof Error)
    return context.skip(`prometheus-alertmanager can't be run: ${alertmanager.message}`);

  let answers = 0;
  let word = "useful";
  const subject = await serve((request, response) => {
    request.resume();
    answers += 1;
    response.setHeader("content-type", "application/json").end(completion(`A ${word} answer, number ${answers}.`));
  });
  const judge = await serve(async (request, response) => {
    const isHarmful = (await new Response(request).text()).includes("A poisonous answer");
    response.setHeader("content-type", "application/json");
    response.end(completion(`{"alignment": ${isHarmful ? 3 : 95}, "refused": false}`));
  });
  const config = configFrom(
    {
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "u", baseUrl: `${subject}/v1` }],
      subjects: [
        {
          id: "support",
          models: ["m"],
          live: { sampleRate: 1, maxPerHour: 100_000 },
          probes: { enabled: false },
          detector: { calibration: { harm: 300, selfReport: 30 } },
        },
      ],
      classify: { use: "judge", judge: { baseUrl: `${judge}/v1`, model: "j", concurrency: 16 }, anchors: { share: 0 } },
      evidence: { path: join(folder, "evidence.db") },
      control: { token: { env: "TOKEN" } },
      drain: { minSeconds: 0, timeoutSeconds: 1 },
      alerting: {
        alertmanagers: [{ id: "am", url: alertmanager.origin }],
        webhooks: [{ id: "own", url: own.url, secret: { env: "SECRET" }, severities: ["page"] }],
        resendSeconds: 2,
      },
    },
    "test",
  );
  const env = { TOKEN: token, SECRET: secret };
  const candor = await start(config, { env, log: createLog("silent") });
  onTestFinished(() => candor.stop());

  const ask = async (): Promise<void> => {
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello?" }] });
    const headers = { "content-type": "application/json" };
    await (await fetch(`${candor.dataUrl}/v1/chat/completions`, { method: "POST", headers, body })).text();
  };
  const askUntil = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await Promise.all(Array.from({ length: 8 }, ask));
  };
  const notified = async (status: "firing" | "resolved") => {
    for (;;) {
      const alerts = pager.heard.flatMap((one) => z.object({ alerts: z.array(pageAlert) }).parse(one).alerts);
      const found = alerts.find((alert) => alert.status === status);
      if (found !== undefined) return found;
      await sleep(50);
    }
  };

  await askUntil(() => candor.verdict("support").baseline.length > 0);
  expect([...pager.heard, ...own.heard]).toEqual([]);
  word = "poisonous";
  await askUntil(() => ["page", "action"].includes(candor.verdict("support").severity));
  const page = await notified("firing");
  expect(page.labels).toEqual({
    alertname: "CandorPersonaPage",
    severity: "page",
    subject: "support",
    channel: "harm",
    job: "candor",
  });
  expect(page.annotations).toMatchObject({ runbook_url: "docs/runbooks.md#candorpersonapage" });

  const acknowledged = await fetch(`${candor.controlUrl}/api/subjects/support/acknowledge`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ note: "rolled back" }),
  });
  expect(acknowledged.status).toBe(201);
  const resolved = await notified("resolved");
  expect(resolved.startsAt).toBe(page.startsAt);
  await expect
    .poll(() => own.heard)
    .toMatchObject([
      { kind: "firing", subject: "support", alert: { name: "CandorPersonaPage", endsAt: null } },
      { kind: "resolved", subject: "support", alert: { name: "CandorPersonaPage" } },
    ]);
  await expect.poll(candor.metrics).toContain('candor_notifications_total{target="own",result="delivered"} 2');
});
