/**
 * Holds manifests to Kubernetes' own JSON schemas, in their compiled form. Those let unknown fields pass, so a field
 * that the schema never looks at is reported here, as a strict API server would.
 */
import { PodMonitor, PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { ConfigMap, Pod, Service } from "kubernetes-models/v1";
import { z } from "zod";

const models = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  Service,
};

const resource = z.looseObject({
  apiVersion: z.string(),
  kind: z.enum(Object.keys(models) as (keyof typeof models)[]),
  metadata: z.looseObject({ name: z.string() }),
});

/** The same value, which notes each of its fields that somebody reads. */
const watchedReads = (value: unknown, path: string, read: Set<string>): unknown => {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, key, receiver) {
      const found: unknown = Reflect.get(target, key, receiver);
      if (typeof key === "symbol" || (Array.isArray(target) && !/^\d+$/.test(key))) return found;
      const below = `${path}/${key}`;
      read.add(below);
      return watchedReads(found, below, read);
    },
  });
};

const pathsIn = (value: unknown, path = ""): string[] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, below]) => [`${path}/${key}`, ...pathsIn(below, `${path}/${key}`)]);

/** What is wrong with a manifest, in words; empty when nothing is. */
export const mistakesIn = (manifest: unknown): string[] => {
  const parsed = resource.safeParse(manifest);
  if (!parsed.success) return [z.prettifyError(parsed.error)];
  const read = new Set<string>();
  try {
    // A model of its own would be a copy, and making it would read everything.
    models[parsed.data.kind].prototype.validate.call(watchedReads(parsed.data, "", read));
  } catch (error) {
    return [String(error)];
  }
  return pathsIn(parsed.data)
    .filter((path) => !read.has(path))
    .map((path) => `${path} is not a field of ${parsed.data.kind}`);
};
