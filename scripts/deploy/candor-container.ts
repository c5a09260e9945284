/** Candor as a container of a pod: the same in every manifest. Needs no privilege, no writable root and no shell. */

export const image = "candor:0.1.0";
export const ports = { data: 8080, control: 9090 };
export const uid = 65532;

/** Seconds. Pods are given what a drain may take, and 15 more for the last rows of evidence. */
export const drain = { minSeconds: 5, timeoutSeconds: 60 };
export const gracePeriodSeconds = drain.minSeconds + drain.timeoutSeconds + 15;

const probe = (path: string, settings: object) => ({ httpGet: { path, port: "candor-control" }, ...settings });

export const containerSecurity = {
  runAsNonRoot: true,
  runAsUser: uid,
  runAsGroup: uid,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

const folders = { config: "/etc/candor", policies: "/etc/candor-policies", data: "/data", scratch: "/tmp" };

/** `dataPort`: whether other pods call it; a sidecar is called over the loopback only. */
export const candorContainer = ({ dataPort }: { dataPort: boolean }) => ({
  name: "candor",
  image,
  env: [
    // Three quarters of the memory limit; the rest is buffers and code.
    { name: "NODE_OPTIONS", value: "--max-old-space-size=384" },
    { name: "CANDOR_TOKEN", valueFrom: { secretKeyRef: { name: "candor", key: "token" } } },
  ],
  ports: [
    ...(dataPort ? [{ name: "candor-data", containerPort: ports.data }] : []),
    { name: "candor-control", containerPort: ports.control },
  ],
  startupProbe: probe("/startupz", { periodSeconds: 1, failureThreshold: 60 }),
  livenessProbe: probe("/livez", { periodSeconds: 10, timeoutSeconds: 5 }),
  readinessProbe: probe("/readyz", { periodSeconds: 5, timeoutSeconds: 2 }),
  // No limit on processor time: being throttled would stall every exchange.
  resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
  securityContext: containerSecurity,
  volumeMounts: [
    { name: "candor-config", mountPath: folders.config, readOnly: true },
    { name: "candor-policies", mountPath: folders.policies, readOnly: true },
    { name: "candor-data", mountPath: folders.data },
    { name: "candor-scratch", mountPath: folders.scratch },
  ],
});

/** Evidence in an emptyDir lasts as long as its pod. */
export const candorVolumes = (configMap: string) => [
  { name: "candor-config", configMap: { name: configMap } },
  { name: "candor-policies", configMap: { name: "candor-policies" } },
  { name: "candor-data", emptyDir: { sizeLimit: "1Gi" } },
  { name: "candor-scratch", emptyDir: { sizeLimit: "64Mi" } },
];

/** Of which address the data port is, and where the model is. The rest is the same for all. */
export const candorConfig = (dataHost: string): string => `upstreams:
  - id: main
    baseUrl: https://api.openai.com/v1  # callers' own keys pass through
subjects:
  - id: support
    models: [gpt-4o-mini]               # as the app sends it
policies: [${folders.policies}]
listen:
  data: { host: ${dataHost} }
  control: { host: 0.0.0.0 }            # the kubelet and Prometheus call it by the pod's address
evidence: { path: ${folders.data}/candor.db }
control: { token: { env: CANDOR_TOKEN } }
drain: { minSeconds: ${drain.minSeconds}, timeoutSeconds: ${drain.timeoutSeconds} }
`;
