/**
 * Loaded before Candor in tests: on SIGUSR2 it collects garbage and logs what is left, and how late the event loop was
 * since the last time, in milliseconds. Changes nothing else, and is plain JavaScript, as reading types takes memory.
 */
import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const resolution = 1;
const delay = monitorEventLoopDelay({ resolution });
delay.enable();

process.on("SIGUSR2", () => {
  const late = { p999: delay.percentile(99.9) / 1e6 - resolution, longest: delay.max / 1e6 - resolution };
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  // The folder that is being read is open itself.
  const descriptors = readdirSync("/proc/self/fd").length - 1;
  process.stderr.write(`${JSON.stringify({ msg: "memory", heapUsed, arrayBuffers, rss, descriptors, late })}\n`);
  delay.reset();
});
