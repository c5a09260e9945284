/**
 * What alerts on the process itself are read from: totals of its own metrics, how much they grew within the last minutes,
 * and some gauges.
 */
import { createGrowth } from "./growth.ts";

type Labels = Readonly<Record<string, string | number>>;

interface Family {
  name: string;
  values: readonly { labels: Labels; value: number }[];
}

/** Metrics of these names as they are now; those that are not there are left out. */
export type ReadMetrics = (names: readonly string[]) => Promise<readonly Family[]>;

/** A total for each value of the label `by`, or one alone. */
interface Total {
  metric: string;
  by?: string;
  where?(labels: Labels): boolean;
}

const isOneOf = (values: readonly string[]) => (value: string | number | undefined) => values.includes(String(value));
/** Reasons that are not how sampling is meant to work. */
const isDropped = isOneOf(["busy", "failed", "queue-full", "too-large", "undecodable", "unreadable"]);
const isLost = isOneOf(["refused", "given-up", "dropped"]);

const totals = {
  asked: { metric: "candor_judgements_total", by: "source" },
  notJudged: { metric: "candor_judgements_total", by: "source", where: ({ outcome }) => outcome !== "judged" },
  observed: { metric: "candor_live_answers_observed_total", by: "subject" },
  dropped: { metric: "candor_live_answers_skipped_total", by: "subject", where: ({ reason }) => isDropped(reason) },
  decided: { metric: "candor_guard_coverage_total", by: "stage" },
  uninspected: { metric: "candor_guard_coverage_total", by: "stage", where: ({ coverage }) => coverage === "none" },
  requests: { metric: "candor_requests_total", by: "subject" },
  shed: { metric: "candor_requests_refused_total", where: ({ reason }) => reason === "overloaded" },
  busySeconds: { metric: "candor_event_loop_active_seconds_total" },
  postsLost: { metric: "candor_notifications_total", by: "target", where: ({ result }) => isLost(result) },
  postsFailed: { metric: "candor_notifications_total", by: "target", where: ({ result }) => result === "failed" },
  postsDelivered: { metric: "candor_notifications_total", by: "target", where: ({ result }) => result === "delivered" },
  notExported: { metric: "candor_telemetry_items_total", by: "signal", where: ({ result }) => result === "dropped" },
} satisfies Record<string, Total>;
type TotalName = keyof typeof totals;

const gauges = {
  reloaded: { metric: "candor_config_last_reload_successful" },
  restartNeeded: { metric: "candor_config_restart_needed" },
  probedAt: { metric: "candor_probe_last_success_timestamp_seconds", by: "subject" },
  probeInterval: { metric: "candor_probe_interval_seconds", by: "subject" },
} satisfies Record<string, Total>;
type GaugeName = keyof typeof gauges;

const all: Readonly<Record<string, Total>> = { ...totals, ...gauges };
const metricNames = [...new Set(Object.values(all).map(({ metric }) => metric))];

/** The longest span of time that may be asked for. */
const keptMs = 15 * 60_000;

/** What can be asked at one look. Keys are values of the label; empty for what stands alone. */
export interface Counts {
  keys(name: TotalName | GaugeName): string[];
  gauge(name: GaugeName, key?: string): number | undefined;
  /** Within a quarter of an hour unless it is said otherwise. */
  growth(name: TotalName, key?: string, withinMs?: number): number;
  /** For a second. */
  rate(name: TotalName, key: string, withinMs: number): number;
}

const idOf = (name: string, key: string): string => `${name} ${key}`;

const sumsOf = (families: readonly Family[]): Map<string, number> => {
  const byName = new Map(families.map(({ name, values }) => [name, values]));
  const sums = new Map<string, number>();
  for (const [name, { metric, by, where }] of Object.entries(all)) {
    for (const { labels, value } of byName.get(metric) ?? []) {
      const id = idOf(name, by === undefined ? "" : String(labels[by]));
      const counted = where === undefined || where(labels) ? value : 0;
      sums.set(id, (sums.get(id) ?? 0) + counted);
    }
  }
  return sums;
};

/** Each call looks once more. @param now on the monotonic clock, in milliseconds */
export const createProcessCounts = (read: ReadMetrics): ((now: number) => Promise<Counts>) => {
  const growth = createGrowth(keptMs);
  return async (now) => {
    const sums = sumsOf(await read(metricNames));
    growth.saw(now, sums);
    return {
      keys: (name) => [...sums.keys()].flatMap((id) => (id.startsWith(`${name} `) ? [id.slice(name.length + 1)] : [])),
      gauge: (name, key = "") => sums.get(idOf(name, key)),
      growth: (name, key = "", withinMs = keptMs) => growth.of(idOf(name, key), withinMs).by,
      rate(name, key, withinMs) {
        const { by, seconds } = growth.of(idOf(name, key), withinMs);
        return seconds === 0 ? 0 : by / seconds;
      },
    };
  };
};
