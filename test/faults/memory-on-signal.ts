/** Loaded before Candor in tests: on SIGUSR2 it collects garbage and logs what is left. Changes nothing else. */
import { readdirSync } from "node:fs";

process.on("SIGUSR2", () => {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  // The folder that is being read is open itself.
  const descriptors = readdirSync("/proc/self/fd").length - 1;
  process.stderr.write(`${JSON.stringify({ msg: "memory", heapUsed, rss, descriptors })}\n`);
});
