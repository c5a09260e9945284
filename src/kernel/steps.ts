/** Long work in steps: at once where it is short, else a little at a time, so that others get their turns. */

/** Work that may be interrupted wherever it yields. */
export type Steps<T> = Generator<void, T>;

export const atOnce = <T>(steps: Steps<T>): T => {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Milliseconds of work before others get their turn. */
const turnMs = 5;

export const inTurns = async <T>(steps: Steps<T>): Promise<T> => {
  for (;;) {
    // Before the first step as well: whoever asks has had a turn already, and the next comes before that of timers.
    await nextTurn();
    const from = performance.now();
    while (performance.now() - from < turnMs) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }
};
