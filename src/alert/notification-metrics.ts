/** What became of the notifications that Candor sends itself. */
import type { Registry } from "prom-client";
import { type NotificationMeter, notificationResults } from "../notify/notification.ts";
import { pulledCounter } from "./pulled-metric.ts";

/** @param targets ids of the configured receivers */
export const createNotificationMetrics = (registry: Registry, targets: readonly string[]): NotificationMeter => {
  const counts = new Map(targets.map((target) => [target, new Map(notificationResults.map((result) => [result, 0]))]));
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
    notified(target, result) {
      const results = counts.get(target);
      results?.set(result, (results.get(result) ?? 0) + 1);
    },
  };
};
