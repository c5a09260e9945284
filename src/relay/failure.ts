/**
 * Every error that the relay itself can answer with, in the shape of the OpenAI API, and how it is written. A message
 * names neither the upstream's address nor anything that the client sent: it ends up in logs and on screens.
 */
import { STATUS_CODES } from "node:http";
import type { ClientAnswer } from "./client-answer.ts";
import type { ExchangeEnd, RelayMeter } from "./exchange.ts";

type RefusalReason = Parameters<RelayMeter["requestRefused"]>[1];

export interface Failure {
  status: number;
  type: "invalid_request_error" | "api_error";
  code: string;
  message: string;
  param: string | null;
  headers?: readonly string[];
}

/** A request that is answered here and never sent. */
export interface Refusal extends Failure {
  reason: RefusalReason;
}

const badRequest = (status: number, code: string, message: string, param: string | null = null): Failure => ({
  status,
  type: "invalid_request_error",
  code,
  message,
  param,
});
const apiError = (status: number, code: string, message: string): Failure => ({
  status,
  type: "api_error",
  code,
  message,
  param: null,
});
const soon = { headers: ["retry-after", "1"] };

export const wrongMethod = (allow: string): Refusal => ({
  ...badRequest(405, "method_not_supported", `This path takes ${allow} only.`),
  headers: ["allow", allow],
  reason: "not-found",
});

export const refusals = {
  unreadablePath: {
    ...badRequest(400, "invalid_path", "The path is not in canonical form. Use the plain path of an endpoint."),
    reason: "bad-request",
  },
  unknownPath: {
    ...badRequest(404, "unknown_url", "This path is not relayed. Check the base URL, which ends in /v1."),
    reason: "not-found",
  },
  notJson: {
    ...badRequest(400, "invalid_json", "The request body is not a JSON object. Send one valid JSON object."),
    reason: "bad-request",
  },
  encodedBody: {
    ...badRequest(415, "unsupported_encoding", "Send the request body without a content-encoding."),
    reason: "bad-request",
  },
  noModel: {
    ...badRequest(400, "missing_model", "Name a model: `model` must be a string.", "model"),
    reason: "bad-request",
  },
  modelTwice: {
    ...badRequest(
      400,
      "ambiguous_model",
      "Name one model: the body has `model` more than once, or in another spelling. Keep one `model`, in lower case.",
      "model",
    ),
    reason: "bad-request",
  },
  unknownModel: {
    ...badRequest(404, "model_not_found", "This model is not configured here.", "model"),
    reason: "not-found",
  },
  bodyTooLarge: {
    ...badRequest(413, "request_too_large", "The request body is larger than this server takes."),
    reason: "too-large",
  },
  headersTooLarge: {
    ...badRequest(431, "headers_too_large", "The request headers are larger than this server takes."),
    reason: "too-large",
  },
  tooSlow: {
    ...badRequest(408, "request_timeout", "The request did not arrive in time."),
    reason: "timeout",
  },
  malformed: {
    ...badRequest(400, "malformed_request", "The request is not valid HTTP."),
    reason: "bad-request",
  },
  tooManyConnections: {
    ...apiError(503, "overloaded", "Too many connections are open. Try again shortly."),
    ...soon,
    reason: "overloaded",
  },
  upstreamBusy: {
    ...apiError(503, "upstream_busy", "Too many requests wait for the model. Try again shortly."),
    ...soon,
    reason: "overloaded",
  },
  upstreamDown: {
    ...apiError(503, "upstream_unreachable", "The model's API can't be reached. Try again shortly."),
    ...soon,
    reason: "unreachable",
  },
  stopping: {
    ...apiError(503, "shutting_down", "This server is shutting down. Try again shortly."),
    ...soon,
    reason: "draining",
  },
} as const satisfies Record<string, Refusal>;

/** @param restMs how long the upstream is left alone for */
export const upstreamDown = (restMs: number): Refusal => ({
  ...refusals.upstreamDown,
  headers: ["retry-after", String(Math.ceil(restMs / 1_000))],
});

/** What can go wrong with a request that was sent, and how the exchange then counts as ended. */
export interface BrokenExchange extends Failure {
  outcome: ExchangeEnd["outcome"];
}

export const breakages = {
  unreachable: {
    ...apiError(502, "upstream_unreachable", "The model's API could not be reached."),
    outcome: "upstream-error",
  },
  closedEarly: {
    ...apiError(502, "upstream_closed", "The model's API closed the connection before it answered."),
    outcome: "upstream-error",
  },
  invalidAnswer: {
    ...apiError(502, "upstream_invalid_answer", "The model's API gave an answer that is not valid HTTP."),
    outcome: "upstream-error",
  },
  noAnswer: {
    ...apiError(504, "upstream_timeout", "The model's API did not begin to answer in time."),
    outcome: "timeout",
  },
  brokenOff: {
    ...apiError(502, "upstream_aborted", "The model's API broke off its answer. The text so far is incomplete."),
    outcome: "upstream-aborted",
  },
  stalled: {
    ...apiError(504, "upstream_timeout", "The model's API stopped in the middle of its answer, which is incomplete."),
    outcome: "timeout",
  },
  stopping: { ...refusals.stopping, outcome: "timeout" },
  bodyTooLarge: { ...refusals.bodyTooLarge, outcome: "client-aborted" },
} as const satisfies Record<string, BrokenExchange>;

export const errorBody = ({ message, type, param, code }: Failure): string =>
  JSON.stringify({ error: { message, type, param, code } });

/** Header that names the exchange on every answer; the only one that the relay adds. */
export const exchangeIdHeader = "x-candor-exchange-id";

export const answerWith = (failure: Failure, response: Pick<ClientAnswer, "writeHead" | "end">, id: string): void => {
  const body = errorBody(failure);
  // The reason phrase is given, because one of the upstream's may have been set and then found to be unusable.
  response.writeHead(failure.status, STATUS_CODES[failure.status] ?? "", [
    "content-type",
    "application/json",
    "content-length",
    String(Buffer.byteLength(body)),
    exchangeIdHeader,
    id,
    ...(failure.headers ?? []),
  ]);
  response.end(body);
};
