/** Shared logs for tests: each with a database of its own, and stores on it with spools of their own. */
import { afterAll, beforeAll } from "vitest";
import type { Entry } from "../../../src/evidence/entry.ts";
import {
  openSharedStore,
  type SharedStore,
  type SharedStoreOptions,
} from "../../../src/evidence/postgres/shared-store.ts";
import type { Placed } from "../../../src/evidence/store.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { newFolder } from "../evidence-files.ts";
import { type RunningPostgres, startPostgres } from "../running-postgres.ts";

const silent = { info: () => {}, warn: () => {} };

/** So that what is away is noticed within a moment. */
export const impatient: Partial<SharedStoreOptions> = {
  patience: { connect: 500, answer: 500 },
  pace: { ask: 100, answer: 300 },
};

export interface TestLog {
  url: string;
  /** Opens a store of this replica, on its spool. */
  open(replica: string, options?: Partial<SharedStoreOptions>): Promise<SharedStore>;
  /** The path of a replica's spool. */
  spool(replica: string): string;
  remove(): Promise<void>;
}

export const newLog = async (server: RunningPostgres): Promise<TestLog> => {
  const url = await server.newDatabase();
  const folder = newFolder();
  const opened: SharedStore[] = [];
  return {
    url,
    async open(replica, options = {}) {
      const store = await openSharedStore({
        ...{ url, name: "candor", path: folder.path(`${replica}.spool`), replica, clock: systemClock },
        ...{ random: Math.random, log: silent, maxPendingRows: 100_000, maxSpooledRows: 100_000, ...options },
      });
      opened.push(store);
      return store;
    },
    spool: (replica) => folder.path(`${replica}.spool`),
    async remove() {
      await Promise.all(opened.map((store) => store.close().catch(() => {})));
      folder.remove();
    },
  };
};

/** One server for a test file. */
export const serverOfFile = (): (() => RunningPostgres) => {
  let server: RunningPostgres | null = null;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.remove());
  return () => {
    if (server === null) throw new Error("the server was not started");
    return server;
  };
};

/** Follows a log from its beginning. */
export const followed = (store: SharedStore): { placed: Placed[]; isCaughtUp: () => boolean; end: () => void } => {
  const placed: Placed[] = [];
  let caughtUp = false;
  const end = store.shared.follow(
    0,
    (page) => placed.push(...page),
    () => {
      caughtUp = true;
    },
  );
  return { placed, isCaughtUp: () => caughtUp, end };
};

/** Item numbers of entries, as `rowOf` writes them. */
export const itemsOf = (entries: readonly Entry[]): number[] =>
  entries.map(({ body }) => (body.kind === "observation" ? Number(body.item.slice(2)) : Number.NaN));
