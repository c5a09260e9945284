/**
 * A hard budget of calls and tokens in any hour and any day. Tokens are reserved before a call at their most and settled
 * to what was used afterwards, so as long as no call uses more than was reserved, no span can exceed its budget.
 * Lives in memory: a restart begins with a full budget.
 */

export const hour = 3_600_000;
export const day = 24 * hour;
/** Spendings of this share of a span are kept together and leave it together, with the last of them. */
const grains = 3_600;

export interface Reservation {
  /** Ends the call; `tokens` is what it used, or null when that is unknown and the reservation stays spent. */
  settle(tokens: number | null, now: number): void;
}

export interface Spent {
  calls: number;
  tokens: number;
}

/** Most that may be spent in any span of `ms` milliseconds. */
export interface Allowance extends Spent {
  ms: number;
}

export interface Budget {
  /** Null when the call could exceed an allowance. Times are milliseconds of the monotonic clock. */
  reserve(tokens: number, now: number): Reservation | null;
  /** In each span up to `now`, in the order of the allowances, running calls included. */
  spent(now: number): Spent[];
}

/** What was spent within one span of `ms` milliseconds. */
const createSpan = (ms: number) => {
  let running: Spent = { calls: 0, tokens: 0 };
  let past: Spent = { calls: 0, tokens: 0 };
  const ended: (Spent & { since: number; until: number })[] = [];

  const forget = (now: number): void => {
    const gone = ended.findIndex(({ until }) => now - until < ms);
    const expired = ended.splice(0, gone < 0 ? ended.length : gone);
    for (const { calls, tokens } of expired) past = { calls: past.calls - calls, tokens: past.tokens - tokens };
  };

  const spent = (now: number): Spent => {
    forget(now);
    return { calls: running.calls + past.calls, tokens: running.tokens + past.tokens };
  };

  return {
    spent,
    fits(allowed: Spent, tokens: number, now: number): boolean {
      const sofar = spent(now);
      return sofar.calls + 1 <= allowed.calls && sofar.tokens + tokens <= allowed.tokens;
    },
    begin(reserved: number): void {
      running = { calls: running.calls + 1, tokens: running.tokens + reserved };
    },
    end(reserved: number, tokens: number, now: number): void {
      running = { calls: running.calls - 1, tokens: running.tokens - reserved };
      past = { calls: past.calls + 1, tokens: past.tokens + tokens };
      const last = ended.at(-1);
      if (last !== undefined && now - last.since < ms / grains) {
        last.calls += 1;
        last.tokens += tokens;
        last.until = now;
      } else ended.push({ calls: 1, tokens, since: now, until: now });
    },
  };
};

/** What was spent, by the length of the span in milliseconds; it is the same under other allowances. */
export type SpentInSpans = Map<number, ReturnType<typeof createSpan>>;

/** @param known what was spent already; left out by who begins with a full budget */
export const createBudget = (allowances: readonly Allowance[], known: SpentInSpans = new Map()): Budget => {
  const spans = allowances.map(({ ms }) => {
    const span = known.get(ms) ?? createSpan(ms);
    known.set(ms, span);
    return span;
  });
  return {
    spent: (now) => spans.map((span) => span.spent(now)),
    reserve(reserved, now) {
      if (!allowances.every((allowed, place) => spans[place]?.fits(allowed, reserved, now))) return null;
      for (const span of spans) span.begin(reserved);
      let open = true;
      return {
        settle(tokens, at) {
          if (!open) return;
          open = false;
          for (const span of spans) span.end(reserved, tokens ?? reserved, at);
        },
      };
    },
  };
};
