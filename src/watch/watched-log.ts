/**
 * The evidence log of a configuration and the ledger on it: a file of this process alone, or a log that a fleet of
 * replicas shares, with the turns in which they probe.
 */
import { hostname } from "node:os";
import type { Config, Subject } from "../config/schema.ts";
import { openSqliteStore } from "../evidence/sqlite-store.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { FleetProbing } from "../probe/fleet-probing.ts";
import { createLedger, type Ledger, type LedgerParts } from "./ledger.ts";

export interface WatchedLog {
  store: EvidenceStore;
  /** Name of this process in the log. */
  replica: string;
  /** To be called once. Resolves with the log read, or, where others share it and it can't be reached, without. */
  openLedger(parts: Omit<LedgerParts<unknown>, "store" | "clock">): Promise<Ledger>;
  /** Undefined where this process is the only one that probes the subject. */
  probingOf(subject: Subject): FleetProbing | undefined;
  /** Writes what was observed until then. */
  close(): Promise<void>;
}

interface Options {
  evidence: Config["evidence"];
  /** Of the database, with its password; null where there is none. */
  url: string | null;
  clock: Clock;
  random: Random;
  log: Log;
}

/** A start is not held up for longer by a log that can't be reached. */
const joinMs = 5_000;

/** What a configuration calls a process that it does not name. */
const unnamed = "local";

const openOwnLog = ({ evidence, clock, log }: Options): WatchedLog => {
  const store = openSqliteStore({ ...evidence, clock, log });
  return {
    store,
    replica: evidence.replica,
    openLedger: async (parts) => createLedger({ ...parts, store, clock }),
    probingOf: () => undefined,
    close: store.close,
  };
};

const openSharedLog = async (options: Options, postgres: NonNullable<Config["evidence"]["postgres"]>, url: string) => {
  const { evidence, clock, random, log } = options;
  // A process with a file of its own has no use for the database's client.
  const { openSharedStore } = await import("../evidence/postgres/shared-store.ts");
  const { createProbeSchedule } = await import("../evidence/postgres/probe-schedule.ts");
  const { createSharedLedger } = await import("./shared-ledger.ts");
  // All replicas of a fleet have the same configuration; in the log each has a name of its own.
  const replica = evidence.replica === unnamed ? hostname() : evidence.replica;
  const { log: name, maxSpooledRows, retention } = postgres;
  const { path, maxPendingRows } = evidence;
  const store = await openSharedStore({
    ...{ url, name, path, replica, clock, random, log, maxPendingRows, maxSpooledRows, retention },
  });
  const onError = (error: unknown): void => log.warn({ error: String(error) }, "the shared log could not be kept up");
  let closeLedger = (): void => {};
  return {
    store,
    replica,
    async openLedger(parts) {
      const ledger = createSharedLedger({ ...parts, store, clock, onError });
      closeLedger = ledger.close;
      await ledger.joined(joinMs);
      return ledger;
    },
    probingOf({ id, probes }) {
      const hour = { calls: probes.maxCallsPerHour, tokens: probes.maxTokensPerHour };
      const day = { calls: probes.maxCallsPerDay, tokens: probes.maxTokensPerDay };
      const { database } = store;
      return createProbeSchedule({ database, subject: id, replica, allowances: { hour, day }, random, onError });
    },
    async close() {
      closeLedger();
      await store.close();
    },
  } satisfies WatchedLog;
};

/** @throws when the file is written by another process, or the log is of a newer Candor or of something else */
export const openWatchedLog = async (options: Options): Promise<WatchedLog> => {
  const { evidence, url } = options;
  if (evidence.postgres === undefined || url === null) return openOwnLog(options);
  return openSharedLog(options, evidence.postgres, url);
};
