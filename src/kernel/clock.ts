/** Time and timers as an argument, so that tests can turn the clock by hand. */
export interface Clock {
  /** Wall clock, milliseconds since 1970; for people. */
  now(): number;
  /** Milliseconds from an arbitrary start; never jumps. For every duration, schedule and budget. */
  monotonic(): number;
  /** Calls back once after `ms`; the returned function cancels. Timers do not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
