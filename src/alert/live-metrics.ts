/** What became of the live answers that were drawn for judging. A busy app can have each of them skipped, so counting is cheap. */
import type { Registry } from "prom-client";
import { type Observation, observation } from "../evidence/entry.ts";
import { type SkipReason, skipReasons, type WatchMeter } from "../watch/watch-meter.ts";
import { pulledCounter } from "./pulled-metric.ts";

/** Counts by subject and kind, both from the configuration, so there is nothing to bound here. */
const createTally = <K extends string>(subjects: readonly string[], kinds: readonly K[]) => {
  const counts = new Map(subjects.map((subject) => [subject, new Map(kinds.map((kind) => [kind, 0]))]));
  return {
    count(subject: string, kind: K): void {
      const own = counts.get(subject);
      own?.set(kind, (own.get(kind) ?? 0) + 1);
    },
    all: () => [...counts].flatMap(([subject, own]) => [...own].map(([kind, value]) => ({ subject, kind, value }))),
  };
};

export const createLiveMetrics = (registry: Registry, subjects: readonly string[]): WatchMeter => {
  const observed = createTally<Observation["outcome"]>(subjects, observation.shape.outcome.options);
  const skipped = createTally<SkipReason>(subjects, skipReasons);
  pulledCounter(registry, {
    name: "candor_live_answers_observed_total",
    help: "Live answers that became observations, by how judging them ended",
    labelNames: ["subject", "outcome"],
    read: () => observed.all().map(({ subject, kind, value }) => ({ labels: { subject, outcome: kind }, value })),
  });
  pulledCounter(registry, {
    name: "candor_live_answers_skipped_total",
    help: "Live answers that were drawn for judging and not judged, by reason",
    labelNames: ["subject", "reason"],
    read: () => skipped.all().map(({ subject, kind, value }) => ({ labels: { subject, reason: kind }, value })),
  });
  return { observed: observed.count, skipped: skipped.count };
};
