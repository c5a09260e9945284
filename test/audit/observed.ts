/** Observations as an audit makes them, for tests that need no subject. */
import type { AuditedObservation } from "../../src/audit/run-audit.ts";

export const observed = (id: string, change: Partial<AuditedObservation["observation"]>): AuditedObservation => ({
  id,
  observation: {
    kind: "observation",
    experiment: "harmfulness",
    arm: "fresh",
    stratum: "fresh",
    item: "q#0",
    topic: null,
    order: null,
    outcome: "scored",
    value: 0,
    harmful: null,
    bucket: null,
    reference: null,
    source: "test",
    probeSet: "set",
    contentHash: null,
    content: null,
    ...change,
  },
});
