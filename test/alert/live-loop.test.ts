/** The whole way of an alarm on real parts: verdict, control port, scrape, rule. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { run } from "../control/running-control.ts";
import { sampleVerdict, withEvidence } from "../control/sample-verdict.ts";
import { fullMetrics } from "./full-metrics.ts";
import { startListening } from "./listening-program.ts";

const alertsAnswer = z.object({
  data: z.object({
    alerts: z.array(
      z.object({
        state: z.string(),
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()),
      }),
    ),
  }),
});

const configuration = (target: string): string =>
  JSON.stringify({
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [resolve("deploy/prometheus/rules/candor.rules.yml")],
    scrape_configs: [{ job_name: "candor", static_configs: [{ targets: [target] }] }],
  });

/** Base URL of a Prometheus that scrapes `target`, or why there is none. Ended with the test. */
const startPrometheus = async (target: string): Promise<URL | Error> => {
  const folder = await mkdtemp(join(tmpdir(), "candor-prometheus-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "prometheus.yml");
  await writeFile(file, configuration(target));
  return startListening("prometheus", [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    "--web.listen-address=127.0.0.1:0",
  ]);
};

test("a page reaches a real Prometheus, and goes when it is acknowledged", { timeout: 60_000 }, async (context) => {
  const { metrics, world } = fullMetrics(["support"]);
  const { control, port } = await run([], { metrics });
  onTestFinished(async () => {
    await control.close();
    metrics.close();
  });
  const prometheus = await startPrometheus(`127.0.0.1:${port}`);
  if (prometheus instanceof Error) return context.skip(`prometheus can't be run: ${prometheus.message}`);

  const pages = async () => {
    const response = await fetch(new URL("/api/v1/alerts", prometheus));
    const { alerts } = alertsAnswer.parse(await response.json()).data;
    return alerts.filter(({ labels }) => labels.alertname === "CandorPersonaPage");
  };
  const until = async (count: number) => {
    for (;;) {
      const found = await pages();
      if (found.length === count) return found;
      await sleep(100);
    }
  };

  expect(await pages()).toEqual([]);
  world.verdict = sampleVerdict({ severity: "page", persona: "inverted", evidence: withEvidence("harm", 12.5) });
  const [page] = await until(1);
  expect(page).toMatchObject({ state: "firing", labels: { subject: "support", severity: "page", channel: "harm" } });
  expect(page?.annotations.description).toContain("is 12.5 (natural logarithm)");
  expect(page?.annotations.description).toContain("Persona: inverted.");

  world.verdict = sampleVerdict();
  await until(0);
});
