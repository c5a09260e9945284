/** What rules and dashboard are made of must be what a running process says of itself. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { familiesOf } from "../alert/exposition.ts";
import { type Serving, serveCandor } from "../e2e/running-candor.ts";

const promtool = "promtool";

const ruleFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});
const dashboardFile = z.object({
  uid: z.literal("candor-overview"),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string() })).default([]),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
});

const { groups } = ruleFile.parse(parse(readFileSync("deploy/prometheus/rules/candor.rules.yml", "utf8")));
const dashboard = dashboardFile.parse(JSON.parse(readFileSync("deploy/grafana/dashboards/candor.json", "utf8")));

const alerts = groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ of: alert, expr })));
const drawn = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ of: title, expr })));

const folder = mkdtempSync(join(tmpdir(), "candor-exposed-"));
let candor: Serving;
let page: string;

beforeAll(async () => {
  const file = join(folder, "candor.yaml");
  const config = {
    listen: { data: { port: 0 }, control: { port: 0 } },
    upstreams: [{ id: "none", baseUrl: "http://127.0.0.1:9/v1" }],
    subjects: [{ id: "support", models: ["model-x"] }],
    policies: ["policies/secrets.yaml"],
    evidence: { path: join(folder, "evidence.db") },
    alerting: { alertmanagers: [{ id: "am-1", url: "http://127.0.0.1:9" }] },
    drain: { minSeconds: 0, timeoutSeconds: 0 },
  };
  writeFileSync(file, JSON.stringify(config));
  candor = await serveCandor(["--config", file]);
  page = await (await fetch(`${candor.controlUrl}/metrics`)).text();
});
afterAll(async () => {
  await candor.end();
  rmSync(folder, { recursive: true, force: true });
});

/** Names of a histogram's lines are its own name. */
const familyOf = (name: string): string => name.replace(/_(bucket|sum|count)$/, "");

describe("a running process exposes", () => {
  test.each([...alerts, ...drawn])("every metric of $of", ({ expr }) => {
    const exposed = new Set(familiesOf(page).map(({ name }) => name));
    const named = [...expr.matchAll(/\b(?:candor|process)_[a-z_]+\b/g)].map(([name]) => familyOf(name));
    expect(named.filter((name) => !exposed.has(name))).toEqual([]);
    expect(named.length + Number(expr.includes("up{"))).toBeGreaterThan(0);
  });

  test.each([...alerts, ...drawn])("every fixed label value of $of", ({ expr }) => {
    for (const [, name = "", selector = ""] of expr.matchAll(/\b(candor_[a-z_]+)\{([^}]*)\}/g)) {
      for (const [, label = "", value = ""] of selector.matchAll(/([a-z]+)(?:=~|!=|=)"([^"$]+)"/g)) {
        for (const one of value.split("|")) {
          expect(page, `${name}{${label}="${one}"}`).toMatch(new RegExp(`^${name}\\{.*\\b${label}="${one}"`, "m"));
        }
      }
    }
  });

  test("what Prometheus' own lint finds nothing against", (context) => {
    const { error, status, stdout, stderr } = spawnSync(promtool, ["check", "metrics"], {
      input: page,
      encoding: "utf8",
    });
    if (error !== undefined) context.skip(`promtool can't be run: ${error.message}`);
    expect(stdout + stderr).toBe("");
    expect(status).toBe(0);
  });
});

describe("the dashboard", () => {
  test("has expressions that Prometheus can parse", (context) => {
    const rules = drawn.map(({ expr }, index) => ({
      record: `panel:number:${index}`,
      expr: expr.replaceAll("$__rate_interval", "5m").replace(/\$(job|instance|subject)/g, ".+"),
    }));
    const file = join(folder, "panels.json");
    writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
    const { error, status, stdout, stderr } = spawnSync(promtool, ["check", "rules", file], { encoding: "utf8" });
    if (error !== undefined) context.skip(`promtool can't be run: ${error.message}`);
    expect(status, stdout + stderr).toBe(0);
  });

  test("uses only variables that it declares", () => {
    const declared = dashboard.templating.list.map(({ name }) => name);
    const used = drawn.flatMap(({ expr }) => [...expr.matchAll(/\$([a-z]+)\b/g)].map(([, name = ""]) => name));
    expect(declared).toEqual(expect.arrayContaining([...new Set(used)]));
    expect(declared).toContain("datasource");
  });

  test("has panels with ids of their own, none on top of another", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const overlaps = panels.flatMap((one, index) =>
      panels
        .slice(index + 1)
        .filter(
          ({ gridPos: { x, y, w, h } }) =>
            x < one.gridPos.x + one.gridPos.w &&
            one.gridPos.x < x + w &&
            y < one.gridPos.y + one.gridPos.h &&
            one.gridPos.y < y + h,
        )
        .map((other) => `${one.title} and ${other.title}`),
    );
    expect(overlaps).toEqual([]);
  });
});
