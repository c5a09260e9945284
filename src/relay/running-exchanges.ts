/**
 * The exchanges under way, and the one timer that looks after all their deadlines. A timer for each would cost every
 * exchange more than its share of this one, and the deadlines are seconds long.
 */
import type { Clock } from "../kernel/clock.ts";
import type { RunningExchange } from "./running-exchange.ts";

/** How late a timeout may be noticed. */
const tickMs = 100;

export interface RunningExchanges extends Iterable<RunningExchange> {
  add(exchange: RunningExchange): void;
  delete(exchange: RunningExchange): void;
  count(): number;
}

export const createRunningExchanges = (clock: Clock): RunningExchanges => {
  const all = new Set<RunningExchange>();
  let ticking = false;

  const tick = (): void => {
    const now = clock.monotonic();
    for (const exchange of all) exchange.check(now);
    ticking = all.size > 0;
    if (ticking) clock.after(tickMs, tick);
  };

  return {
    add(exchange) {
      all.add(exchange);
      if (ticking) return;
      ticking = true;
      clock.after(tickMs, tick);
    },
    delete: (exchange) => void all.delete(exchange),
    count: () => all.size,
    [Symbol.iterator]: () => all.values(),
  };
};
