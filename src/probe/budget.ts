/**
 * A hard budget of calls and tokens in any hour. Tokens are reserved before a call at their most and settled to what
 * was used afterwards, so as long as no call uses more than was reserved, no hour can exceed the budget.
 * Lives in memory: a restart begins with a full budget.
 */

const hour = 3_600_000;
/** Spendings of one second are kept together and leave the hour together, with the last of them. */
const grain = 1_000;

export interface Reservation {
  /** Ends the call; `tokens` is what it used, or null when that is unknown and the reservation stays spent. */
  settle(tokens: number | null, now: number): void;
}

export interface Spent {
  calls: number;
  tokens: number;
}

export interface Budget {
  /** Null when the call could exceed the budget. Times are milliseconds of the monotonic clock. */
  reserve(tokens: number, now: number): Reservation | null;
  /** In the hour up to `now`, running calls included. */
  spent(now: number): Spent;
}

export const createBudget = (maxCalls: number, maxTokens: number): Budget => {
  let running: Spent = { calls: 0, tokens: 0 };
  let past: Spent = { calls: 0, tokens: 0 };
  const ended: (Spent & { since: number; until: number })[] = [];

  const forget = (now: number): void => {
    const gone = ended.findIndex(({ until }) => now - until < hour);
    const expired = ended.splice(0, gone < 0 ? ended.length : gone);
    for (const { calls, tokens } of expired) past = { calls: past.calls - calls, tokens: past.tokens - tokens };
  };

  const end = (tokens: number, now: number): void => {
    past = { calls: past.calls + 1, tokens: past.tokens + tokens };
    const last = ended.at(-1);
    if (last !== undefined && now - last.since < grain) {
      last.calls += 1;
      last.tokens += tokens;
      last.until = now;
    } else ended.push({ calls: 1, tokens, since: now, until: now });
  };

  const spent = (now: number): Spent => {
    forget(now);
    return { calls: running.calls + past.calls, tokens: running.tokens + past.tokens };
  };

  return {
    spent,
    reserve(reserved, now) {
      const sofar = spent(now);
      if (sofar.calls + 1 > maxCalls || sofar.tokens + reserved > maxTokens) return null;
      running = { calls: running.calls + 1, tokens: running.tokens + reserved };
      let open = true;
      return {
        settle(tokens, at) {
          if (!open) return;
          open = false;
          running = { calls: running.calls - 1, tokens: running.tokens - reserved };
          end(tokens ?? reserved, at);
        },
      };
    },
  };
};
