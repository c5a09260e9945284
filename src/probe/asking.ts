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
}

export type Reply =
  | { kind: "answered"; text: string; tokens: { prompt: number; completion: number } }
  | {
      kind: "failed";
      reason: "timeout" | "unavailable" | "rate-limited" | "rejected" | "empty";
      retryAfterMs: number | null;
      detail: string;
    };

/** Asks the subject once. Never rejects. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Reply>;
