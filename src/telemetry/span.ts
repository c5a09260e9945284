/** One thing that took time, before it is encoded. Holds names from the configuration, numbers and outcomes; never content. */
import type { Random } from "../kernel/random.ts";

export interface Span {
  name: string;
  kind: "client" | "internal";
  traceId: string;
  spanId: string;
  /** Null for the first of its trace. */
  parentSpanId: string | null;
  /** Wall clock, milliseconds since 1970. */
  startedAt: number;
  durationMs: number;
  attributes: Record<string, string | number>;
  failed: boolean;
}

export interface TraceParent {
  traceId: string;
  spanId: string;
  sampled: boolean;
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The caller's, by W3C Trace Context; null for none and for what is none. */
export const readTraceParent = (header: unknown): TraceParent | null => {
  if (typeof header !== "string") return null;
  const [, version, traceId = "", spanId = "", flags = "", rest] = traceparent.exec(header) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
};

const hexDigits = (count: number, random: Random): string =>
  Array.from({ length: count / 8 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  ).join("");

export const newTraceId = (random: Random): string => hexDigits(32, random);
export const newSpanId = (random: Random): string => hexDigits(16, random);

/**
 * Whether a trace is of the share that is exported. Decided by its id, so that all who go by it decide alike; what the
 * caller does not sample is not.
 */
export const isSampled = (traceId: string, parent: TraceParent | null, share: number): boolean =>
  parent?.sampled !== false && Number.parseInt(traceId.slice(-8), 16) < share * 2 ** 32;
