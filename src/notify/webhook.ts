/**
 * Tells one webhook of what changed: signed, one after the other for each subject, and again until it was taken or it is
 * too late. The queue is bounded; nobody ever waits for it.
 */
import { deliver, retryDelayMs } from "../egress/delivery.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Notification, NotificationMeter } from "./notification.ts";
import { signatureHeaders } from "./signature.ts";

interface Options {
  /** Name in metrics and the log. */
  id: string;
  url: string;
  secret: string;
  events: readonly Notification["kind"][];
  /** Of alerts; a change of a verdict has none of its own. */
  severities: readonly ("page" | "ticket")[];
  giveUpAfterMs: number;
  /** Most that wait, over all subjects. */
  capacity: number;
  fetch: typeof globalThis.fetch;
  meter: NotificationMeter;
  clock: Clock;
  random: Random;
  log: Pick<Log, "warn">;
}

export interface Webhook {
  tell(notification: Notification): void;
  /** Ends it; gives what was not brought, oldest first. */
  close(): readonly Notification[];
}

interface Waiting {
  notification: Notification;
  body: string;
  since: number;
  isUnderWay: boolean;
}

const timeoutMs = 10_000;
const longestDelayMs = 5 * 60_000;

const time = (at: number): string => new Date(at).toISOString();

/** What is sent. Evidence of minus infinity, before the first datum, becomes null. */
const bodyOf = (notification: Notification): string => {
  const { id, at, kind, subject, verdict } = notification;
  const told = {
    version: 1,
    id,
    kind,
    timestamp: time(at),
    subject,
    persona: verdict?.persona ?? null,
    severity: verdict?.severity ?? null,
    position: verdict?.position ?? null,
    reasons: verdict?.reasons ?? [],
    evidence: verdict?.evidence ?? {},
  };
  if (notification.kind === "verdict") return JSON.stringify({ ...told, previous: notification.previous });
  const { name, severity, labels, annotations, startsAt, endsAt } = notification.alert;
  const alert = {
    name,
    severity,
    labels,
    annotations,
    startsAt: time(startsAt),
    endsAt: endsAt === null ? null : time(endsAt),
  };
  return JSON.stringify({ ...told, alert });
};

const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

export const createWebhook = (options: Options): Webhook => {
  const { id, url, secret, giveUpAfterMs, capacity, fetch, meter, clock, random, log } = options;
  const events = new Set(options.events);
  const severities = new Set(options.severities);
  /** In the order in which they came. */
  const waiting = new Set<Waiting>();
  const lanes = new Map<string | null, Waiting[]>();
  const pauses = new Set<() => void>();
  let closed = false;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        cancel();
        pauses.delete(end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      pauses.add(end);
    });

  const lose = (one: Waiting, result: "refused" | "given-up" | "dropped", reason: string): void => {
    meter.notified(id, result);
    const { kind, subject } = one.notification;
    log.warn({ target: id, kind, subject, event: one.notification.id, reason }, `a webhook was not told: ${result}`);
  };

  /** Resolves when it was taken or lost. */
  const bring = async (one: Waiting): Promise<void> => {
    for (let failures = 1; !closed; failures += 1) {
      const outcome = await deliver({
        fetch,
        url,
        headers: {
          "content-type": "application/json",
          ...signatureHeaders(secret, { id: one.notification.id, at: clock.now(), body: one.body }),
        },
        body: one.body,
        timeoutMs,
        isPassing,
        clock,
      });
      if (closed) return;
      if (outcome.kind === "delivered") return meter.notified(id, "delivered");
      if (outcome.kind === "refused") return lose(one, "refused", outcome.reason);
      meter.notified(id, "failed");
      const { retryAfterMs, reason } = outcome;
      const delayMs = retryDelayMs({ failures, longestMs: longestDelayMs, retryAfterMs }, random);
      if (clock.monotonic() + delayMs - one.since > giveUpAfterMs) return lose(one, "given-up", reason);
      await pause(delayMs);
    }
  };

  const work = async (lane: Waiting[], subject: string | null): Promise<void> => {
    for (let one = lane.shift(); one !== undefined && !closed; one = lane.shift()) {
      // What was dropped meanwhile waits no more.
      if (!waiting.has(one)) continue;
      one.isUnderWay = true;
      await bring(one);
      waiting.delete(one);
    }
    lanes.delete(subject);
  };

  /** The oldest goes: what is newer says how things are. */
  const makeRoom = (): void => {
    if (waiting.size < capacity) return;
    const oldest = [...waiting].find((one) => !one.isUnderWay);
    if (oldest === undefined) return;
    waiting.delete(oldest);
    lose(oldest, "dropped", `more than ${capacity} waited`);
  };

  return {
    tell(notification) {
      const isWanted = notification.kind === "verdict" || severities.has(notification.alert.severity);
      if (closed || !isWanted || !events.has(notification.kind)) return;
      makeRoom();
      const one = { notification, body: bodyOf(notification), since: clock.monotonic(), isUnderWay: false };
      waiting.add(one);
      const lane = lanes.get(notification.subject);
      if (lane !== undefined) {
        lane.push(one);
        return;
      }
      const opened = [one];
      lanes.set(notification.subject, opened);
      void work(opened, notification.subject);
    },
    close() {
      closed = true;
      for (const end of pauses) end();
      return [...waiting].map(({ notification }) => notification);
    },
  };
};
