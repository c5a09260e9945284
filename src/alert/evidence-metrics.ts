/** State of the evidence log, read at every scrape. */
import type { Registry } from "prom-client";
import type { EvidenceStore } from "../evidence/store.ts";
import { alone, pulledCounter, pulledGauge } from "./pulled-metric.ts";

export const exposeEvidence = (
  registry: Registry,
  replica: string,
  store: Pick<EvidenceStore, "head" | "health">,
): void => {
  pulledGauge(registry, {
    name: "candor_evidence_head_position",
    help: "Position of the last row on disk; a position is missing where a row was lost, so rows on disk may be fewer",
    labelNames: ["replica"],
    read: () => [{ labels: { replica }, value: store.head().position }],
  });
  pulledGauge(registry, {
    name: "candor_evidence_rows_pending",
    help: "Rows accepted but not yet on disk",
    labelNames: [],
    read: alone(() => store.health().pending),
  });
  pulledGauge(registry, {
    name: "candor_evidence_writable",
    help: "1 while the store can write, else 0",
    labelNames: [],
    read: alone(() => (store.health().writable ? 1 : 0)),
  });
  pulledCounter(registry, {
    name: "candor_evidence_rows_dropped_total",
    help: "Rows lost because the store could not write for so long that memory's bound was reached",
    labelNames: [],
    read: alone(() => store.health().dropped),
  });
};
