/** State of the evidence log, read at every scrape. */
import { Counter, type Registry } from "prom-client";
import type { EvidenceStore } from "../evidence/store.ts";
import { pulledGauge, pulledValue } from "./pulled-gauge.ts";

export const exposeEvidence = (
  registry: Registry,
  replica: string,
  store: Pick<EvidenceStore, "head" | "health">,
): void => {
  pulledGauge(registry, {
    name: "candor_evidence_head_position",
    help: "Position of the last row on disk; positions have no gaps, so this is also the number of rows written",
    labelNames: ["replica"],
    read: () => [{ labels: { replica }, value: store.head().position }],
  });
  pulledValue(
    registry,
    "candor_evidence_rows_pending",
    "Rows accepted but not yet on disk",
    () => store.health().pending,
  );
  pulledValue(registry, "candor_evidence_writable", "1 while the store can write, else 0", () =>
    store.health().writable ? 1 : 0,
  );
  const dropped = new Counter({
    name: "candor_evidence_rows_dropped_total",
    help: "Rows lost because the store could not write for so long that memory's bound was reached",
    registers: [registry],
    collect: () => {
      dropped.reset();
      dropped.inc(store.health().dropped);
    },
  });
};
