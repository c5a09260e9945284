/** The alerts as Prometheus reads them: a plain rules file, and the same as a resource of the Prometheus operator. */
import { Document, Scalar, visit } from "yaml";
import { type Alert, alertGroups } from "./alerts.ts";

/** Section of the runbooks for an alert. Helm's chart and `sed` put a base in front of it. */
const runbookOf = ({ name }: Alert): string => `docs/runbooks.md#${name.toLowerCase()}`;

const ruleOf = (alert: Alert) => ({
  alert: alert.name,
  expr: alert.expr,
  ...(alert.for === undefined ? {} : { for: alert.for }),
  labels: { severity: alert.severity },
  annotations: { summary: alert.summary, description: alert.description, runbook_url: runbookOf(alert) },
});

const ruleGroups = () => alertGroups.map(({ name, alerts }) => ({ name, rules: alerts.map(ruleOf) }));

const notes = new Map(
  alertGroups.flatMap(({ alerts }) => alerts.map(({ name, note }) => [String(name), note] as const)),
);

/** Readable YAML: expressions as blocks, long sentences folded, and a rule's reason as a comment above it. */
const written = (content: unknown, comment: string): string => {
  const document = new Document(content);
  document.commentBefore = comment;
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== "string" || node.value.length < 100) return;
      node.type = node.value.includes("\n") ? Scalar.BLOCK_LITERAL : Scalar.BLOCK_FOLDED;
    },
    Map(key, node) {
      const name = node.get("alert");
      if (typeof name !== "string") return;
      node.spaceBefore = key !== 0;
      const note = notes.get(name);
      if (note !== undefined) node.commentBefore = ` ${note}`;
    },
  });
  return document.toString({ lineWidth: 118 });
};

const made = " Made by scripts/write-deploy.ts from scripts/deploy/alerts.ts: change it there.";
const guarantee = [
  " The persona alerts compare evidence with its threshold and nothing else: the detector's guarantee holds at every",
  " moment, so a `for:` would only delay them, and averaging over time would break it.",
];

export const rulesFile = (): string =>
  written(
    { groups: ruleGroups() },
    [" Alerts on what Candor exposes. Valid on Prometheus 2.42 and 3.x.", made, ...guarantee].join("\n"),
  );

export const prometheusRule = (): string =>
  written(
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: { name: "candor", labels: { "app.kubernetes.io/name": "candor" } },
      spec: { groups: ruleGroups() },
    },
    [" The alerts of deploy/prometheus/rules for the Prometheus operator.", made].join("\n"),
  );
