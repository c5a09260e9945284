/** The request headers that leave the process: the same for relayed traffic and for probes, which must look alike. */
import { createHeaderAllowlist, type HeaderAllowlist } from "./header-allowlist.ts";

const usual = [
  "accept",
  "accept-encoding",
  "accept-language",
  "anthropic-beta",
  "anthropic-version",
  "api-key",
  "authorization",
  "baggage",
  "content-encoding",
  "content-language",
  "content-type",
  "idempotency-key",
  "if-none-match",
  "openai-*",
  "range",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-api-key",
  "x-client-request-id",
  "x-request-id",
  "x-stainless-*",
] as const;

/** Headers in which a caller's key travels. */
export const credentials: ReadonlySet<string> = new Set(["authorization", "api-key", "x-api-key"]);

export const requestHeaderAllowlist = (added: readonly string[]): HeaderAllowlist =>
  createHeaderAllowlist([...usual, ...added]);
