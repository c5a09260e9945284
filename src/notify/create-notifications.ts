/** The configured receivers of alerts, connected to what stands. Without any, nothing is looked at. */
import type { AlertingSettings } from "../config/schema.ts";
import type { Secrets } from "../config/secrets.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Ledger } from "../watch/ledger.ts";
import { createAlertmanager } from "./alertmanager.ts";
import { createCountedAlerts } from "./counted-alerts.ts";
import type { NotificationMeter } from "./notification.ts";
import { createProcessAlerts } from "./process-alerts.ts";
import type { ReadMetrics } from "./process-counts.ts";
import { createStandingAlerts } from "./standing-alerts.ts";
import { createWebhook } from "./webhook.ts";

interface Options {
  settings: AlertingSettings;
  secrets: Pick<Secrets, "alerting">;
  subjects: () => readonly string[];
  ledger: Pick<Ledger, "verdict" | "thresholds" | "subscribe">;
  store: Pick<EvidenceStore, "health" | "since">;
  readMetrics: ReadMetrics;
  replica: string;
  /** Lets these headers of Candor's own pass as well. */
  fetchFor(baseUrl: string, ownHeaders: readonly string[]): typeof globalThis.fetch;
  meter: NotificationMeter;
  clock: Clock;
  random: Random;
  log: Log;
}

export interface Notifications {
  close(): void;
}

export const createNotifications = (options: Options): Notifications => {
  const { settings, secrets, subjects, ledger, store, readMetrics, replica, fetchFor, meter, clock, random, log } =
    options;
  if (settings.alertmanagers.length + settings.webhooks.length === 0) return { close() {} };

  const secretOf = (id: string): string | null => secrets.alerting.get(id) ?? null;
  const webhooks = settings.webhooks.map(({ giveUpAfterSeconds, queue, ...webhook }) =>
    createWebhook({
      ...webhook,
      secret: secretOf(webhook.id) ?? "",
      giveUpAfterMs: giveUpAfterSeconds * 1000,
      capacity: queue,
      fetch: fetchFor(webhook.url, ["webhook-*"]),
      meter,
      clock,
      random,
      log,
    }),
  );
  const standing = createStandingAlerts({
    subjects,
    ledger,
    process: createProcessAlerts({ store, instance: replica, clock }),
    counted: createCountedAlerts({ read: readMetrics, instance: replica, clock }),
    async entryAt(position) {
      const [entry] = await store.since(position - 1, 1);
      return entry?.position === position ? entry.at : null;
    },
    labels: settings.labels,
    runbookBase: settings.runbookBase,
    tell(notification) {
      for (const webhook of webhooks) webhook.tell(notification);
      if (notification.kind !== "verdict") for (const alertmanager of alertmanagers) alertmanager.changed();
    },
    clock,
    onError: (error) => log.error({ err: error }, "alerts could not be brought up to date"),
  });
  const alertmanagers = settings.alertmanagers.map(({ id, url, username }) => {
    const secret = secretOf(id);
    const basic = (name: string): string => `Basic ${Buffer.from(`${name}:${secret ?? ""}`).toString("base64")}`;
    return createAlertmanager({
      id,
      url,
      authorization: secret === null ? null : username === undefined ? `Bearer ${secret}` : basic(username),
      fetch: fetchFor(url, []),
      all: standing.all,
      resendMs: settings.resendSeconds * 1000,
      meter,
      clock,
      random,
      log,
    });
  });
  void standing.start();

  return {
    close() {
      standing.close();
      for (const { close } of [...alertmanagers, ...webhooks]) close();
    },
  };
};
