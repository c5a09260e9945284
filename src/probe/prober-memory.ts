/**
 * What probing one subject remembers, apart from what it does with it: who probes the subject under another configuration
 * goes on with it, so that its budget holds across the change. In memory only.
 */
import type { Random } from "../kernel/random.ts";
import { createBackoff } from "./backoff.ts";
import type { SpentInSpans } from "./budget.ts";
import { createOutputBank, type OutputBank } from "./output-bank.ts";
import type { Lane } from "./shaping.ts";

export interface ProberMemory {
  spent: SpentInSpans;
  backoffs: Record<Lane, ReturnType<typeof createBackoff>>;
  /** Of the subject itself. */
  outputs: OutputBank;
}

export const newProberMemory = (random: Random): ProberMemory => ({
  spent: new Map(),
  backoffs: {
    fresh: createBackoff(random),
    forked: createBackoff(random),
    resample: createBackoff(random),
    placebo: createBackoff(random),
    canary: createBackoff(random),
  },
  outputs: createOutputBank(),
});
