/** Whether what runs is what the files say. */
import type { Registry } from "prom-client";
import type { Clock } from "../kernel/clock.ts";
import { alone, pulledCounter, pulledGauge } from "./pulled-metric.ts";

/** Each is read for itself: one that can be used says nothing about the other. */
type Reloaded = "configuration" | "policies";

export interface ReloadMeter {
  succeeded(what: Reloaded): void;
  failed(what: Reloaded): void;
  /** The configuration has changed in parts that are read at the start alone. */
  restartNeeded(needed: boolean): void;
}

export const createReloadMetrics = (registry: Registry, clock: Pick<Clock, "now">): ReloadMeter => {
  const counts = { success: 0, failure: 0 };
  const unusable = new Set<Reloaded>();
  let goodSince = clock.now();
  let needsRestart = false;
  pulledCounter(registry, {
    name: "candor_config_reloads_total",
    help: "Changes of the configuration or the policies that were read while running, by whether they could be used",
    labelNames: ["result"],
    read: () => Object.entries(counts).map(([result, value]) => ({ labels: { result }, value })),
  });
  pulledGauge(registry, {
    name: "candor_config_last_reload_successful",
    help: "0 while what is in the files could not be used, and what was read before is in force",
    labelNames: [],
    read: alone(() => Number(unusable.size === 0)),
  });
  pulledGauge(registry, {
    name: "candor_config_last_reload_success_timestamp_seconds",
    help: "When the configuration or the policies were last read and used, seconds since 1970",
    labelNames: [],
    read: alone(() => goodSince / 1000),
  });
  pulledGauge(registry, {
    name: "candor_config_restart_needed",
    help: "1 when the configuration has changed in parts that are read at the start alone",
    labelNames: [],
    read: alone(() => Number(needsRestart)),
  });
  return {
    succeeded(what) {
      counts.success += 1;
      unusable.delete(what);
      goodSince = clock.now();
    },
    failed(what) {
      counts.failure += 1;
      unusable.add(what);
    },
    restartNeeded(needed) {
      needsRestart = needed;
    },
  };
};
