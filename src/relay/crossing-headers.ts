/** What of the headers crosses the relay in either direction. Values are passed on byte for byte. */
import type { IncomingMessage } from "node:http";
import { createHeaderAllowlist, type HeaderAllowlist } from "../egress/header-allowlist.ts";
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

const none: ReadonlySet<string> = new Set();

/** Names that a Connection header lists: they belong to that connection and go no further (RFC 9110, 7.6.1). */
const namedByConnection = (connection: string | undefined): ReadonlySet<string> =>
  connection === undefined || connection === "keep-alive" || connection === "close"
    ? none
    : new Set(connection.split(",").map((name) => name.trim().toLowerCase()));

/** `key` takes the place of every credential of the caller. */
export const headersUp = (
  { rawHeaders, headers }: IncomingMessage,
  passes: HeaderAllowlist,
  key: string | null,
): string[] => {
  const dropped = namedByConnection(headers.connection);
  const up: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (!passes(name)) continue;
    if (dropped !== none && dropped.has(name.toLowerCase())) continue;
    if (key !== null && credentials.has(name.toLowerCase())) continue;
    up.push(name, rawHeaders[i + 1] ?? "");
  }
  if (key !== null) up.push("authorization", `Bearer ${key}`);
  return up;
};

/** Without a caller's keys: they are for the upstream that the caller meant, not for another one. */
export const withoutCredentials = (headers: readonly string[]): string[] =>
  headers.filter((_item, place) => !credentials.has((headers[place - (place % 2)] ?? "").toLowerCase()));

/** Asks for an answer that can be read as it comes. */
export const asIdentity = (headers: readonly string[]): string[] => {
  const asked: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (!isNamed(name, "accept-encoding")) asked.push(name, headers[i + 1] ?? "");
  }
  asked.push("accept-encoding", "identity");
  return asked;
};

/** Whether a raw name is `lower`, which is in lower case. Compares lengths first: this runs for every header. */
const isNamed = (name: string, lower: string): boolean =>
  name.length === lower.length && (name === lower || name.toLowerCase() === lower);

export interface AnswerHead {
  headers: string[];
  contentType: string;
  contentEncoding: string | undefined;
  /** Whether the upstream said how long the body is. */
  sized: boolean;
}

/** `raw` holds names and values in turn, as bytes; `bodiless` answers (204, 304) must not declare a length. */
export const headersDown = (raw: readonly Buffer[], passes: HeaderAllowlist, bodiless: boolean): AnswerHead => {
  const head: AnswerHead = { headers: [], contentType: "", contentEncoding: undefined, sized: false };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toString("latin1") ?? "";
    // The length is of the body itself, which passes unchanged, and not of the connection.
    const isLength = isNamed(name, "content-length");
    if (isLength ? bodiless : !passes(name)) continue;
    const value = raw[i + 1]?.toString("latin1") ?? "";
    head.headers.push(name, value);
    if (isLength) head.sized = true;
    else if (isNamed(name, "content-type")) head.contentType = value;
    else if (isNamed(name, "content-encoding")) head.contentEncoding = value;
  }
  return head;
};
