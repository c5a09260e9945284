/** The process itself: build, time, memory, and how busy its one event loop is. */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Registry } from "prom-client";
import { alone, pulledCounter, pulledGauge } from "./pulled-metric.ts";

/** The histogram holds the time between ticks, so an idle loop reads as one resolution. */
const resolutionMs = 20;

/** Returns what ends the measuring of the event loop. */
export const exposeProcess = (registry: Registry, { replica, version }: { replica: string; version: string }) => {
  pulledGauge(registry, {
    name: "candor_build_info",
    help: "Always 1; the labels say what is running",
    labelNames: ["version", "node", "replica"],
    read: () => [{ labels: { version, node: process.versions.node, replica }, value: 1 }],
  });
  const startedAt = Date.now() / 1000 - process.uptime();
  pulledGauge(registry, {
    name: "process_start_time_seconds",
    help: "Start of the process, seconds since 1970",
    labelNames: [],
    read: alone(() => startedAt),
  });
  pulledGauge(registry, {
    name: "process_resident_memory_bytes",
    help: "Memory that the process occupies",
    labelNames: [],
    read: alone(() => process.memoryUsage.rss()),
  });
  pulledCounter(registry, {
    name: "process_cpu_seconds_total",
    help: "Processor time used, user and system",
    labelNames: [],
    read: alone(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
  });
  pulledCounter(registry, {
    name: "candor_event_loop_active_seconds_total",
    help: "Time that the event loop was not idle; its rate is the loop's utilisation, 0-1",
    labelNames: [],
    read: alone(() => performance.eventLoopUtilization().active / 1000),
  });
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  pulledGauge(registry, {
    name: "candor_event_loop_delay_seconds",
    help: "Longest time since the last scrape that the event loop was late",
    labelNames: [],
    read: alone(() => {
      const longest = Math.max(0, delay.max / 1e6 - resolutionMs) / 1000;
      delay.reset();
      return longest;
    }),
  });
  return { stop: () => delay.disable() };
};
