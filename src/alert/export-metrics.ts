/** What became of what was exported to an OTLP receiver. */
import type { Registry } from "prom-client";
import { type ExportMeter, exportResults, signals } from "../telemetry/exporting.ts";
import { pulledCounter } from "./pulled-metric.ts";

export const createExportMetrics = (registry: Registry): ExportMeter => {
  const counts = new Map(signals.map((signal) => [signal, new Map(exportResults.map((result) => [result, 0]))]));
  pulledCounter(registry, {
    name: "candor_telemetry_items_total",
    help: "Spans and metric families for an OTLP receiver, by whether it took them",
    labelNames: ["signal", "result"],
    *read() {
      for (const [signal, results] of counts) {
        for (const [result, value] of results) yield { labels: { signal, result }, value };
      }
    },
  });
  return {
    counted(signal, result, items) {
      const results = counts.get(signal);
      results?.set(result, (results.get(result) ?? 0) + items);
    },
  };
};
