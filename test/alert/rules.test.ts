import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { familiesOf } from "./exposition.ts";
import { fullMetrics } from "./full-metrics.ts";

const folder = "deploy/prometheus";
const read = (path: string): string => readFileSync(path, "utf8");

const ruleFile = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(["page", "ticket"]) }),
          annotations: z.object({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
        }),
      ),
    }),
  ),
});

const { groups } = ruleFile.parse(parse(read(`${folder}/rules/candor.rules.yml`)));
const alerts = groups.flatMap(({ rules }) => rules);
const runbooks = read("docs/runbooks.md");

const ruleTests = z
  .object({
    tests: z.array(
      z.object({
        alert_rule_test: z.array(
          z.object({ eval_time: z.string(), alertname: z.string(), exp_alerts: z.array(z.unknown()) }),
        ),
      }),
    ),
  })
  .parse(parse(read(`${folder}/rules/candor.rules.test.yml`)));

/** Of `90s`, `15m`, `1h`. */
const seconds = (time: string): number =>
  Number.parseInt(time, 10) * (time.endsWith("h") ? 3600 : time.endsWith("m") ? 60 : 1);

const { metrics } = fullMetrics();
afterAll(() => metrics.close());

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");

describe("every alert", () => {
  test.each(alerts)("$alert is named, explained and leads to a runbook that exists", ({ alert, annotations }) => {
    expect(alert).toMatch(/^Candor([A-Z][a-z]+)+$/);
    const anchors = [...runbooks.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
    expect(annotations.runbook_url).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
    expect(anchors).toContain(alert.toLowerCase());
  });

  test.each(alerts)("$alert reads only metrics that are exposed", async ({ expr }) => {
    const exposed = familiesOf(await metrics.text()).map(({ name }) => name);
    const read = [...expr.matchAll(/\b(?:candor|process)_[a-z_]+\b/g)].map(([name]) => name);
    expect(read.filter((name) => !exposed.includes(name))).toEqual([]);
  });

  test.each(alerts)("$alert selects only label values that are exposed", async ({ expr }) => {
    const text = await metrics.text();
    for (const [, name = "", selector = ""] of expr.matchAll(/\b(candor_[a-z_]+)\{([^}]*)\}/g)) {
      for (const [, label = "", operator, value = ""] of selector.matchAll(/([a-z]+)(=~|!=|=)"([^"]*)"/g)) {
        for (const one of operator === "=~" ? value.split("|") : [value]) {
          expect(text, `${name}{${label}="${one}"}`).toMatch(new RegExp(`^${name}\\{.*\\b${label}="${one}"`, "m"));
        }
      }
    }
  });

  test.each(alerts)("$alert does not average, smooth or delay evidence", ({ expr, for: delay }) => {
    if (!expr.includes("candor_evidence_log")) return;
    expect(delay).toBeUndefined();
    expect(expr).not.toMatch(/_over_time|rate\(|increase\(|delta\(|deriv\(|avg|\[/);
  });

  test.each(alerts)("$alert has a test in which it is silent, fires, and then resolves", ({ alert }) => {
    const told = ruleTests.tests.map(({ alert_rule_test }) =>
      alert_rule_test
        .filter(({ alertname }) => alertname === alert)
        .toSorted((one, other) => seconds(one.eval_time) - seconds(other.eval_time))
        .map(({ exp_alerts }) => (exp_alerts.length > 0 ? "fires" : "silent"))
        .join(" "),
    );
    expect(told).toContainEqual(expect.stringMatching(/^silent\b.*\bfires\b.*\bsilent$/));
  });
});

describe("the Prometheus tools accept", () => {
  test.for([
    ["the rules", "promtool check rules rules/candor.rules.yml"],
    ["that every alert fires and resolves", "promtool test rules rules/candor.rules.test.yml"],
    ["the example configuration", "promtool check config prometheus.example.yml"],
    ["the example of an Alertmanager", "amtool check-config alertmanager.example.yml"],
    [
      "that pages reach whoever is on call",
      "amtool config routes test --config.file=alertmanager.example.yml --verify.receivers=pages severity=page subject=support",
    ],
    [
      "that tickets reach the queue",
      "amtool config routes test --config.file=alertmanager.example.yml --verify.receivers=tickets severity=ticket",
    ],
  ] as const)("%s (%s)", ([, command], context) => {
    const [tool = "", ...args] = command.split(" ");
    const { error, status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: "utf8" });
    if (error !== undefined) context.skip(`${tool} can't be run: ${error.message}`);
    expect(status, `${stdout}${stderr}`).toBe(0);
  });
});
