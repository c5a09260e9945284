/**
 * A configuration that is read from a file and followed: whenever that file, or one that it names, holds something else, it
 * is read anew and handed on. Nothing that changes while it is read is missed.
 */
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Clock } from "../kernel/clock.ts";
import { namedFiles } from "./named-files.ts";
import type { Config } from "./schema.ts";
import { watchFiles } from "./watched-files.ts";

export interface ConfigSource {
  /** Null for one that is in no file; the files that it names are followed all the same. */
  file: string | null;
  read(): Promise<Config>;
}

interface Follower {
  /** Puts it in force, all of it; rejects where that is not possible and nothing has changed. */
  takeOver(config: Config): Promise<void>;
  /** What the files hold is in force. */
  succeeded(): void;
  /** What the files hold could not be read or taken over. What is in force stays. */
  failed(error: unknown): void;
}

export interface FollowedConfig {
  /** As it was read first. */
  config: Config;
  /** What has changed since the first reading is handed on as well. */
  follow(follower: Follower): void;
  /**
   * Hands on another one in its turn, which is followed instead until the source's own file changes. Rejects where it can't
   * be taken over.
   */
  give(config: Config): Promise<void>;
  /** Hands nothing on any more; resolves when nothing is being taken over. */
  close(): Promise<void>;
}

interface Options {
  source: ConfigSource;
  clock: Pick<Clock, "after">;
  /** Milliseconds between two looks where the system tells nothing. */
  everyMs?: number;
}

/** Rejects where it can't be read. */
export const followConfig = async ({ source, clock, everyMs }: Options): Promise<FollowedConfig> => {
  const own = source.file === null ? [] : [source.file];
  const changed = new Set<string>();
  let given: Config | null = null;
  let follower: Follower | null = null;
  let closed = false;

  /** One after the other: of two the later one must stay. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = turn.then(() => (closed ? undefined : work()));
    turn = done.catch(() => {});
    return done;
  };

  const handOn = async (config: Config, { takeOver }: Follower): Promise<void> => {
    // Before they are read. Those in force as well: what mends this may be in either.
    await files.watch([...new Set([...own, ...namedFiles(inForce), ...namedFiles(config)])]);
    await takeOver(config);
    inForce = config;
    await files.watch([...new Set([...own, ...namedFiles(config)])]);
  };

  const readAnew = async (by: Follower): Promise<void> => {
    const stale = new Set(changed);
    changed.clear();
    if (own.some((file) => stale.has(file))) given = null;
    let config: Config | null = null;
    try {
      config = given ?? (await source.read());
      await handOn(config, by);
      by.succeeded();
      return;
    } catch (error) {
      by.failed(error);
    }
    // The files that the configuration in force names count, even while another that is to follow it can't be used.
    const isSame = config !== null && canonicalJson(config) === canonicalJson(inForce);
    if (isSame || !namedFiles(inForce).some((file) => stale.has(file))) return;
    await by.takeOver(inForce).catch(by.failed);
  };

  let isDue = false;
  const read = (): void => {
    const by = follower;
    if (by === null || isDue || changed.size === 0) return;
    isDue = true;
    void inTurn(() => {
      isDue = false;
      return readAnew(by);
    });
  };

  // Watched before it is read.
  const files = await watchFiles({
    paths: own,
    clock,
    ...(everyMs === undefined ? {} : { everyMs }),
    changed(paths) {
      for (const path of paths) changed.add(path);
      read();
    },
  });
  let inForce: Config;
  try {
    inForce = await source.read();
    await files.watch([...new Set([...own, ...namedFiles(inForce)])]);
  } catch (error) {
    files.close();
    throw error;
  }
  return {
    config: inForce,
    follow(by) {
      follower = by;
      read();
    },
    give: (config) =>
      inTurn(async () => {
        if (follower === null) throw new Error("nobody takes it over yet");
        await handOn(config, follower);
        given = config;
      }),
    async close() {
      closed = true;
      files.close();
      await turn;
    },
  };
};
