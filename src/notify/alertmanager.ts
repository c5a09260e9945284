/**
 * Posts what stands to one Alertmanager (API v2). Follows its contract for clients: all alerts again and again, each with
 * an end some intervals ahead, so that one whose sender is gone ends by itself; ended ones with the end that they had.
 * As every post holds everything, nothing is queued and nothing is lost by a failure.
 */
import { deliver, retryDelayMs } from "../egress/delivery.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { NotificationMeter, StandingAlert } from "./notification.ts";

interface Options {
  /** Name in metrics and the log. */
  id: string;
  url: string;
  /** Of the `Authorization` header; null for none. */
  authorization: string | null;
  fetch: typeof globalThis.fetch;
  all(): readonly StandingAlert[];
  resendMs: number;
  meter: NotificationMeter;
  clock: Clock;
  random: Random;
  log: Pick<Log, "warn" | "info">;
}

export interface Alertmanager {
  /** Something stands or ended: posts at once. */
  changed(): void;
  close(): void;
}

/** As Prometheus has it: three posts may fail before an alert ends by itself. */
const intervalsAhead = 4;
const timeoutMs = 10_000;

const time = (at: number): string => new Date(at).toISOString();

export const createAlertmanager = (options: Options): Alertmanager => {
  const { id, url, authorization, fetch, all, resendMs, meter, clock, random, log } = options;
  let isPosting = false;
  let isStale = false;
  let failures = 0;
  let closed = false;
  let cancelNext = (): void => {};

  const post = async (): Promise<number> => {
    const alerts = all();
    if (alerts.length === 0) return resendMs;
    const ahead = clock.now() + intervalsAhead * resendMs;
    const outcome = await deliver({
      fetch,
      url: `${url.replace(/\/+$/, "")}/api/v2/alerts`,
      headers: { "content-type": "application/json", ...(authorization === null ? {} : { authorization }) },
      body: JSON.stringify(
        alerts.map(({ labels, annotations, startsAt, endsAt }) => ({
          labels,
          annotations,
          startsAt: time(startsAt),
          endsAt: time(endsAt ?? ahead),
        })),
      ),
      timeoutMs,
      isPassing: () => true,
      clock,
    });
    if (closed) return resendMs;
    if (outcome.kind === "delivered") {
      if (failures > 0) log.info({ target: id }, "Alertmanager takes alerts again");
      failures = 0;
      meter.notified(id, "delivered");
      return resendMs;
    }
    failures += 1;
    meter.notified(id, "failed");
    if (failures === 1) log.warn({ target: id, reason: outcome.reason }, "Alertmanager takes no alerts; trying again");
    const retryAfterMs = outcome.kind === "failed" ? outcome.retryAfterMs : null;
    return retryDelayMs({ failures, longestMs: resendMs, retryAfterMs }, random);
  };

  const run = async (): Promise<void> => {
    cancelNext();
    isPosting = true;
    let delayMs: number;
    do {
      isStale = false;
      delayMs = await post();
    } while (isStale && failures === 0 && !closed);
    isPosting = false;
    if (!closed) cancelNext = clock.after(delayMs, () => void run());
  };

  void run();
  return {
    changed() {
      isStale = true;
      if (!isPosting && !closed) void run();
    },
    close() {
      closed = true;
      cancelNext();
    },
  };
};
