/** The chart, rendered by `go-template.ts` everywhere, and by Helm itself where it is installed. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { candorContainer, gracePeriodSeconds } from "../../scripts/deploy/candor-container.ts";
import { helmValues } from "../../scripts/deploy/helm-values.ts";
import { parseConfig } from "../../src/config/load.ts";
import { createChart, merged } from "./go-template.ts";
import { mistakesIn } from "./kubernetes-schema.ts";

const helm = "helm";
const folder = "deploy/helm/candor";
const filesBelow = (path: string): Map<string, string> =>
  new Map(
    readdirSync(`${folder}/${path}`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
      .sort()
      .map((file) => [file.slice(folder.length + 1), readFileSync(file, "utf8")]),
  );

const templates = filesBelow("templates");
const defaults: unknown = parse(readFileSync(`${folder}/values.yaml`, "utf8"));
const { appVersion } = z.object({ appVersion: z.string() }).parse(parse(readFileSync(`${folder}/Chart.yaml`, "utf8")));
const chart = createChart(templates.values(), filesBelow("files"));

const scopeFor = (values: object) => ({
  Values: merged(defaults, values),
  Chart: { AppVersion: appVersion },
  Release: { Namespace: "default" },
});

const objectsIn = (text: string): unknown[] =>
  parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`${document.errors[0]?.message}\n${text}`);
    return document.contents === null ? [] : [document.toJS()];
  });

const rendered = (values: object = {}): unknown[] =>
  [...templates]
    .filter(([path]) => path.endsWith(".yaml"))
    .flatMap(([, source]) => objectsIn(chart.render(source, scopeFor(values))));

const kindsOf = (objects: readonly unknown[]): string[] =>
  objects.map((object) => z.object({ kind: z.string() }).parse(object).kind).sort();

const find = <T>(schema: z.ZodType<T>, objects: readonly unknown[]): T => {
  for (const object of objects) {
    const { success, data } = schema.safeParse(object);
    if (success) return data;
  }
  throw new Error("it was not rendered");
};

const everything = { podMonitor: { enabled: true }, prometheusRule: { enabled: true } };
const deployment = z.object({
  kind: z.literal("Deployment"),
  spec: z.looseObject({
    replicas: z.number().optional(),
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
      spec: z.looseObject({ terminationGracePeriodSeconds: z.number(), containers: z.array(z.looseObject({})) }),
    }),
  }),
});
const configOf = z.object({
  kind: z.literal("ConfigMap"),
  metadata: z.object({ name: z.literal("candor") }),
  data: z.object({ "candor.yaml": z.string() }),
});

describe("the chart", () => {
  test("has values that its own schema allows", () => {
    expect(helmValues.safeParse(defaults).error).toBeUndefined();
    const schema = z.fromJSONSchema(JSON.parse(readFileSync(`${folder}/values.schema.json`, "utf8")));
    expect(schema.safeParse(defaults).error).toBeUndefined();
  });

  test.each([
    ["a misspelt value", { gatway: { enabled: true } }, "gatway"],
    ["a mistake in Candor's configuration", { config: { upstreams: [{ id: "Main" }] } }, "config"],
    ["a digest that is none", { image: { digest: "latest" } }, "digest"],
  ])("refuses %s", (_what, values, says) => {
    const schema = z.fromJSONSchema(JSON.parse(readFileSync(`${folder}/values.schema.json`, "utf8")));
    expect(JSON.stringify(schema.safeParse(merged(defaults, values)).error?.issues)).toContain(says);
  });

  test.each([
    [
      "as it comes",
      {},
      ["ConfigMap", "ConfigMap", "Deployment", "NetworkPolicy", "Pod", "PodDisruptionBudget", "Service"],
    ],
    ["for sidecars only", { gateway: { enabled: false } }, ["ConfigMap", "ConfigMap"]],
    [
      "with as many replicas as the load asks for",
      { gateway: { autoscaling: { enabled: true } } },
      [
        "ConfigMap",
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "Pod",
        "PodDisruptionBudget",
        "Service",
      ],
    ],
    [
      "with monitoring, a node selector and tolerations",
      {
        ...everything,
        gateway: { nodeSelector: { pool: "llm" }, tolerations: [{ key: "llm", operator: "Exists" }] },
        extraEnv: [{ name: "JUDGE_KEY", valueFrom: { secretKeyRef: { name: "judge", key: "key" } } }],
        networkPolicy: { enabled: false },
        persistence: { existingClaim: "evidence" },
      },
      ["ConfigMap", "ConfigMap", "Deployment", "Pod", "PodDisruptionBudget", "PodMonitor", "PrometheusRule", "Service"],
    ],
  ])("%s renders what Kubernetes' schemas allow", (_what, values, kinds) => {
    const objects = rendered(values);
    expect(kindsOf(objects)).toEqual(kinds);
    expect(objects.flatMap(mistakesIn)).toEqual([]);
  });

  test("runs the container of the plain manifests", () => {
    const { template } = find(deployment, rendered()).spec;
    const { imagePullPolicy, ...container } = template.spec.containers[0] ?? {};
    expect(container).toEqual(candorContainer({ dataPort: true }));
    expect(imagePullPolicy).toBe("IfNotPresent");
    expect(template.spec.terminationGracePeriodSeconds).toBe(gracePeriodSeconds);
  });

  test("gives apps' own charts a sidecar of the same container", () => {
    const scope = scopeFor({ gateway: { enabled: false } });
    const [sidecar] = z.array(z.looseObject({})).parse(parse(chart.named("candor.sidecar", scope)));
    const { imagePullPolicy: _, restartPolicy, ...container } = sidecar ?? {};
    expect(restartPolicy).toBe("Always");
    expect(container).toEqual(candorContainer({ dataPort: false }));
  });

  test("gives Candor a configuration that it accepts, and pods that follow its changes", () => {
    const changed = { config: { drain: { minSeconds: 10, timeoutSeconds: 120 } } };
    const config = parseConfig(find(configOf, rendered(changed)).data["candor.yaml"], "the chart's configuration");
    expect(config.drain).toEqual({ minSeconds: 10, timeoutSeconds: 120, replacedSeconds: 3_600 });
    const [before, after] = [find(deployment, rendered()), find(deployment, rendered(changed))].map(
      ({ spec }) => spec.template,
    );
    expect(after?.spec.terminationGracePeriodSeconds).toBe(145);
    expect(after?.metadata.annotations["checksum/config"]).not.toBe(before?.metadata.annotations["checksum/config"]);
  });

  test("with a claim keeps the gateway's evidence on it, and has one writer", () => {
    const { spec } = find(deployment, rendered({ persistence: { existingClaim: "evidence" } }));
    expect(spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    expect(spec.template.spec.volumes).toContainEqual({
      name: "candor-data",
      persistentVolumeClaim: { claimName: "evidence" },
    });
  });

  test("leaves the number of replicas to the autoscaler, unless the log has one writer", () => {
    const autoscaling = { enabled: true, minReplicas: 3, maxReplicas: 9 };
    const objects = rendered({ gateway: { autoscaling } });
    expect(find(deployment, objects).spec).not.toHaveProperty("replicas");
    const scaler = find(
      z.looseObject({ kind: z.literal("HorizontalPodAutoscaler"), spec: z.looseObject({}) }),
      objects,
    );
    expect(scaler.spec).toMatchObject({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "candor-gateway" },
      minReplicas: 3,
      maxReplicas: 9,
    });
    const claimed = rendered({ gateway: { autoscaling }, persistence: { existingClaim: "evidence" } });
    expect(kindsOf(claimed)).not.toContain("HorizontalPodAutoscaler");
    expect(find(deployment, claimed).spec.replicas).toBe(1);
    expect(find(deployment, rendered()).spec.replicas).toBe(2);
  });

  test("prefers an image's digest to its tag", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const { containers } = find(deployment, rendered({ image: { repository: "registry.example/candor", digest } })).spec
      .template.spec;
    expect(containers[0]?.image).toBe(`registry.example/candor@${digest}`);
  });

  test("leads alerts to the runbooks where they can be read", () => {
    const base = "https://wiki.example/candor/";
    const text = JSON.stringify(rendered(merged(everything, { prometheusRule: { runbookBase: base } }) as object));
    expect(text).toContain(`"runbook_url":"${base}docs/runbooks.md#candorpersonapage"`);
    expect(text).not.toContain('"runbook_url":"docs/');
  });

  test("is rendered alike by Helm itself", (context) => {
    const { error, status, stdout, stderr } = spawnSync(
      helm,
      ["template", "candor", folder, "--set", "podMonitor.enabled=true,prometheusRule.enabled=true"],
      { encoding: "utf8" },
    );
    if (error !== undefined) context.skip(`helm can't be run: ${error.message}`);
    expect(status, stderr).toBe(0);
    const objects = objectsIn(stdout);
    expect(objects.flatMap(mistakesIn)).toEqual([]);
    expect(kindsOf(objects)).toEqual(kindsOf(rendered(everything)));
  });
});

describe("the stand-in for Helm", () => {
  const render = (source: string, scope: object = {}): string => createChart([source], new Map()).render(source, scope);

  test.each([
    ["a field", "a {{ .x.y }} b", { x: { y: 3 } }, "a 3 b"],
    ["trimming", "a \n {{- .x -}} \n b", { x: 1 }, "a1b"],
    ["a branch", "{{ if .x }}one{{ else if .y }}two{{ else }}three{{ end }}", { x: false, y: 1 }, "two"],
    ["a condition of two", "{{ if and .x .y }}both{{ else }}not{{ end }}", { x: 1, y: "" }, "not"],
    ["a changed dot", "{{ with .x }}{{ .y }}{{ end }}{{ with .z }}no{{ end }}", { x: { y: "in" }, z: {} }, "in"],
    ["a pipeline", '{{ .x | default "none" | printf "%s-%s" "is" }}', { x: "" }, "is-none"],
    ["an indented block", "a:{{ toYaml .x | nindent 2 }}", { x: { b: 1, c: [2] } }, "a:\n  b: 1\n  c:\n    - 2"],
  ])("renders %s", (_what, source, scope, text) => {
    expect(render(source, scope)).toBe(text);
  });

  test.each([
    ["a field that is not there", "{{ .x.y }}", "nothing is called"],
    ["an unknown function", "{{ lookup .x }}", "no function"],
    ["a loop", "{{ range .x }}{{ end }}", "not known here"],
    ["a block that is not ended", "{{ if .x }}", "ends before"],
  ])("refuses %s", (_what, source, says) => {
    expect(() => render(source, { x: {} })).toThrow(says);
  });
});
