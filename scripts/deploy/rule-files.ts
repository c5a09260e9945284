/** The alerts as Prometheus reads them: a plain rules file, and the same as a resource of the Prometheus operator. */
import type { YAMLMap } from "yaml";
import { type Alert, alertGroups } from "./alerts.ts";
import { yamlText } from "./yaml-text.ts";

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

/** A blank line between rules, and a rule's reason as a comment above it. */
const adorn = (map: YAMLMap, first: boolean): void => {
  const name = map.get("alert");
  if (typeof name !== "string") return;
  map.spaceBefore = !first;
  const note = notes.get(name);
  if (note !== undefined) map.commentBefore = ` ${note}`;
};

const made = "Made by scripts/write-deploy.ts from scripts/deploy/alerts.ts: change it there.";

export const rulesFile = (): string =>
  yamlText(
    {
      comment: [
        "Alerts on what Candor exposes. Valid on Prometheus 2.42 and 3.x.",
        made,
        "The persona alerts compare evidence with its threshold and nothing else: the detector's guarantee holds at every",
        "moment, so a `for:` would only delay them, and averaging over time would break it.",
      ],
      adorn,
    },
    { groups: ruleGroups() },
  );

export const prometheusRule = (): string =>
  yamlText(
    { comment: ["The alerts of deploy/prometheus/rules for the Prometheus operator.", made], adorn },
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: { name: "candor", labels: { "app.kubernetes.io/name": "candor" } },
      spec: { groups: ruleGroups() },
    },
  );
