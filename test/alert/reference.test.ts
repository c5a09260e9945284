import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { gaps } from "../../src/dialect/carriers.ts";
import { actions } from "../../src/guard/guard.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";
import { type Family, familiesOf } from "./exposition.ts";
import { fiveSubjects, fullMetrics } from "./full-metrics.ts";

const { metrics, world } = fullMetrics(fiveSubjects, ["model-x"]);
metrics.decisions.policies(actions.map((action) => ({ id: `to-${action}`, stage: "request", action })));
metrics.decisions.decided({
  ...{ id: "d", stage: "request", action: "allow", policy: null, asked: [], findings: [] },
  ...{ coverage: "partial", gaps: [...gaps], edits: [], message: null, rerouteTo: null, unavailable: false },
});
afterAll(() => metrics.close());

const codeIn = (cell: string): string[] => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code = ""]) => code);

const documented: Family[] = readFileSync("docs/metrics.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => {
    const [, name = "", type = "", labels = ""] = line.split("|");
    return { name: codeIn(name)[0] ?? "", type: type.trim(), labelNames: codeIn(labels).sort() };
  });

const byName = (one: Family, other: Family): number => (one.name < other.name ? -1 : 1);

for (const [name, provider] of [
  ["chat", "openai"],
  ["chat", "anthropic"],
  ["text_completion", "openai"],
  ["embeddings", "openai"],
] as const) {
  const operation = { name, provider, model: "model-x", tokens: { input: 3, output: 4 } };
  for (const error of [
    null,
    "blocked",
    "client-aborted",
    "upstream-aborted",
    "upstream-error",
    "timeout",
    "404",
    "500",
  ])
    metrics.operations?.operated(operation, { seconds: 1, firstChunkSeconds: 0.2, error });
}

test("docs/metrics.md lists what is exposed, with type and labels, and nothing else", async () => {
  world.ending = 1;
  const interval = { lower: 0.1, estimate: 0.2, upper: 0.3, n: 10 };
  world.verdict = sampleVerdict({
    harmRate: { sinceCalibration: interval, sinceChange: interval },
    canary: {
      questions: [],
      useless: [],
      have: 0,
      need: 0,
      rounds: 0,
      lastP: null,
      seen: 0,
      recent: false,
      last: null,
    },
    replicas: [{ name: "gw-1", rate: interval, evidence: { logEvidence: 0.2, logThreshold: 9.21 } }],
    identity: { rightDeveloper: interval, unread: 0, names: [] },
  });
  const exposed = familiesOf(await metrics.text());
  expect(documented.toSorted(byName)).toEqual(exposed.toSorted(byName));
});

test("docs/metrics.md names every value that a fixed label can have", async () => {
  const text = await metrics.text();
  const page = readFileSync("docs/metrics.md", "utf8");
  const free = new Set([
    "subject",
    "policy",
    "route",
    "source",
    "replica",
    "target",
    "name",
    "version",
    "hash",
    "node",
    "stratum",
    "context",
    "gen_ai_request_model",
    "le",
  ]);
  const fixed = [...text.matchAll(/([a-z_]+)="([^"]*)"/g)].filter(([, label = ""]) => !free.has(label));
  const missing = new Set(fixed.map(([, , value = ""]) => value).filter((value) => !page.includes(`\`${value}\``)));
  expect([...missing]).toEqual([]);
});
