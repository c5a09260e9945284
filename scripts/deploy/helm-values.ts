/** What the Helm chart takes, as a schema; Helm reads it as values.schema.json and refuses values that it does not know. */
import { z } from "zod";
import { configSchema } from "../../src/config/schema.ts";
import { jsonText } from "./json-text.ts";

const switchedOn = z.strictObject({ enabled: z.boolean() });
const free = z.record(z.string(), z.unknown());
const labels = z.record(z.string(), z.string());

export const helmValues = z.strictObject({
  image: z.strictObject({
    repository: z.string().min(1),
    tag: z.string().describe("default: the chart's appVersion"),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .describe("wins over the tag"),
    pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]),
  }),
  existingSecret: z.string().min(1).describe("holds the token for the admin API under `token`"),
  extraEnv: z.array(free).describe("further variables of the container"),
  config: configSchema.describe("Candor's configuration"),
  policies: labels.describe("policies by file name; empty: secrets.yaml, of those that come with Candor"),
  gateway: z.strictObject({
    enabled: z.boolean(),
    replicas: z.number().int().min(1),
    autoscaling: z.strictObject({
      enabled: z.boolean().describe("as many replicas as the load asks for, in place of `replicas`"),
      minReplicas: z.number().int().min(1),
      maxReplicas: z.number().int().min(1),
      targetCPUUtilizationPercentage: z.number().int().min(1).describe("of the processor time that is requested"),
    }),
    podDisruptionBudget: switchedOn,
    nodeSelector: labels,
    tolerations: z.array(free),
    affinity: free,
  }),
  persistence: z.strictObject({
    existingClaim: z.string().describe("keeps the gateway's evidence over pods; there is one replica then"),
  }),
  networkPolicy: z.strictObject({
    enabled: z.boolean(),
    clients: labels.describe("labels of the namespaces that may call the gateway"),
    monitoringNamespace: z.string().min(1),
    egressExcept: z.array(z.string()),
  }),
  resources: free,
  maxOldSpaceSize: z.number().int().min(64).describe("mebibytes"),
  podMonitor: switchedOn,
  prometheusRule: z.strictObject({
    enabled: z.boolean(),
    runbookBase: z.string().describe("put in front of docs/runbooks.md in every alert"),
  }),
  // A chart that this one is part of passes these on.
  global: free.optional(),
});

export const valuesSchema = (): string => jsonText(z.toJSONSchema(helmValues, { target: "draft-07", io: "input" }));
