/** Alerts on what this process counts, as they are due: what Prometheus finds by its rules, for those without it. */
import type { Clock } from "../kernel/clock.ts";
import { type CountedRule, countedRules } from "./counted-rules.ts";
import type { DueAlert } from "./persona-alerts.ts";
import { type Counts, createProcessCounts, type ReadMetrics } from "./process-counts.ts";

interface Options {
  read: ReadMetrics;
  /** Name of this process among others. */
  instance: string;
  clock: Pick<Clock, "now" | "monotonic">;
}

export interface CountedAlerts {
  /** What is due now; call it every few seconds. Rejects where the metrics can't be read. */
  due(): Promise<DueAlert[]>;
}

/** As often as the shipped example has Prometheus look. */
const lookMs = 15_000;

export const createCountedAlerts = ({ read, instance, clock }: Options): CountedAlerts => {
  const look = createProcessCounts(read);
  /** Since when each condition holds, on the monotonic clock. */
  const since = new Map<string, number>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let due: DueAlert[] = [];

  const dueOf = (rule: CountedRule, seen: Counts, now: number): DueAlert[] =>
    rule.keys(seen).flatMap((key) => {
      const id = `${rule.name} ${key}`;
      const value = rule.holds(seen, key, clock.now() / 1000);
      if (value === null) {
        since.delete(id);
        return [];
      }
      const from = since.get(id) ?? now;
      since.set(id, from);
      if (now - from < rule.forMs) return [];
      return {
        name: rule.name,
        severity: rule.severity,
        labels: { instance, ...(rule.label === undefined ? {} : { [rule.label]: key }) },
        summary: rule.summary(key, instance),
        description: rule.description(value, key),
        since: null,
      };
    });

  return {
    async due() {
      const now = clock.monotonic();
      if (now - lookedAt < lookMs) return due;
      lookedAt = now;
      const seen = await look(now);
      due = countedRules.flatMap((rule) => dueOf(rule, seen, now));
      return due;
    },
  };
};
