/** The process itself: build, time, memory, and how busy its one event loop is. */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { Counter, type Registry } from "prom-client";
import { pulledGauge, pulledValue } from "./pulled-gauge.ts";

/** The histogram holds the time between ticks, so an idle loop reads as one resolution. */
const resolutionMs = 20;

const pulledCounter = (registry: Registry, name: string, help: string, read: () => number): void => {
  const counter = new Counter({
    name,
    help,
    registers: [registry],
    collect: () => {
      counter.reset();
      counter.inc(read());
    },
  });
};

/** Returns what ends the measuring of the event loop. */
export const exposeProcess = (registry: Registry, { replica, version }: { replica: string; version: string }) => {
  pulledGauge(registry, {
    name: "candor_build_info",
    help: "Always 1; the labels say what is running",
    labelNames: ["version", "node", "replica"],
    read: () => [{ labels: { version, node: process.versions.node, replica }, value: 1 }],
  });
  const startedAt = Date.now() / 1000 - process.uptime();
  pulledValue(registry, "process_start_time_seconds", "Start of the process, seconds since 1970", () => startedAt);
  pulledValue(registry, "process_resident_memory_bytes", "Memory that the process occupies", () =>
    process.memoryUsage.rss(),
  );
  pulledCounter(registry, "process_cpu_seconds_total", "Processor time used, user and system", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  pulledCounter(
    registry,
    "candor_event_loop_active_seconds_total",
    "Time that the event loop was not idle; its rate is the loop's utilisation, 0-1",
    () => performance.eventLoopUtilization().active / 1000,
  );
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  pulledValue(
    registry,
    "candor_event_loop_delay_seconds",
    "Longest time since the last scrape that the event loop was late",
    () => {
      const longest = Math.max(0, delay.max / 1e6 - resolutionMs) / 1000;
      delay.reset();
      return longest;
    },
  );
  return { stop: () => delay.disable() };
};
