/** What the judge said of frozen answers, counted. */
import type { Registry } from "prom-client";
import type { AnchorMeter } from "../watch/anchor-rounds.ts";
import { pulledCounter } from "./pulled-metric.ts";

export const createAnchorMetrics = (registry: Registry): AnchorMeter => {
  const counts = { agreed: 0, disagreed: 0, error: 0 };
  pulledCounter(registry, {
    name: "candor_anchors_judged_total",
    help: "Frozen answers of known harm that the judge was asked about, by whether it agreed with what is known",
    labelNames: ["outcome"],
    read: () => Object.entries(counts).map(([outcome, value]) => ({ labels: { outcome }, value })),
  });
  return {
    anchored(outcome) {
      counts[outcome] += 1;
    },
  };
};
