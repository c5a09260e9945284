/** What of the headers crosses the relay in either direction. Values are passed on byte for byte. */
import type { IncomingMessage } from "node:http";
import { createHeaderAllowlist, type HeaderAllowlist, namedByConnection } from "../egress/header-allowlist.ts";
import { credentials } from "../egress/request-headers.ts";

const usualOfAnswers = [
  "accept-ranges",
  "anthropic-*",
  "apim-request-id",
  "cache-control",
  "cf-ray",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-range",
  "content-type",
  "date",
  "deprecation",
  "etag",
  "last-modified",
  "openai-*",
  "ratelimit-*",
  "request-id",
  "retry-after",
  "retry-after-ms",
  "sunset",
  "vary",
  "www-authenticate",
  "x-ms-*",
  "x-ratelimit-*",
  "x-request-id",
  "x-should-retry",
] as const;

export const answerHeaderAllowlist = (added: readonly string[]): HeaderAllowlist =>
  createHeaderAllowlist([...usualOfAnswers, ...added]);

const nothing: ReadonlySet<string> = new Set();

/** `key` takes the place of every credential of the caller. */
export const headersUp = (request: IncomingMessage, passes: HeaderAllowlist, key: string | null): string[] => {
  const raw = request.rawHeaders;
  const { connection } = request.headers;
  const dropped =
    connection === undefined || connection === "keep-alive" || connection === "close"
      ? nothing
      : namedByConnection(connection);
  const up: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (!passes(name)) continue;
    if (dropped !== nothing && dropped.has(name.toLowerCase())) continue;
    if (key !== null && credentials.has(name.toLowerCase())) continue;
    up.push(name, raw[i + 1] ?? "");
  }
  if (key !== null) up.push("authorization", `Bearer ${key}`);
  return up;
};

export interface AnswerHead {
  headers: string[];
  contentType: string;
  contentEncoding: string | undefined;
  /** Whether the upstream said how long the body is. */
  sized: boolean;
}

/** Framing that belongs to the body itself and not to the connection. */
const lengthHeader = "content-length";

/** `raw` holds names and values in turn, as bytes; `bodiless` answers (204, 304) must not declare a length. */
export const headersDown = (raw: readonly Buffer[], passes: HeaderAllowlist, bodiless: boolean): AnswerHead => {
  const head: AnswerHead = { headers: [], contentType: "", contentEncoding: undefined, sized: false };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toString("latin1") ?? "";
    const isLength = name.length === lengthHeader.length && name.toLowerCase() === lengthHeader;
    if (isLength ? bodiless : !passes(name)) continue;
    const value = raw[i + 1]?.toString("latin1") ?? "";
    head.headers.push(name, value);
    if (isLength) head.sized = true;
    else if (name.length === 12 && name.toLowerCase() === "content-type") head.contentType = value;
    else if (name.length === 16 && name.toLowerCase() === "content-encoding") head.contentEncoding = value;
  }
  return head;
};
