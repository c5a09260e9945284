/** Counts what is under way, so that somebody can wait until nothing is. */

export interface UnderWay {
  begin(): void;
  end(): void;
  count(): number;
  /** Resolves as soon as nothing is under way. */
  none(): Promise<void>;
}

export const createUnderWay = (): UnderWay => {
  let count = 0;
  let waiting: (() => void)[] = [];
  return {
    begin() {
      count += 1;
    },
    end() {
      count -= 1;
      if (count > 0) return;
      const all = waiting;
      waiting = [];
      for (const resolve of all) resolve();
    },
    count: () => count,
    none: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
};
