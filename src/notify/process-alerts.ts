/**
 * Alerts on this process itself, under the names that the shipped Prometheus rules have for them. What only somebody
 * outside can see, as that it is down, is no matter for them.
 */
import type { DecisionRecord } from "../evidence/entry.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { DueAlert } from "./persona-alerts.ts";

const minuteMs = 60_000;
/** As long as the rules have it: what recovers by itself is nobody's business. */
const unwrittenForMs = 30_000;
const droppedWithinMs = 5 * minuteMs;
const failedWithinMs = 10 * minuteMs;

export interface ProcessAlerts {
  decided(decision: DecisionRecord): void;
  /** What is due now; call it every few seconds. */
  due(): DueAlert[];
}

export const createProcessAlerts = ({
  store,
  instance,
  clock,
}: {
  store: Pick<EvidenceStore, "health">;
  /** Name of this process among others. */
  instance: string;
  clock: Pick<Clock, "monotonic">;
}): ProcessAlerts => {
  let unwritableSince: number | null = null;
  let dropped = store.health().dropped;
  let droppedAt = Number.NEGATIVE_INFINITY;
  let guardFailedAt = Number.NEGATIVE_INFINITY;

  const isUnwritten = (now: number): boolean => {
    const health = store.health();
    if (health.dropped > dropped) droppedAt = now;
    dropped = health.dropped;
    unwritableSince = health.writable ? null : (unwritableSince ?? now);
    const forLong = unwritableSince !== null && now - unwritableSince >= unwrittenForMs;
    return forLong || now - droppedAt < droppedWithinMs;
  };

  const alert = (parts: Pick<DueAlert, "name" | "severity" | "summary" | "description">): DueAlert => ({
    ...parts,
    labels: { instance },
    since: null,
  });

  return {
    decided({ unavailable, findings }) {
      if (unavailable || findings.some(({ result }) => result === "error")) guardFailedAt = clock.monotonic();
    },
    due() {
      const now = clock.monotonic();
      const alerts: DueAlert[] = [];
      if (isUnwritten(now)) {
        alerts.push(
          alert({
            name: "CandorEvidenceNotWritten",
            severity: "page",
            summary: `Candor ${instance} can't write its evidence`,
            description: `${store.health().pending} rows wait in memory, up to a bound; ${dropped} were lost since the start.`,
          }),
        );
      }
      if (now - guardFailedAt < failedWithinMs) {
        alerts.push(
          alert({
            name: "CandorGuardErrors",
            severity: "ticket",
            summary: `Policies of Candor ${instance} could not be evaluated`,
            description:
              "Requests or answers in the last ten minutes met a policy that could not be evaluated. They were refused or " +
              "passed unguarded, as that policy's fail mode says.",
          }),
        );
      }
      return alerts;
    },
  };
};
