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
  /** Files, and folders whose YAML files are meant. */
  paths: readonly string[];
  changed(): void;
  clock: Pick<Clock, "after">;
  /** Milliseconds between two looks where the system tells nothing. */
  everyMs?: number;
}

export interface WatchedFiles {
  /** Ends it. */
  close(): void;
}

/** Editors and tools write in several steps. */
const settleMs = 200;
const defaultEveryMs = 5_000;

const contentOf = async (path: string): Promise<string> => {
  try {
    if (!(await stat(path)).isDirectory())
      return createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
    const contents = await Promise.all(names.map((name) => contentOf(join(path, name))));
    return names.map((name, index) => `${name} ${contents[index]}`).join("\n");
  } catch (error) {
    // Gone or unreadable is a content as well: reading it in earnest says what is wrong.
    return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
  }
};

const contentOfAll = async (paths: readonly string[]): Promise<string> =>
  (await Promise.all(paths.map(contentOf))).join("\n\n");

export const watchFiles = async ({
  paths,
  changed,
  clock,
  everyMs = defaultEveryMs,
}: Options): Promise<WatchedFiles> => {
  let known = await contentOfAll(paths);
  let closed = false;
  let looking = false;
  let cancel = (): void => {};
  const watchers: FSWatcher[] = [];

  const look = async (): Promise<void> => {
    if (looking || closed) return;
    looking = true;
    const now = await contentOfAll(paths);
    looking = false;
    if (closed) return;
    lookIn(everyMs);
    if (now === known) return;
    known = now;
    changed();
  };
  const lookIn = (ms: number): void => {
    cancel();
    cancel = clock.after(ms, () => void look());
  };

  // The folder of a file as well: a file that is replaced is another file, which nobody watches yet.
  for (const folder of new Set(paths.flatMap((path) => [path, dirname(path)]))) {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        if (!closed) lookIn(settleMs);
      });
      // The next look comes anyway.
      watcher.on("error", () => watcher.close());
      watchers.push(watcher);
    } catch {
      // As above.
    }
  }
  lookIn(everyMs);
  return {
    close() {
      closed = true;
      cancel();
      for (const watcher of watchers) watcher.close();
    },
  };
};
