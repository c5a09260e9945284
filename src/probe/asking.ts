/** How probes reach a subject. The implementation sends them so that upstream cannot tell them from the app's calls. */
import type { Turn } from "../dialect/views.ts";
import type { RequestTemplate } from "./request-template.ts";

export interface Question {
  turns: Turn[];
  /** Parameters of the live request that the probe imitates; empty when there is none. */
  parameters: Record<string, unknown>;
  /** Headers to imitate (user agent, SDK headers) and the caller's authorization for a fork; never logged or stored. */
  headers: Record<string, string>;
  /** The live request itself; then parameters and headers are taken from it alone. */
  template?: RequestTemplate | null;
  /** Asked so that the answer can be repeated: sampling, bound and tools are then not the app's. */
  repeatable?: Repeatable;
}

export interface Repeatable {
  /** Tokens. */
  maxTokens: number;
  seed: number | null;
  /** Whether to ask for the probabilities of tokens. */
  logprobs: boolean;
}

export type Reply =
  | {
      kind: "answered";
      text: string;
      tokens: { prompt: number; completion: number };
      /** Probability of the first token, 0-1; absent where it was not asked for or not told. */
      firstToken?: number;
    }
  | {
      kind: "failed";
      reason: "timeout" | "unavailable" | "rate-limited" | "rejected" | "empty";
      retryAfterMs: number | null;
      detail: string;
    };

/** Asks the subject once. Never rejects. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Reply>;
