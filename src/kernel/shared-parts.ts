/**
 * Parts that several owners use at a time: made for the first who asks for one, the same for everybody who asks for it
 * while somebody has it, and closed when the last has let go of it.
 */

export interface Lease<T> {
  part: T;
  /** Lets go of it; a second call does nothing. Resolves once it is closed, where nobody else has it. */
  release(): Promise<void>;
}

export interface SharedParts<T> {
  /** @param key what must be equal for two to have the same part; `make` is asked where nobody has it */
  take(key: string, make: () => T): Lease<T>;
  /** How many there are. */
  count(): number;
}

export const createSharedParts = <T>(close: (part: T) => void | Promise<void>): SharedParts<T> => {
  const all = new Map<string, { part: T; owners: number }>();
  return {
    take(key, make) {
      const shared = all.get(key) ?? { part: make(), owners: 0 };
      all.set(key, shared);
      shared.owners += 1;
      let held = true;
      return {
        part: shared.part,
        async release() {
          if (!held) return;
          held = false;
          shared.owners -= 1;
          if (shared.owners > 0) return;
          all.delete(key);
          await close(shared.part);
        },
      };
    },
    count: () => all.size,
  };
};
