/** How the data port stops: late enough that nobody notices, and in bounded time. */
import type { Server } from "node:http";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kernel/clock.ts";
import { breakages } from "./failure.ts";
import type { RunningExchanges } from "./running-exchanges.ts";

/** How long a broken-off answer may take to reach its client before the connection is closed anyway. */
const lastWordsMs = 1_000;

export interface Draining {
  /** Clients are to be told that their connection closes. */
  begun(): boolean;
  /** Nothing new is taken any more. */
  over(): boolean;
  exchangeEnded(): void;
  drain(): Promise<void>;
  close(): Promise<void>;
}

interface Options {
  server: Server;
  running: Pick<RunningExchanges, "count" | "now">;
  /** Read when the draining begins. */
  settings(): Config["drain"];
  clock: Clock;
}

export const createDraining = ({ server, running, settings, clock }: Options): Draining => {
  let phase: "serving" | "leaving" | "finishing" | "over" = "serving";
  let finished: Promise<void> | null = null;
  /** Ends the wait that is under way. */
  let wake = (): void => {};
  let hurried = false;

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (hurried) {
        resolve();
        return;
      }
      const cancel = clock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });

  const hurry = (): void => {
    hurried = true;
    wake();
  };

  const leave = async (): Promise<void> => {
    phase = "leaving";
    const { minSeconds, timeoutSeconds } = settings();
    await wait(minSeconds * 1_000);
    phase = "finishing";
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    if (running.count() > 0) await wait(timeoutSeconds * 1_000);
    phase = "over";
    for (const exchange of running.now()) exchange.breakOff(breakages.stopping);
    const cancel = clock.after(running.count() > 0 ? lastWordsMs : 0, () => server.closeAllConnections());
    await closed;
    cancel();
  };

  return {
    begun: () => phase !== "serving",
    over: () => phase === "over",
    exchangeEnded() {
      if (phase === "serving" || phase === "leaving") return;
      // A response becomes idle only after it has closed.
      setImmediate(() => server.closeIdleConnections());
      if (phase === "finishing" && running.count() === 0) wake();
    },
    drain() {
      if (finished === null) finished = leave();
      else hurry();
      return finished;
    },
    close() {
      hurry();
      finished ??= leave();
      return finished;
    },
  };
};
