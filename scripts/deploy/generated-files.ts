/** Every generated file of deploy/ by its path from the root, with what is to stand in it. */
import { dashboard } from "./dashboard.ts";
import { valuesSchema } from "./helm-values.ts";
import { chosenPolicies, manifests } from "./manifests.ts";
import { prometheusRule, rulesFile } from "./rule-files.ts";

const chart = "deploy/helm/candor";

export const generatedFiles = (): Map<string, string> =>
  new Map<string, string>([
    ["deploy/prometheus/rules/candor.rules.yml", rulesFile()],
    ["deploy/kubernetes/prometheus-rule.yaml", prometheusRule()],
    ["deploy/grafana/dashboards/candor.json", dashboard()],
    ...manifests(),
    [`${chart}/values.schema.json`, valuesSchema()],
    // Helm reads nothing outside of a chart.
    [`${chart}/files/candor.rules.yml`, rulesFile()],
    ...Object.entries(chosenPolicies()).map(([name, text]) => [`${chart}/files/policies/${name}`, text] as const),
  ]);
