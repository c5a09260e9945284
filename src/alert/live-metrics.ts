/** What became of the live answers that were drawn for judging. */
import { Counter, type Registry } from "prom-client";
import { observation } from "../evidence/entry.ts";
import { skipReasons, type WatchMeter } from "../watch/watch-meter.ts";

export const createLiveMetrics = (registry: Registry, subjects: readonly string[]): WatchMeter => {
  const observed = new Counter({
    name: "candor_live_answers_observed_total",
    help: "Live answers that became observations, by how judging them ended",
    labelNames: ["subject", "outcome"],
    registers: [registry],
  });
  const skipped = new Counter({
    name: "candor_live_answers_skipped_total",
    help: "Live answers that were drawn for judging and not judged, by reason",
    labelNames: ["subject", "reason"],
    registers: [registry],
  });
  for (const subject of subjects) {
    for (const outcome of observation.shape.outcome.options) observed.inc({ subject, outcome }, 0);
    for (const reason of skipReasons) skipped.inc({ subject, reason }, 0);
  }
  // Subjects come from the configuration on both sides, so there is nothing to bound here.
  return {
    observed: (subject, outcome) => observed.inc({ subject, outcome }),
    skipped: (subject, reason) => skipped.inc({ subject, reason }),
  };
};
