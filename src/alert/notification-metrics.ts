/** What became of the notifications that Candor sends itself. */
import type { Registry } from "prom-client";
import { type NotificationMeter, type NotificationResult, notificationResults } from "../notify/notification.ts";
import { keepSeries } from "./kept-series.ts";
import { pulledCounter } from "./pulled-metric.ts";

export interface NotificationMetrics extends NotificationMeter {
  /** Counts these from now on. */
  receivers(ids: readonly string[]): void;
}

/** @param targets ids of the configured receivers */
export const createNotificationMetrics = (registry: Registry, targets: readonly string[]): NotificationMetrics => {
  const counts = new Map<string, Map<NotificationResult, number>>();
  const keep = (ids: readonly string[]): void =>
    keepSeries(counts, ids, () => new Map(notificationResults.map((result) => [result, 0])));
  keep(targets);
  pulledCounter(registry, {
    name: "candor_notifications_total",
    help: "Posts to Alertmanagers and webhooks of the configuration, and notifications that never came there",
    labelNames: ["target", "result"],
    *read() {
      for (const [target, results] of counts) {
        for (const [result, value] of results) yield { labels: { target, result }, value };
      }
    },
  });
  return {
    receivers: keep,
    notified(target, result) {
      const results = counts.get(target);
      results?.set(result, (results.get(result) ?? 0) + 1);
    },
  };
};
