/** What became of the live answers that were drawn for judging. A busy app can have each of them skipped, so counting is cheap. */
import type { Registry } from "prom-client";
import { type Observation, observation } from "../evidence/entry.ts";
import { type SkipReason, skipReasons, type WatchMeter } from "../watch/watch-meter.ts";
import { keepSeries } from "./kept-series.ts";
import { pulledCounter } from "./pulled-metric.ts";

/** Counts by subject and kind, both from the configuration, so there is nothing to bound here. */
const createTally = <K extends string>(subjects: readonly string[], kinds: readonly K[]) => {
  const counts = new Map<string, Map<K, number>>();
  const keep = (ids: readonly string[]): void => keepSeries(counts, ids, () => new Map(kinds.map((kind) => [kind, 0])));
  keep(subjects);
  return {
    keep,
    count(subject: string, kind: K): void {
      const own = counts.get(subject);
      own?.set(kind, (own.get(kind) ?? 0) + 1);
    },
    all: () => [...counts].flatMap(([subject, own]) => [...own].map(([kind, value]) => ({ subject, kind, value }))),
  };
};

export interface LiveMetrics extends WatchMeter {
  /** Counts these from now on. */
  subjects(ids: readonly string[]): void;
}

export const createLiveMetrics = (registry: Registry, subjects: readonly string[]): LiveMetrics => {
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
    read: () =>
      skipped
        .all()
        // Happens around a change of the configuration alone.
        .filter(({ kind, value }) => kind !== "superseded" || value > 0)
        .map(({ subject, kind, value }) => ({ labels: { subject, reason: kind }, value })),
  });
  return {
    observed: observed.count,
    skipped: skipped.count,
    subjects(ids) {
      observed.keep(ids);
      skipped.keep(ids);
    },
  };
};
