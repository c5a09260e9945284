/** Kubernetes manifests: Candor beside an app in two ways, or as a gateway for many, and what belongs to them. */
import { readFileSync } from "node:fs";
import {
  candorConfig,
  candorContainer,
  candorVolumes,
  containerSecurity,
  gracePeriodSeconds,
  image,
  ports,
  uid,
} from "./candor-container.ts";
import { yamlText } from "./yaml-text.ts";

const written = (comment: readonly string[], ...objects: readonly object[]): string =>
  yamlText({ comment: [...comment, made] }, ...objects);

const made = "Made by scripts/write-deploy.ts from scripts/deploy/manifests.ts. Explained in docs/deploy.md.";

/** What a PodMonitor and a network policy find Candor's pods by. */
const watched = { "candor-metrics": "scraped" };
const monitoring = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } };

const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

/** Asks the model something every half minute, through Candor, with the key of its own Secret. */
const exampleApp = `
const ask = async () => {
  const answer = await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
    method: "POST",
    headers: { authorization: "Bearer " + process.env.OPENAI_API_KEY, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "Name a vegetable." }] }),
  });
  console.log(answer.status, await answer.text());
};
const askAnyway = () => ask().catch((error) => console.log(String(error)));
askAnyway();
setInterval(askAnyway, 30_000);
`.trimStart();

const appContainer = {
  name: "app",
  image,
  command: ["node", "-e", exampleApp],
  env: [
    { name: "OPENAI_BASE_URL", value: `http://127.0.0.1:${ports.data}/v1` },
    { name: "OPENAI_API_KEY", valueFrom: { secretKeyRef: { name: "openai", key: "key" } } },
  ],
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } },
  securityContext: containerSecurity,
};

const appLabels = { "app.kubernetes.io/name": "example-app" };

const appDeployment = (containers: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "example-app", labels: appLabels },
  spec: {
    replicas: 1,
    selector: { matchLabels: appLabels },
    template: {
      metadata: { labels: { ...appLabels, ...watched } },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: gracePeriodSeconds,
        ...containers,
        volumes: candorVolumes("candor-sidecar"),
      },
    },
  },
});

/** Nobody but Prometheus reaches the control port; the example app itself serves nothing. */
const appNetworkPolicy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "example-app" },
  spec: {
    podSelector: { matchLabels: appLabels },
    policyTypes: ["Ingress"],
    ingress: [{ from: [monitoring], ports: [{ port: ports.control }] }],
  },
};

const sidecarConfig = configMap("candor-sidecar", { "candor.yaml": candorConfig("127.0.0.1") });

const nativeSidecar = (): string =>
  written(
    [
      "Candor beside an app, as a native sidecar (Kubernetes 1.29 or newer): it is ready before the app starts and is ended",
      "after the app has ended. The app calls http://127.0.0.1:8080/v1.",
      "Needs policies.yaml, and: kubectl create secret generic candor --from-literal=token=...",
    ],
    sidecarConfig,
    appDeployment({
      initContainers: [{ ...candorContainer({ dataPort: false }), restartPolicy: "Always" }],
      containers: [appContainer],
    }),
    appNetworkPolicy,
  );

const classicSidecar = (): string =>
  written(
    [
      "The same for clusters without native sidecars. Candor is told to end at the same time as the app, so it takes new",
      "requests for drain.minSeconds more; the app must retry its first calls, because Candor may start after it.",
      "Needs policies.yaml, and: kubectl create secret generic candor --from-literal=token=...",
    ],
    sidecarConfig,
    appDeployment({ containers: [appContainer, candorContainer({ dataPort: false })] }),
    appNetworkPolicy,
  );

const gatewayLabels = { "app.kubernetes.io/name": "candor-gateway" };
const gatewayMetadata = { name: "candor-gateway", labels: gatewayLabels };

const gateway = (): string =>
  written(
    [
      "Candor as a gateway for several apps, which call http://candor-gateway:8080/v1 from namespaces with the label",
      "candor-client=allowed. Each replica watches on its own: it learns its own baseline and asks its own probes.",
      "Needs policies.yaml, and: kubectl create secret generic candor --from-literal=token=...",
    ],
    configMap("candor-gateway", { "candor.yaml": candorConfig("0.0.0.0") }),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: gatewayMetadata,
      spec: { selector: gatewayLabels, ports: [{ name: "http", port: ports.data, targetPort: "candor-data" }] },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: gatewayMetadata,
      spec: {
        replicas: 2,
        // A replica that goes takes its evidence along: never two at once.
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: gatewayLabels },
        template: {
          metadata: { labels: { ...gatewayLabels, ...watched } },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: gracePeriodSeconds,
            securityContext: { fsGroup: uid },
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: gatewayLabels },
              },
            ],
            containers: [candorContainer({ dataPort: true })],
            volumes: candorVolumes("candor-gateway"),
          },
        },
      },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: gatewayMetadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: gatewayLabels } },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: gatewayMetadata,
      spec: {
        podSelector: { matchLabels: gatewayLabels },
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          {
            from: [{ namespaceSelector: { matchLabels: { "candor-client": "allowed" } } }],
            ports: [{ port: ports.data }],
          },
          { from: [monitoring], ports: [{ port: ports.control }] },
        ],
        egress: [
          {
            to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
            ports: [
              { port: 53, protocol: "UDP" },
              { port: 53, protocol: "TCP" },
            ],
          },
          // Models and judges out there, and nothing in here: not the cloud's metadata service, not other pods.
          {
            to: [
              {
                ipBlock: {
                  cidr: "0.0.0.0/0",
                  except: ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
                },
              },
            ],
            ports: [{ port: 443, protocol: "TCP" }],
          },
        ],
      },
    },
  );

/** A sidecar has no Service of its own, so pods are monitored, whether Candor is their only container or not. */
const podMonitor = (): string =>
  written(
    ["Has the Prometheus operator scrape every Candor, sidecars too. The alerts look for the job name `candor`."],
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PodMonitor",
      metadata: { name: "candor" },
      spec: {
        selector: { matchLabels: watched },
        podMetricsEndpoints: [
          { port: "candor-control", path: "/metrics", relabelings: [{ targetLabel: "job", replacement: "candor" }] },
        ],
      },
    },
  );

/** What is in force unless somebody chooses otherwise, by file name. The image has the others in /candor/policies. */
export const chosenPolicies = (): Record<string, string> => ({
  "secrets.yaml": readFileSync(new URL("../../policies/secrets.yaml", import.meta.url), "utf8"),
});

const policies = (): string =>
  written(
    ["The policies that Candor reads, one file of those that it comes with. Put your own beside it."],
    configMap("candor-policies", chosenPolicies()),
  );

/** By path from the root. */
export const manifests = (): [path: string, text: string][] => [
  ["deploy/kubernetes/sidecar-native.yaml", nativeSidecar()],
  ["deploy/kubernetes/sidecar-classic.yaml", classicSidecar()],
  ["deploy/kubernetes/gateway.yaml", gateway()],
  ["deploy/kubernetes/policies.yaml", policies()],
  ["deploy/kubernetes/pod-monitor.yaml", podMonitor()],
];
