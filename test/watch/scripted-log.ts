/**
 * A log that many replicas share, in memory: every replica's store can be cut off from it. What the real one does over a
 * network this one does when a test says so, so that each moment in between can be looked at.
 */
import type { Entry, EntryBody } from "../../src/evidence/entry.ts";
import { passes } from "../../src/evidence/rows.ts";
import { type Checkpoint, type Placed, UnreachableLogError } from "../../src/evidence/store.ts";
import type { SharedStore } from "../../src/watch/shared-ledger.ts";

interface Follower {
  position: number;
  replica: string;
  listener(page: readonly Placed[]): void;
  caughtUp: (() => void) | null;
}

export const scriptedLog = () => {
  const entries: Entry[] = [];
  const followers = new Set<Follower>();
  const shipping = new Set<() => void>();
  const cutOff = new Set<string>();
  let checkpoint: Checkpoint | null = null;
  /** One at a time, in the order in which they asked. */
  let turn: Promise<unknown> = Promise.resolve();

  const tell = (follower: Follower): void => {
    if (cutOff.has(follower.replica)) return;
    const page = entries.slice(follower.position).map((entry) => ({ entry, own: entry.replica === follower.replica }));
    follower.position = entries.length;
    if (page.length > 0) follower.listener(page);
    follower.caughtUp?.();
    follower.caughtUp = null;
  };

  /** Ships what waits in the stores that are not cut off, and tells everybody, until nothing is left. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) {
      for (const ship of shipping) ship();
      for (const follower of followers) tell(follower);
      for (let ticks = 0; ticks < 20; ticks += 1) await Promise.resolve();
    }
  };

  const open = (replica: string): SharedStore => {
    const pending: Entry[] = [];
    const ship = (): void => {
      if (cutOff.has(replica)) return;
      for (const entry of pending.splice(0)) entries.push({ ...entry, position: entries.length + 1 });
    };
    shipping.add(ship);
    const reach = (): void => {
      if (cutOff.has(replica)) throw new UnreachableLogError("the log can't be reached");
    };
    return {
      append(given) {
        const entry: Entry = { ...given, replica, position: entries.length + pending.length + 1 };
        pending.push(entry);
        return entry;
      },
      async flush() {
        reach();
        ship();
      },
      async since(position, limit, filter = {}) {
        reach();
        return entries.filter((entry) => entry.position > position && passes(entry, filter)).slice(0, limit);
      },
      async latest(limit, filter = {}, before = Number.POSITIVE_INFINITY) {
        reach();
        return entries
          .filter((entry) => entry.position < before && passes(entry, filter))
          .reverse()
          .slice(0, limit);
      },
      link: async () => null,
      head: () => ({ position: entries.length, hash: "" }),
      health: () => ({ writable: true, pending: pending.length, dropped: 0, lastError: null }),
      async close() {},
      shared: {
        follow(position, listener, caughtUp) {
          const follower: Follower = { position, replica, listener, caughtUp };
          followers.add(follower);
          return () => followers.delete(follower);
        },
        connected: () => !cutOff.has(replica),
        alone(_name, work) {
          const done = turn.then(() => {
            reach();
            return work();
          });
          turn = done.catch(() => {});
          return done;
        },
        async checkpoint() {
          reach();
          return checkpoint;
        },
        async saveCheckpoint(saved) {
          reach();
          checkpoint = saved;
        },
      },
    };
  };

  return {
    entries,
    open,
    settle,
    cut(replica: string, isCut: boolean): void {
      if (isCut) cutOff.add(replica);
      else cutOff.delete(replica);
    },
    checkpoint: () => checkpoint,
    kinds: (kind: EntryBody["kind"]) => entries.filter(({ body }) => body.kind === kind),
  };
};
