/**
 * The receivers of alerts that the configuration names, connected to what stands. Where it changes, a receiver that stays
 * as it was is the same one, with all that it has to bring, and nobody is told twice. Without any, nothing is looked at.
 */
import type { AlertingSettings } from "../config/schema.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Ledger } from "../watch/ledger.ts";
import { createAlertmanager } from "./alertmanager.ts";
import { createCountedAlerts } from "./counted-alerts.ts";
import type { Notification, NotificationMeter } from "./notification.ts";
import { createProcessAlerts } from "./process-alerts.ts";
import type { ReadMetrics } from "./process-counts.ts";
import { createStandingAlerts, type StandingAlerts } from "./standing-alerts.ts";
import { createWebhook } from "./webhook.ts";

/** What a configuration says of alerts. */
export interface Alerting {
  settings: AlertingSettings;
  /** By id of the receiver. */
  secrets: ReadonlyMap<string, string>;
  subjects: readonly string[];
}

interface Options {
  ledger: Pick<Ledger, "verdict" | "thresholds" | "subscribe">;
  store: Pick<EvidenceStore, "health" | "since">;
  readMetrics: ReadMetrics;
  replica: string;
  /** A way to one receiver that lets these headers of Candor's own pass as well; `close` ends its connections. */
  connect(baseUrl: string, ownHeaders: readonly string[]): { fetch: typeof globalThis.fetch; close(): Promise<void> };
  meter: NotificationMeter;
  clock: Clock;
  random: Random;
  log: Log;
}

export interface Notifications {
  /** Takes over what a configuration says, at once. */
  use(alerting: Alerting): void;
  close(): void;
}

interface Receiver {
  /** What it was made of. */
  made: string;
  tell(notification: Notification): void;
  /** Gives what was not brought. */
  close(): readonly Notification[];
}

/** Makes the receivers, all for what stands. */
const receiversFor = (standing: StandingAlerts, { connect, meter, clock, random, log }: Options) => ({
  alertmanager(
    { id, url, username }: AlertingSettings["alertmanagers"][number],
    secret: string | null,
    resendSeconds: number,
  ): Omit<Receiver, "made"> {
    const way = connect(url, []);
    const basic = (name: string): string => `Basic ${Buffer.from(`${name}:${secret ?? ""}`).toString("base64")}`;
    const receiver = createAlertmanager({
      id,
      url,
      authorization: secret === null ? null : username === undefined ? `Bearer ${secret}` : basic(username),
      fetch: way.fetch,
      all: standing.all,
      resendMs: resendSeconds * 1000,
      meter,
      clock,
      random,
      log,
    });
    return {
      tell(notification) {
        if (notification.kind !== "verdict") receiver.changed();
      },
      close() {
        receiver.close();
        void way.close();
        return [];
      },
    };
  },
  webhook(
    { giveUpAfterSeconds, queue, ...webhook }: AlertingSettings["webhooks"][number],
    secret: string | null,
  ): Omit<Receiver, "made"> {
    const way = connect(webhook.url, ["webhook-*"]);
    const receiver = createWebhook({
      ...webhook,
      secret: secret ?? "",
      giveUpAfterMs: giveUpAfterSeconds * 1000,
      capacity: queue,
      fetch: way.fetch,
      meter,
      clock,
      random,
      log,
    });
    return {
      tell: receiver.tell,
      close() {
        const left = receiver.close();
        void way.close();
        return left;
      },
    };
  },
});

export const createNotifications = (options: Options): Notifications => {
  const { ledger, store, readMetrics, replica, clock, log } = options;
  let alerting: Alerting | null = null;
  let standing: StandingAlerts | null = null;
  const receivers = new Map<string, Receiver>();

  const look = (): StandingAlerts =>
    createStandingAlerts({
      subjects: () => alerting?.subjects ?? [],
      ledger,
      process: createProcessAlerts({ store, instance: replica, clock }),
      counted: createCountedAlerts({ read: readMetrics, instance: replica, clock }),
      async entryAt(position) {
        const [entry] = await store.since(position - 1, 1);
        return entry?.position === position ? entry.at : null;
      },
      settings: () => alerting?.settings ?? { labels: {}, runbookBase: "" },
      tell(notification) {
        for (const receiver of receivers.values()) receiver.tell(notification);
      },
      clock,
      onError: (error) => log.error({ err: error }, "alerts could not be brought up to date"),
    });

  const end = (id: string): readonly Notification[] => {
    const left = receivers.get(id)?.close() ?? [];
    receivers.delete(id);
    return left;
  };

  /** The receiver as it is declared now: the same where nothing changed, else another that goes on with its work. */
  const declare = (id: string, made: string, make: () => Omit<Receiver, "made">): void => {
    if (receivers.get(id)?.made === made) return;
    const left = end(id);
    const receiver = { made, ...make() };
    receivers.set(id, receiver);
    for (const notification of left) receiver.tell(notification);
  };

  return {
    use(next) {
      const { settings, secrets } = next;
      alerting = next;
      const ids = [...settings.alertmanagers, ...settings.webhooks].map(({ id }) => id);
      for (const id of receivers.keys()) if (!ids.includes(id)) end(id);
      if (ids.length === 0) {
        standing?.close();
        standing = null;
        return;
      }
      const isNew = standing === null;
      standing ??= look();
      const make = receiversFor(standing, options);
      for (const one of settings.alertmanagers) {
        const secret = secrets.get(one.id) ?? null;
        const made = canonicalJson(["alertmanager", one, secret, settings.resendSeconds]);
        declare(one.id, made, () => make.alertmanager(one, secret, settings.resendSeconds));
      }
      for (const one of settings.webhooks) {
        const secret = secrets.get(one.id) ?? null;
        declare(one.id, canonicalJson(["webhook", one, secret]), () => make.webhook(one, secret));
      }
      void (isNew ? standing.start() : standing.subjectsChanged());
    },
    close() {
      standing?.close();
      for (const id of [...receivers.keys()]) end(id);
    },
  };
};
