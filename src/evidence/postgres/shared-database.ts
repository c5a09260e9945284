/**
 * The database that replicas share: a few connections, none of which can be stuck for long, whether the server, the
 * network or this process is at fault. Every rejection is an `UnreachableLogError` or a `DatabaseRefusal`, fit to be
 * logged; nothing here ends the process or holds it up.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Client, type ClientConfig, Pool, type PoolClient, type QueryConfig, types } from "pg";
import type { Random } from "../../kernel/random.ts";
import { UnreachableLogError } from "../store.ts";
import { explained } from "./database-error.ts";
import { parseDatabaseUrl } from "./database-url.ts";

export type Row = Record<string, unknown>;

export interface Session {
  /**
   * One statement, or several without values and rows; a transaction by itself unless it is within one. Whole numbers come as numbers, bytes as Buffers.
   * @param patienceMs how long the answer is waited for; the connection is given up then
   */
  query(text: string, values?: readonly unknown[], patienceMs?: number): Promise<Row[]>;
}

/** A connection of its own that was told what to listen to. */
export interface Listening extends Session {
  /** Closes at once, without a word to the server if that does not answer. */
  end(): void;
}

export interface SharedDatabase extends Session {
  /** The schema of this log, quoted for statements. */
  schema: string;
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Does the work while no other process does work of this name with this log; waits until that is so. If the connection
   * is lost meanwhile, another may begin, so it rejects at once, and `lost` tells the work to stop.
   */
  alone<T>(name: string, work: (lost: AbortSignal) => Promise<T>): Promise<T>;
  /** `onEnd` is called once, when the connection is lost or ended. */
  listen(channel: string, onMessage: (payload: string) => void, onEnd: () => void): Promise<Listening>;
  /** Gives all connections up. */
  close(): Promise<void>;
}

export interface SharedDatabaseOptions {
  /** As in the configuration, with its password. */
  url: string;
  /** Name of the log. */
  log: string;
  /** What the server's own lists of connections call this process. */
  replica: string;
  random: Random;
  patience?: Patience;
}

/** How long is waited before the database counts as away, milliseconds. */
export interface Patience {
  /** For a connection. */
  connect: number;
  /** For an answer, unless more is said; and by the server for the next statement of a transaction. */
  answer: number;
}

const usualPatience: Patience = { connect: 3_000, answer: 4_000 };
/** How often a process that waits to be alone asks again, and whoever is alone looks whether it still is. */
const aloneMs = 200;
const holdingMs = 1_000;
const closeMs = 1_000;
const mostConnections = 4;

/**
 * The server's own limits, so that a stopped or unreachable replica keeps no lock. It learns of a dead connection by
 * keepalives: 10 s without a word, then three attempts of 3 s.
 */
const serverLimits = {
  statement_timeout: 30_000,
  lock_timeout: 3_000,
  options: "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3",
};

const int8 = 20;

/** What is beyond exact numbers stays text, which no schema of rows takes. */
const toNumber = (text: string): number | string => {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
};

const configOf = (
  { url, replica }: SharedDatabaseOptions,
  patience: Patience,
): { config: ClientConfig; secrets: readonly string[] } => {
  const { secrets, ...address } = parseDatabaseUrl(url);
  const getTypeParser: typeof types.getTypeParser = (oid: number, format?: string) =>
    oid === int8 ? toNumber : types.getTypeParser(oid, format === "binary" ? "binary" : "text");
  const config: ClientConfig = {
    ...address,
    ...serverLimits,
    idle_in_transaction_session_timeout: patience.answer,
    application_name: `candor ${replica}`,
    connectionTimeoutMillis: patience.connect,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
  };
  return { config, secrets };
};

interface TimedQuery extends QueryConfig<unknown[]> {
  /** pg's own option, which its types leave out. */
  query_timeout: number;
}

/** Without a goodbye, for which a server that does not answer would be waited. */
const cut = (client: Client): void => {
  client.connection.stream.destroy();
};

const nothing = (): void => {};

/** Part of every statement, so it must be harmless as it stands. */
const nameOfLog = /^[a-z][a-z0-9_]{0,39}$/;

/** @throws for a URL that is none, and for a name that no log can have */
export const openSharedDatabase = (options: SharedDatabaseOptions): SharedDatabase => {
  if (!nameOfLog.test(options.log)) {
    throw new Error("the name of the log: use 1-40 lower-case letters, digits or '_', starting with a letter");
  }
  const { patience = usualPatience } = options;
  const { config, secrets } = configOf(options, patience);
  const pool = new Pool({ ...config, max: mostConnections, idleTimeoutMillis: 60_000 });
  const all = new Set<Client>();
  let closed = false;

  /** A broken connection is told by the next query on it; without a listener it would end the process. */
  const keep = (client: Client): void => {
    all.add(client);
    client.on("error", nothing);
  };
  pool.on("error", nothing);
  pool.on("connect", keep);
  pool.on("remove", (client) => all.delete(client));

  /** What the client library throws is not for others: see `explained`. */
  const explaining = async <T>(asked: () => Promise<T>): Promise<T> => {
    if (closed) throw new UnreachableLogError("the connection to the database was closed");
    try {
      return await asked();
    } catch (error) {
      throw explained(error, secrets);
    }
  };

  const ask = (
    client: Client,
    text: string,
    values: readonly unknown[] = [],
    patienceMs = patience.answer,
  ): Promise<Row[]> =>
    explaining(async () => {
      const query: TimedQuery = { text, values: [...values], query_timeout: patienceMs };
      const result = await client.query<Row>(query);
      // Of several statements at once pg gives a list of results, whatever its types say; nobody asks for their rows.
      return Array.isArray(result) ? [] : result.rows;
    });

  const sessionOf = (client: Client): Session => ({
    query: (text, values, patienceMs) => ask(client, text, values, patienceMs),
  });

  /** Whatever failed, the connection is not used again: it is not known what state it is in. */
  const withClient = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await explaining(() => pool.connect());
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      cut(client);
      throw error;
    }
  };

  const connect = async (): Promise<Client> => {
    const client = new Client(config);
    keep(client);
    client.on("end", () => all.delete(client));
    try {
      await explaining(() => client.connect());
      return client;
    } catch (error) {
      all.delete(client);
      cut(client);
      throw error;
    }
  };

  const lockOf = (name: string): string => `${options.log} ${name}`;
  const tryLock = "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken";

  const takeLock = async (client: Client, name: string): Promise<void> => {
    for (;;) {
      const [row] = await ask(client, tryLock, [lockOf(name)]);
      if (row?.taken === true) return;
      await pause(aloneMs * (0.5 + options.random()), undefined, { ref: false });
    }
  };

  /** Rejects as soon as the connection that holds the lock does not answer. Resolves never but when it is stopped. */
  const watchLock = async (client: Client, stopped: AbortSignal): Promise<void> => {
    while (!stopped.aborted) {
      await ask(client, "SELECT 1", [], patience.connect);
      await pause(holdingMs, undefined, { ref: false, signal: stopped }).catch(nothing);
    }
  };

  return {
    schema: `"${options.log}"`,
    query: (text, values, patienceMs) => withClient((client) => ask(client, text, values, patienceMs)),
    transaction: (work) =>
      withClient(async (client) => {
        await ask(client, "BEGIN");
        const result = await work(sessionOf(client));
        await ask(client, "COMMIT");
        return result;
      }),
    async alone(name, work) {
      const client = await connect();
      const stop = new AbortController();
      const lost = new AbortController();
      try {
        await takeLock(client, name);
        const watched = watchLock(client, stop.signal).catch((error: unknown) => {
          lost.abort();
          throw error;
        });
        const never = watched.then(() => new Promise<never>(nothing));
        return await Promise.race([work(lost.signal), never]);
      } finally {
        stop.abort();
        // The end of the session gives the lock back.
        await Promise.race([client.end(), pause(closeMs, undefined, { ref: false })]).catch(nothing);
        cut(client);
      }
    },
    async listen(channel, onMessage, onEnd) {
      const client = await connect();
      client.on("notification", ({ payload }) => onMessage(payload ?? ""));
      client.on("end", onEnd);
      try {
        await ask(client, `LISTEN "${channel}"`);
      } catch (error) {
        cut(client);
        throw error;
      }
      return { ...sessionOf(client), end: () => cut(client) };
    },
    async close() {
      if (closed) return;
      closed = true;
      const ended = pool.end();
      await Promise.race([ended, pause(closeMs, undefined, { ref: false })]).catch(nothing);
      for (const client of all) cut(client);
    },
  };
};
