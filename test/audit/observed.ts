/** Observations as an audit makes them, for tests that need no subject. */
import type { AuditedObservation } from "../../src/audit/run-audit.ts";
import { observationOf } from "../watch/rows.ts";

export const observed = (id: string, change: Partial<AuditedObservation["observation"]>): AuditedObservation => ({
  id,
  observation: observationOf({ source: "test", probeSet: "set", ...change }),
});
