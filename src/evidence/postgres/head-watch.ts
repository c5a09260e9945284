/**
 * Knows where the shared log stands and whether it can be reached: by the database's notices at once, and by asking every
 * second, as a notice may be lost and a connection may be dead without a sign. Never gives up.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import { UnreachableLogError } from "../store.ts";
import { channelOf } from "./log-schema.ts";
import type { Listening, SharedDatabase } from "./shared-database.ts";

interface Head {
  position: number;
  hash: string;
}

interface WatchParts {
  database: SharedDatabase;
  /** Name of the log. */
  log: string;
  clock: Pick<Clock, "after" | "monotonic">;
  random: Random;
  pace?: Pace;
  /** Before anything is asked on a new connection. */
  prepare(): Promise<void>;
  /** The position up to which the log is known to reach. */
  known(): number;
  /**
   * Called every time that the log was reached, moved or not. `before` is what was known when the database was asked: an
   * answer between the two is only old, one below it says that the log was cut.
   */
  onHead(head: Head, before: number): void;
  onFailure(error: unknown): void;
}

/** Milliseconds. */
export interface Pace {
  /** Between two questions where the log stands. */
  ask: number;
  /** An answer that takes longer is none: the connection is given up for a new one. */
  answer: number;
}

export interface HeadWatch {
  /** Whether the log was reached within the last few seconds. */
  connected(): boolean;
  close(): void;
}

const usualPace: Pace = { ask: 1_000, answer: 3_000 };
const firstRetryMs = 250;
const longestRetryMs = 5_000;

const noticed = (payload: string): Head | null => {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(payload);
  return match?.[1] === undefined || match[2] === undefined ? null : { position: Number(match[1]), hash: match[2] };
};

export const watchHead = (parts: WatchParts): HeadWatch => {
  const { database, log, clock, random, prepare, known, onHead, onFailure, pace = usualPace } = parts;
  let closed = false;
  let reachedAt = Number.NEGATIVE_INFINITY;
  let listening: Listening | null = null;
  let wake = (): void => {};

  const reached = (head: Head, before: number): void => {
    reachedAt = clock.monotonic();
    onHead(head, before);
  };

  /** Half of it to one and a half, so that replicas that lost the database together don't come back together. */
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms * (0.5 + random()), resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });

  const ask = async (session: Listening): Promise<void> => {
    const before = known();
    const [row] = await session.query(`SELECT position, hash FROM ${database.schema}.log`, [], pace.answer);
    reached({ position: Number(row?.position), hash: String(row?.hash) }, before);
  };

  /** Until the connection is lost. */
  const watch = async (onReached: () => void): Promise<void> => {
    await prepare();
    let ended = false;
    listening = await database.listen(
      channelOf(log),
      (payload) => {
        const head = noticed(payload);
        if (head !== null && !closed) reached(head, 0);
      },
      () => {
        ended = true;
        wake();
      },
    );
    try {
      while (!closed && !ended) {
        await ask(listening);
        onReached();
        await sleep(pace.ask);
      }
    } finally {
      listening.end();
      listening = null;
    }
    if (!closed) throw new UnreachableLogError("the connection to the database was cut");
  };

  const run = async (): Promise<void> => {
    let retryMs = firstRetryMs;
    while (!closed) {
      try {
        await watch(() => {
          retryMs = firstRetryMs;
        });
      } catch (error) {
        if (closed) return;
        onFailure(error);
        await sleep(retryMs);
        retryMs = Math.min(longestRetryMs, retryMs * 2);
      }
    }
  };
  void run();

  return {
    // For longer than it takes to ask, and to give up an answer that does not come.
    connected: () => !closed && clock.monotonic() - reachedAt < 2 * pace.ask + pace.answer,
    close() {
      closed = true;
      listening?.end();
      wake();
    },
  };
};
