/**
 * One delivery of a message that Candor sends of its own accord, such as an alert, and when to try again. Says of a
 * failure no more than its kind: bodies, headers and what was answered are never kept.
 */
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";

export type Delivery =
  | { kind: "delivered" }
  /** Trying again would end the same way. */
  | { kind: "refused"; reason: string }
  | { kind: "failed"; reason: string; retryAfterMs: number | null };

interface Message {
  /** Bound to the receiver's origin. */
  fetch: typeof fetch;
  url: string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer>;
  /** Longest wait for the answer. */
  timeoutMs: number;
  /** Whether an answer of this status, which is no success, may be another one next time. */
  isPassing(status: number): boolean;
  clock: Pick<Clock, "after" | "now">;
}

const longestRetryAfterMs = 3_600_000;

/** Seconds or a date (RFC 9110, 10.2.3); at most an hour, null where neither stands there. */
const retryAfterOf = (header: string | null, now: number): number | null => {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.min(longestRetryAfterMs, Math.max(0, ms));
};

/** Never rejects. */
export const deliver = async (message: Message): Promise<Delivery> => {
  const { fetch, url, headers, body, timeoutMs, isPassing, clock } = message;
  const abort = new AbortController();
  const cancel = clock.after(timeoutMs, () => abort.abort());
  try {
    const response = await fetch(url, { method: "POST", headers, body, signal: abort.signal });
    await response.body?.cancel();
    if (response.ok) return { kind: "delivered" };
    const reason = `status ${response.status}`;
    if (!isPassing(response.status)) return { kind: "refused", reason };
    return { kind: "failed", reason, retryAfterMs: retryAfterOf(response.headers.get("retry-after"), clock.now()) };
  } catch {
    const reason = abort.signal.aborted ? `no answer within ${timeoutMs} ms` : "no connection, or it broke";
    return { kind: "failed", reason, retryAfterMs: null };
  } finally {
    cancel();
  }
};

/** Exponential from a second on, with jitter so that many replicas do not come back at once; never before `retryAfterMs`. */
export const retryDelayMs = (
  { failures, longestMs, retryAfterMs }: { failures: number; longestMs: number; retryAfterMs: number | null },
  random: Random,
): number => {
  const backoff = Math.min(longestMs, 1_000 * 2 ** Math.min(30, failures - 1));
  return Math.max(retryAfterMs ?? 0, backoff * (0.5 + random() / 2));
};
