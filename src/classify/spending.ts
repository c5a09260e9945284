/**
 * What asking a classifier costs, and how much of it an hour allows. Counts every call, also those that fail; what would
 * go over the budget is not asked.
 */
import type { Clock } from "../kernel/clock.ts";

export interface Usage {
  prompt: number;
  completion: number;
}

/** Told about every call; `alert/` implements it. */
export interface CostMeter {
  /** @param usage tokens; an estimate where the server tells none */
  called(classifier: string, usage: Usage): void;
  /** Not asked, because the hour's budget is used up. */
  overBudget(classifier: string): void;
}

export interface Budget {
  /** Null: no limit. */
  callsPerHour: number | null;
  tokensPerHour: number | null;
}

export interface Spending {
  /** Takes a call's place in the hour; false when none is left. */
  claim(): boolean;
  /** What a call that was claimed turned out to cost. */
  spent(usage: Usage): void;
}

const hourMs = 3_600_000;

/** What an hour has seen so far. */
export interface SpentHour {
  /** Of the monotonic clock. */
  began: number;
  calls: number;
  tokens: number;
}

export const nothingSpent = (): SpentHour => ({ began: Number.NEGATIVE_INFINITY, calls: 0, tokens: 0 });

interface Options {
  /** Name of the classifier in the configuration. */
  classifier: string;
  budget: Budget;
  meter: CostMeter;
  clock: Pick<Clock, "monotonic">;
  /** What was spent already; it is counted on. Left out by who begins with a full budget. */
  hour?: SpentHour;
}

/** Hours begin with the first call in them. Tokens are known after a call, so calls under way together may go over. */
export const createSpending = ({ classifier, budget, meter, clock, hour = nothingSpent() }: Options): Spending => {
  const { callsPerHour, tokensPerHour } = budget;
  return {
    claim() {
      if (clock.monotonic() - hour.began >= hourMs) {
        hour.began = clock.monotonic();
        hour.calls = 0;
        hour.tokens = 0;
      }
      if (
        hour.calls >= (callsPerHour ?? Number.POSITIVE_INFINITY) ||
        hour.tokens >= (tokensPerHour ?? Number.POSITIVE_INFINITY)
      ) {
        meter.overBudget(classifier);
        return false;
      }
      hour.calls += 1;
      return true;
    },
    spent(usage) {
      hour.tokens += usage.prompt + usage.completion;
      meter.called(classifier, usage);
    },
  };
};
