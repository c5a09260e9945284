/** Every generated file of deploy/ by its path from the root, with what is to stand in it. */
import { dashboard } from "./dashboard.ts";
import { manifests } from "./manifests.ts";
import { prometheusRule, rulesFile } from "./rule-files.ts";

export const generatedFiles = (): Map<string, string> =>
  new Map([
    ["deploy/prometheus/rules/candor.rules.yml", rulesFile()],
    ["deploy/kubernetes/prometheus-rule.yaml", prometheusRule()],
    ["deploy/grafana/dashboards/candor.json", dashboard()],
    ...manifests(),
  ]);
