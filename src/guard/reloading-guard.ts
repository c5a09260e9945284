/**
 * The guard over files of policies that may change while it works. A change is in force at once, whole or not at all: what
 * can't be read leaves the policies as they were. An exchange keeps those that it began with.
 */
import { type WatchedFiles, watchFiles } from "../config/watched-files.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Guard } from "./guard.ts";
import { type Known, loadPolicies } from "./load-policies.ts";
import type { Policy } from "./policy.ts";

interface Options {
  paths: readonly string[];
  known: Known;
  /** The guard over these policies. */
  guardOf(policies: readonly Policy[]): Guard;
  /** New policies are in force, or could not be read. */
  reloaded(policies: readonly Policy[]): void;
  failed(error: unknown): void;
  clock: Pick<Clock, "after">;
  everyMs?: number;
}

export interface ReloadingGuard extends Guard {
  policies(): readonly Policy[];
  /** Reads these files from now on. Resolves with whether they could be read. */
  use(paths: readonly string[]): Promise<boolean>;
  close(): void;
}

/** Rejects where the policies can't be read at the start: nothing is guarded by half. */
export const createReloadingGuard = async (options: Options): Promise<ReloadingGuard> => {
  const { known, guardOf, reloaded, failed, clock, everyMs } = options;
  let { paths } = options;
  let policies = await loadPolicies(paths, known);
  let guard = guardOf(policies);
  let watched: WatchedFiles | null = null;
  /** One after the other: of two readings the later one must stay. */
  let reading: Promise<boolean> = Promise.resolve(true);

  const read = async (): Promise<boolean> => {
    try {
      const next = await loadPolicies(paths, known);
      guard = guardOf(next);
      policies = next;
      reloaded(next);
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };
  const reload = (): Promise<boolean> => {
    reading = reading.then(read);
    return reading;
  };
  const watchAnew = async (): Promise<void> => {
    watched?.close();
    watched = await watchFiles({
      paths,
      changed: () => void reload(),
      clock,
      ...(everyMs === undefined ? {} : { everyMs }),
    });
  };

  await watchAnew();
  return {
    begin: (exchange) => guard.begin(exchange),
    policies: () => policies,
    async use(next) {
      paths = next;
      await watchAnew();
      return reload();
    },
    close: () => watched?.close(),
  };
};
