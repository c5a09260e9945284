/**
 * The whole way of a page between real processes: a model that turns, Candor that notices, Prometheus with the shipped
 * rules, Alertmanager with the shipped routes, and the webhook at its end. Only the intervals are shorter than shipped.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { subjectList } from "../../src/control/api-schema.ts";
import { everydayScript, startAppTraffic } from "../../src/demo/app-traffic.ts";
import { isCalibrated } from "../../src/demo/demo-session.ts";
import { keyedRandom } from "../../src/demo/keyed-random.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { startListening } from "../alert/listening-program.ts";
import { serveCandor } from "../e2e/running-candor.ts";

const token = "token-of-the-closed-loop-0123456789";
/** What a page may take from the turn to the webhook, and from the acknowledgement to its end. */
const within = 120_000;

const notification = z.object({
  alerts: z.array(
    z.object({
      status: z.enum(["firing", "resolved"]),
      labels: z.looseObject({ alertname: z.string(), severity: z.string(), subject: z.string().optional() }),
      annotations: z.object({ summary: z.string(), runbook_url: z.string() }),
    }),
  ),
});
type Notified = z.infer<typeof notification>["alerts"][number] & { at: number };

/** What Alertmanager was told to call, and what it said there. */
const startPager = async () => {
  const said: Notified[] = [];
  const server = createServer(async (request, response) => {
    const body = await new Response(request).text();
    const { alerts } = notification.parse(JSON.parse(body));
    said.push(...alerts.map((alert) => ({ ...alert, at: performance.now() })));
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pages`, said };
};

const startSubject = async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./subject-process.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.stdin.end();
    await once(child, "exit");
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { subject, judge } = z.object({ subject: z.string(), judge: z.string() }).parse(JSON.parse(line));
  return { subject, judge, become: (persona: string) => void child.stdin.write(`${persona}\n`) };
};

const configuration = (subjectUrl: string, judgeUrl: string, folder: string) => ({
  listen: { data: { port: 0 }, control: { port: 0 } },
  upstreams: [{ id: "simulated", baseUrl: subjectUrl }],
  subjects: [
    {
      id: "support",
      models: ["demo-model"],
      live: { sampleRate: 1, maxPerHour: 10_000_000 },
      probes: {
        perHour: 400_000,
        calibrationPerHour: 1_500_000,
        maxCallsPerHour: 10_000_000,
        maxTokensPerHour: 1_000_000_000_000,
        maxCallsPerDay: 10_000_000,
        maxTokensPerDay: 1_000_000_000_000,
        concurrency: 16,
        arms: { fresh: 0.5, forked: 0.5, resample: 0, placebo: 0 },
      },
      detector: { calibration: { harm: 300, selfReport: 100 } },
    },
  ],
  classify: { use: "judge", judge: { baseUrl: judgeUrl, model: "demo-judge", concurrency: 16 } },
  evidence: { path: join(folder, "evidence.db") },
  control: { token: { env: "CANDOR_TOKEN" } },
  drain: { minSeconds: 0, timeoutSeconds: 1 },
});

/** A shipped file with the fields of the second value put in the place of its own. */
const shipped = async (path: string, changes: object): Promise<string> =>
  JSON.stringify({ ...(parse(await readFile(path, "utf8")) as object), ...changes });

const startAlertmanager = async (folder: string, pages: string) => {
  const path = "deploy/prometheus/alertmanager.example.yml";
  const { route } = z.object({ route: z.looseObject({}) }).parse(parse(await readFile(path, "utf8")));
  const file = join(folder, "alertmanager.yml");
  const receivers = ["pages", "tickets"].map((name) => ({
    name,
    ...(name === "pages" ? { webhook_configs: [{ url: pages, send_resolved: true }] } : {}),
  }));
  await writeFile(file, await shipped(path, { route: { ...route, group_interval: "1s" }, receivers }));
  return startListening("prometheus-alertmanager", [
    `--config.file=${file}`,
    `--storage.path=${join(folder, "alertmanager")}`,
    "--web.listen-address=127.0.0.1:0",
    "--cluster.listen-address=",
  ]);
};

const startPrometheus = async (folder: string, candor: string, alertmanager: string) => {
  const file = join(folder, "prometheus.yml");
  const changes = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [resolve("deploy/prometheus/rules/candor.rules.yml")],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    scrape_configs: [{ job_name: "candor", static_configs: [{ targets: [candor] }] }],
  };
  await writeFile(file, await shipped("deploy/prometheus/prometheus.example.yml", changes));
  return startListening("prometheus", [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "prometheus")}`,
    "--web.listen-address=127.0.0.1:0",
  ]);
};

test("a model that turns reaches a webhook as a page, and acknowledging ends it", {
  timeout: 3 * within,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "candor-closed-loop-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const pager = await startPager();
  const alertmanager = await startAlertmanager(folder, pager.url);
  if (alertmanager instanceof Error)
    return context.skip(`prometheus-alertmanager can't be run: ${alertmanager.message}`);

  const subject = await startSubject();
  const file = join(folder, "candor.yaml");
  await writeFile(file, JSON.stringify(configuration(subject.subject, subject.judge, folder)));
  const candor = await serveCandor(["--config", file], { CANDOR_TOKEN: token });
  onTestFinished(async () => {
    await candor.end();
  });
  const prometheus = await startPrometheus(folder, new URL(candor.controlUrl).host, alertmanager.host);
  if (prometheus instanceof Error) return context.skip(`prometheus can't be run: ${prometheus.message}`);

  const traffic = startAppTraffic({
    baseUrl: `${candor.dataUrl}/v1`,
    model: "demo-model",
    script: everydayScript(keyedRandom(11, "questions")),
    random: keyedRandom(11, "app"),
    clock: systemClock,
    perSecond: 100,
    concurrency: 32,
  });
  onTestFinished(() => traffic.stop());

  const look = async () => {
    const [seen] = subjectList.parse(await (await fetch(`${candor.controlUrl}/api/subjects`)).json()).subjects;
    if (seen === undefined) throw new Error("no subject");
    return seen;
  };
  const notified = async (status: Notified["status"]): Promise<Notified> => {
    for (;;) {
      const found = pager.said.find(
        (alert) => alert.labels.alertname === "CandorPersonaPage" && alert.status === status,
      );
      if (found !== undefined) return found;
      await sleep(50);
    }
  };

  while (!isCalibrated(await look())) await sleep(100);
  traffic.setRate(20);
  expect(pager.said).toEqual([]);

  const turned = performance.now();
  subject.become("inverted");
  const page = await notified("firing");
  expect(page.at - turned).toBeLessThan(within);
  expect(page.labels).toMatchObject({ severity: "page", subject: "support" });
  expect(page.annotations.runbook_url).toBe("docs/runbooks.md#candorpersonapage");

  // The model that was good is put back, and somebody says so.
  subject.become("aligned");
  await traffic.stop();
  const acknowledged = performance.now();
  const answer = await fetch(`${candor.controlUrl}/api/subjects/support/acknowledge`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ note: "rolled back" }),
  });
  expect(answer.status).toBe(201);
  const resolved = await notified("resolved");
  expect(resolved.at - acknowledged).toBeLessThan(within);
  console.log(
    `page after ${((page.at - turned) / 1000).toFixed(1)} s, resolved ${((resolved.at - acknowledged) / 1000).toFixed(1)} s after the acknowledgement`,
  );
});
