/** Whether what runs is what the files say. */
import type { Registry } from "prom-client";
import type { Clock } from "../kernel/clock.ts";
import { alone, pulledCounter, pulledGauge } from "./pulled-metric.ts";

export interface ReloadMeter {
  /** @param hash of the configuration that is in force now, and of what it names */
  inForce(hash: string): void;
  /** Another one than that of the start is in force, or the same was found to be good again. */
  succeeded(): void;
  failed(): void;
  /** The configuration has changed in parts that are read at the start alone. */
  restartNeeded(needed: boolean): void;
}

/** @param ending how many configurations that were replaced something still runs under */
export const createReloadMetrics = (
  registry: Registry,
  clock: Pick<Clock, "now">,
  ending: () => number,
): ReloadMeter => {
  const counts = { success: 0, failure: 0 };
  let isUsable = true;
  let hash = "";
  let goodSince = clock.now();
  let needsRestart = false;
  pulledGauge(registry, {
    name: "candor_config_info",
    help: "Always 1; the label tells one configuration, with its policies and probe sets, from another",
    labelNames: ["hash"],
    read: () => (hash === "" ? [] : [{ labels: { hash }, value: 1 }]),
  });
  pulledGauge(registry, {
    name: "candor_config_ending",
    help: "Configurations that were replaced and under which something still runs; absent while there is none",
    labelNames: [],
    read: () => (ending() === 0 ? [] : [{ labels: {}, value: ending() }]),
  });
  pulledCounter(registry, {
    name: "candor_config_reloads_total",
    help: "Changes of the configuration or of files that it names that were read while running, by whether they could be used",
    labelNames: ["result"],
    read: () => Object.entries(counts).map(([result, value]) => ({ labels: { result }, value })),
  });
  pulledGauge(registry, {
    name: "candor_config_last_reload_successful",
    help: "0 while what is in the files could not be used, and what was read before is in force",
    labelNames: [],
    read: alone(() => Number(isUsable)),
  });
  pulledGauge(registry, {
    name: "candor_config_last_reload_success_timestamp_seconds",
    help: "When the configuration was last read and used, seconds since 1970",
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
    inForce(of) {
      hash = of;
    },
    succeeded() {
      counts.success += 1;
      isUsable = true;
      goodSince = clock.now();
    },
    failed() {
      counts.failure += 1;
      isUsable = false;
    },
    restartNeeded(needed) {
      needsRestart = needed;
    },
  };
};
