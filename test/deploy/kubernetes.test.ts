import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { parseConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { startOpenAiServer } from "../../src/demo/openai-server.ts";
import { loadPolicies } from "../../src/guard/load-policies.ts";
import { mistakesIn } from "./kubernetes-schema.ts";

const folder = "deploy/kubernetes";
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

const objectsIn = (file: string): unknown[] =>
  parseAllDocuments(readFileSync(`${folder}/${file}`, "utf8")).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });

describe("manifests", () => {
  test.each(files)("%s is what Kubernetes' schemas allow", (file) => {
    expect(objectsIn(file).flatMap(mistakesIn)).toEqual([]);
  });

  const deployment = (container: object): object => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "one" },
    spec: {
      selector: { matchLabels: { app: "one" } },
      template: { metadata: { labels: { app: "one" } }, spec: { containers: [{ name: "one", ...container }] } },
    },
  });

  test.each([
    ["a name that is misspelt", deployment({ imagePulPolicy: "Always" }), "containers/0/imagePulPolicy is not a field"],
    ["a field at the wrong place", deployment({ terminationGracePeriodSeconds: 3 }), "is not a field of Deployment"],
    ["a value of the wrong type", deployment({ ports: [{ containerPort: "http" }] }), "containerPort"],
    ["a required field that is missing", { ...deployment({}), spec: {} }, "selector"],
    ["another version of the API", { ...deployment({}), apiVersion: "apps/v2" }, "apiVersion"],
  ])("with %s are refused", (_what, manifest, says) => {
    expect(mistakesIn(manifest).join("\n")).toContain(says);
  });
});

const labels = z.record(z.string(), z.string());
const container = z.object({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).default([]),
  env: z.array(z.object({ name: z.string() })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  securityContext: z.unknown().optional(),
  restartPolicy: z.string().optional(),
  startupProbe: z.unknown().optional(),
  livenessProbe: z.unknown().optional(),
  readinessProbe: z.unknown().optional(),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
});
const deployment = z.object({
  kind: z.literal("Deployment"),
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        automountServiceAccountToken: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        initContainers: z.array(container).default([]),
        containers: z.array(container),
        volumes: z.array(z.object({ name: z.string(), configMap: z.object({ name: z.string() }).optional() })),
      }),
    }),
  }),
});
const configMap = z.object({
  kind: z.literal("ConfigMap"),
  metadata: z.object({ name: z.string() }),
  data: z.record(z.string(), z.string()),
});
const selecting = z.object({
  kind: z.enum(["Service", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"]),
  spec: z.object({ selector: z.unknown(), podSelector: z.unknown() }).partial(),
});

const only = <T>(schema: z.ZodType<T>, objects: readonly unknown[]): T[] =>
  objects.flatMap((object) => {
    const { success, data } = schema.safeParse(object);
    return success ? [data] : [];
  });
const one = <T>(found: readonly T[]): T => {
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`expected one, found ${found.length}`);
  return first;
};

const scratch = mkdtempSync(join(tmpdir(), "candor-manifests-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A ConfigMap as the kubelet mounts it: links to a folder that is itself reached through a link. */
const mounted = (name: string, data: Record<string, string>): string => {
  const path = join(scratch, name);
  mkdirSync(join(path, "..2026"), { recursive: true });
  symlinkSync("..2026", join(path, "..data"));
  for (const [file, text] of Object.entries(data)) {
    writeFileSync(join(path, "..2026", file), text);
    symlinkSync(join("..data", file), join(path, file));
  }
  return path;
};

describe.each(["sidecar-native.yaml", "sidecar-classic.yaml", "gateway.yaml"])("%s", (file) => {
  const objects = objectsIn(file);
  const pod = one(only(deployment, objects)).spec.template;
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  const candor = one(all.filter(({ name }) => name === "candor"));
  const config: Config = parseConfig(one(only(configMap, objects)).data["candor.yaml"] ?? "", file);

  test("gives a drain the time that its configuration says, and 15 seconds more", () => {
    const { minSeconds, timeoutSeconds } = config.drain;
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(minSeconds + timeoutSeconds + 15);
  });

  test("runs every container without privileges, on a root that can't be written", () => {
    expect(pod.spec.automountServiceAccountToken).toBe(false);
    for (const { securityContext } of all) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      });
    }
  });

  test("probes what the control port answers, at the port that is configured", () => {
    const at = (path: string) => ({ httpGet: { path, port: "candor-control" } });
    expect(candor.startupProbe).toMatchObject(at("/startupz"));
    expect(candor.livenessProbe).toMatchObject(at("/livez"));
    expect(candor.readinessProbe).toMatchObject(at("/readyz"));
    const ports = Object.fromEntries(candor.ports.map(({ name, containerPort }) => [name, containerPort]));
    expect(ports["candor-control"]).toBe(config.listen.control.port);
    expect(config.listen.control.host).toBe("0.0.0.0");
    if (file === "gateway.yaml") expect(ports["candor-data"]).toBe(config.listen.data.port);
    else expect(config.listen.data.host).toBe("127.0.0.1");
  });

  test("sets every variable that the configuration names, and keeps evidence on a volume", () => {
    const named = z.object({ env: z.string() }).parse(config.control.token).env;
    expect(candor.env.map(({ name }) => name)).toContain(named);
    const volumes = pod.spec.volumes.map(({ name }) => name);
    expect(volumes).toEqual(expect.arrayContaining(candor.volumeMounts.map(({ name }) => name)));
    const folders = candor.volumeMounts.map(({ mountPath }) => mountPath);
    expect(folders.some((folder) => config.evidence.path.startsWith(`${folder}/`))).toBe(true);
  });

  test("has policies that Candor loads the way the kubelet mounts them", async () => {
    const { metadata, data } = one(only(configMap, objectsIn("policies.yaml")));
    const volume = one(pod.spec.volumes.filter((each) => each.configMap?.name === metadata.name));
    const mount = one(candor.volumeMounts.filter(({ name }) => name === volume.name));
    expect(config.policies).toEqual([mount.mountPath]);
    const loaded = await loadPolicies([mounted(file, data)], { subjects: ["support"], judge: false });
    expect(loaded.map(({ id }) => id)).toContain("secrets-in-requests");
  });

  test("is found by all that selects its pods", () => {
    const selectors = only(selecting, [...objects, ...objectsIn("pod-monitor.yaml")]).map(({ spec }) => {
      const selector = spec.podSelector ?? spec.selector;
      const nested = z.object({ matchLabels: labels }).safeParse(selector);
      return nested.success ? nested.data.matchLabels : labels.parse(selector);
    });
    expect(selectors.length).toBeGreaterThan(1);
    for (const selector of selectors) expect(pod.metadata.labels).toMatchObject(selector);
  });
});

test("the example app asks the model through its base URL, with a key of its own", async () => {
  const heard: string[] = [];
  const model = await startOpenAiServer({
    model: "gpt-4o-mini",
    speaker: {
      say(messages) {
        heard.push(messages.at(-1)?.content ?? "");
        return "Leek.";
      },
    },
  });
  const template = one(only(deployment, objectsIn("sidecar-native.yaml"))).spec.template;
  const app = one(template.spec.containers);
  expect(app.env.map(({ name }) => name).sort()).toEqual(["OPENAI_API_KEY", "OPENAI_BASE_URL"]);
  const [, ...args] = app.command;
  const child = spawn(process.execPath, args, { env: { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "none" } });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  child.kill();
  await model.close();
  expect(line).toMatch(/^200 .*Leek\./);
  expect(heard).toEqual(["Name a vegetable."]);
});

test("a native sidecar starts before the app, and a classic one beside it", () => {
  const podOf = (file: string) => one(only(deployment, objectsIn(file))).spec.template.spec;
  expect(podOf("sidecar-native.yaml").initContainers).toMatchObject([{ name: "candor", restartPolicy: "Always" }]);
  expect(podOf("sidecar-classic.yaml").initContainers).toEqual([]);
  expect(podOf("sidecar-classic.yaml").containers.map(({ name }) => name)).toEqual(["app", "candor"]);
});
