/**
 * Asks again where asking again may help, and says when to give up: a server that is busy or away is waited for, all
 * askers together; one that rejects is not. Knows nothing of what is asked.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";

/** The audit can't go on for now; what was answered is kept. */
export class AuditStopped extends Error {
  override readonly name = "AuditStopped";
}

export type Attempt<T> =
  | { kind: "done"; value: T }
  /** May go better later. */
  | { kind: "again"; why: string; retryAfterMs: number | null }
  /** Won't go better, and concerns more than this one question. */
  | { kind: "stop"; why: string };

export interface PatienceParts {
  /** Attempts at one thing before the audit stops. */
  attempts: number;
  clock: Pick<Clock, "monotonic">;
  random: Random;
  /** Default: real time. */
  wait?(ms: number, signal: AbortSignal): Promise<void>;
}

const firstWait = 1_000;
const longestWait = 60_000;

const realWait = async (ms: number, signal: AbortSignal): Promise<void> => {
  await sleep(ms, undefined, { signal }).catch(() => {});
};

export type Patience = <T>(what: string, attempt: () => Promise<Attempt<T>>, signal: AbortSignal) => Promise<T>;

/** @throws AuditStopped after so many attempts, at a rejection, and when the signal ends the audit */
export const createPatience = ({ attempts, clock, random, wait = realWait }: PatienceParts): Patience => {
  /** Shared: a server that asks one to wait asks all. */
  let closedUntil = Number.NEGATIVE_INFINITY;

  const untilOpen = async (signal: AbortSignal): Promise<void> => {
    const left = closedUntil - clock.monotonic();
    if (left > 0) await wait(left, signal);
  };

  return async (what, attempt, signal) => {
    let why = "";
    for (let tried = 0; tried < attempts; tried += 1) {
      await untilOpen(signal);
      if (signal.aborted) break;
      const came = await attempt();
      if (came.kind === "done") return came.value;
      if (signal.aborted) break;
      why = came.why;
      if (came.kind === "stop") throw new AuditStopped(`${what}: ${why}`);
      const backoff = Math.min(longestWait, firstWait * 2 ** tried) * (0.5 + random() / 2);
      closedUntil = Math.max(closedUntil, clock.monotonic() + Math.max(backoff, came.retryAfterMs ?? 0));
    }
    if (signal.aborted) throw new AuditStopped("interrupted");
    throw new AuditStopped(`${what}: ${why}, ${attempts} times`);
  };
};
