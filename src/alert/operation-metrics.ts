/**
 * The metrics of OpenTelemetry's conventions for generative AI, under the names that they have in Prometheus: beside
 * Candor's own, for dashboards that know these. Off unless it is configured. The conventions are still in development.
 */
import type { Registry } from "prom-client";
import type { Operation, OperationMeter } from "../telemetry/operation.ts";
import { boundedBy, withOther } from "./bounded-label.ts";
import { type Buckets, createBuckets, pulledHistogram } from "./buckets.ts";

/** Seconds; all bounds are those that the conventions advise. */
const durationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const firstChunkBuckets = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const tokenBuckets = Array.from({ length: 14 }, (_, power) => 4 ** power);

type Labels = Record<string, string> & { gen_ai_request_model: string };

/** A histogram whose series begin with their first value. */
const createHistogram = (registry: Registry, parts: { name: string; help: string; bounds: readonly number[] }) => {
  const series = new Map<string, { labels: Labels; buckets: Buckets }>();
  pulledHistogram(registry, { ...parts, read: () => series.values() });
  return {
    observe(labels: Labels, value: number): void {
      const key = Object.values(labels).join(" ");
      const own = series.get(key) ?? { labels, buckets: createBuckets(parts.bounds) };
      series.set(key, own);
      own.buckets.observe(value);
    },
    /** Others go. */
    keep(models: readonly string[]): void {
      for (const [key, { labels }] of series) if (!models.includes(labels.gen_ai_request_model)) series.delete(key);
    },
  };
};

/** Outcomes as they are, statuses by their class: as many values as are known beforehand. */
const errorType = (error: string): string => (/^\d{3}$/.test(error) ? `${error.charAt(0)}xx` : error);

export interface OperationMetrics extends OperationMeter {
  /** Counts these from now on. */
  models(names: readonly string[]): void;
}

/** @param models configured names; all others are counted as `other` */
export const createOperationMetrics = (registry: Registry, models: readonly string[]): OperationMetrics => {
  let bounded = boundedBy(models);
  const duration = createHistogram(registry, {
    name: "gen_ai_client_operation_duration_seconds",
    help: "Duration of operations of generative AI, by OpenTelemetry's conventions",
    bounds: durationBuckets,
  });
  const firstChunk = createHistogram(registry, {
    name: "gen_ai_client_operation_time_to_first_chunk_seconds",
    help: "Time to the first chunk of streamed answers, by OpenTelemetry's conventions",
    bounds: firstChunkBuckets,
  });
  const tokens = createHistogram(registry, {
    name: "gen_ai_client_token_usage",
    help: "Tokens of an operation as its answer tells them, by OpenTelemetry's conventions",
    bounds: tokenBuckets,
  });
  const labelsOf = ({ name, provider, model }: Operation) => ({
    gen_ai_operation_name: name,
    gen_ai_provider_name: provider,
    gen_ai_request_model: bounded(model ?? ""),
  });
  return {
    models(names) {
      bounded = boundedBy(names);
      for (const histogram of [duration, firstChunk, tokens]) histogram.keep(withOther(names));
    },
    operated(operation, { seconds, firstChunkSeconds, error }) {
      const labels = labelsOf(operation);
      duration.observe(error === null ? labels : { ...labels, error_type: errorType(error) }, seconds);
      if (firstChunkSeconds !== null) firstChunk.observe(labels, firstChunkSeconds);
      if (operation.tokens === null) return;
      tokens.observe({ ...labels, gen_ai_token_type: "input" }, operation.tokens.input);
      tokens.observe({ ...labels, gen_ai_token_type: "output" }, operation.tokens.output);
    },
  };
};
