/**
 * Tells when the content of files has changed, however they were replaced: written over, renamed, or switched by a symbolic
 * link as Kubernetes does it. Compares content, so a change that changes nothing is none.
 */
import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../kernel/clock.ts";

interface Options {
  /** Files, and folders of which those files are meant that Candor reads. */
  paths: readonly string[];
  /** @param paths those that hold something else */
  changed(paths: readonly string[]): void;
  clock: Pick<Clock, "after">;
  /** Milliseconds between two looks where the system tells nothing. */
  everyMs?: number;
}

export interface WatchedFiles {
  /**
   * Watches these instead. Of one that was watched before, what counts as known stays: a change that nobody was told of yet
   * will be told.
   */
  watch(paths: readonly string[]): Promise<void>;
  /** Ends it. */
  close(): void;
}

/** Editors and tools write in several steps. */
const settleMs = 200;
const defaultEveryMs = 5_000;

/** Policies, probe sets, and the models of screens. */
const readInFolders = /\.(?:ya?ml|json|i8|u8)$/;

/** A digest of what a file holds, or a folder's files. */
export const contentOf = async (path: string): Promise<string> => {
  try {
    if (!(await stat(path)).isDirectory())
      return createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
    const names = (await readdir(path)).filter((name) => readInFolders.test(name)).toSorted();
    const contents = await Promise.all(names.map(async (name) => [name, await contentOf(join(path, name))]));
    return JSON.stringify(contents);
  } catch (error) {
    // Gone or unreadable is a content as well: reading it in earnest says what is wrong.
    return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
  }
};

/** Watchers of the system, one for each folder. They only say that it is time to look. */
const createFolderWatchers = (stirred: () => void) => {
  const watchers = new Map<string, FSWatcher>();
  return {
    watch(folders: ReadonlySet<string>): void {
      for (const [folder, watcher] of watchers) {
        if (folders.has(folder)) continue;
        watcher.close();
        watchers.delete(folder);
      }
      for (const folder of folders) {
        if (watchers.has(folder)) continue;
        try {
          const watcher = watch(folder, { persistent: false }, stirred);
          // The next look comes anyway.
          watcher.on("error", () => watcher.close());
          watchers.set(folder, watcher);
        } catch {
          // As above.
        }
      }
    },
  };
};

export const watchFiles = async (options: Options): Promise<WatchedFiles> => {
  const { changed, clock, everyMs = defaultEveryMs } = options;
  let known = new Map<string, string>();
  let closed = false;
  let looking = false;
  let cancel = (): void => {};
  let due = Number.POSITIVE_INFINITY;

  const look = async (): Promise<void> => {
    due = Number.POSITIVE_INFINITY;
    if (looking || closed) return;
    looking = true;
    const before = known;
    const now = new Map(
      await Promise.all([...before.keys()].map(async (path) => [path, await contentOf(path)] as const)),
    );
    looking = false;
    if (closed) return;
    lookIn(everyMs);
    // Others may be watched by now; what was seen of those that still are counts.
    const differing = [...now].filter(([path, content]) => known.has(path) && known.get(path) !== content);
    for (const [path, content] of differing) known.set(path, content);
    if (differing.length > 0) changed(differing.map(([path]) => path));
  };
  const lookIn = (ms: number): void => {
    // A sooner look stays: who writes without a pause does not put it off for ever.
    if (ms >= due) return;
    cancel();
    due = ms;
    cancel = clock.after(ms, () => void look());
  };

  const folders = createFolderWatchers(() => {
    if (!closed) lookIn(settleMs);
  });
  const watchPaths = async (paths: readonly string[]): Promise<void> => {
    const before = known;
    const added = paths.filter((path) => !before.has(path));
    const contents = new Map(await Promise.all(added.map(async (path) => [path, await contentOf(path)] as const)));
    if (closed) return;
    known = new Map(paths.map((path) => [path, known.get(path) ?? contents.get(path) ?? ""]));
    // The folder of a file as well: a file that is replaced is another file, which nobody watches yet.
    folders.watch(new Set(paths.flatMap((path) => [path, dirname(path)])));
  };

  await watchPaths(options.paths);
  lookIn(everyMs);
  return {
    watch: watchPaths,
    close() {
      closed = true;
      cancel();
      folders.watch(new Set());
    },
  };
};
