/** Errors of the control API, in the shape that clients of language models know. Never shows a stack or a key. */
import type { ErrorRequestHandler, RequestHandler, Response } from "express";
import type { z } from "zod";
import { UnreachableLogError } from "../evidence/store.ts";
import type { Log } from "../kernel/log.ts";
import type { ErrorView } from "./api-schema.ts";

type Code =
  | "invalid_value"
  | "invalid_json"
  | "unsupported_media_type"
  | "body_too_large"
  | "not_found"
  | "method_not_allowed"
  | "nothing_to_acknowledge"
  | "nothing_to_change"
  | "missing_token"
  | "wrong_token"
  | "changes_disabled"
  | "host_not_allowed"
  | "origin_not_allowed"
  | "too_many_requests"
  | "log_unreachable"
  | "internal_error";

export const errorForms: Record<Code, { status: number; type: string }> = {
  invalid_value: { status: 400, type: "invalid_request_error" },
  invalid_json: { status: 400, type: "invalid_request_error" },
  unsupported_media_type: { status: 415, type: "invalid_request_error" },
  body_too_large: { status: 413, type: "invalid_request_error" },
  not_found: { status: 404, type: "not_found_error" },
  method_not_allowed: { status: 405, type: "invalid_request_error" },
  nothing_to_acknowledge: { status: 409, type: "invalid_request_error" },
  nothing_to_change: { status: 409, type: "invalid_request_error" },
  missing_token: { status: 401, type: "authentication_error" },
  wrong_token: { status: 401, type: "authentication_error" },
  changes_disabled: { status: 403, type: "permission_error" },
  host_not_allowed: { status: 403, type: "permission_error" },
  origin_not_allowed: { status: 403, type: "permission_error" },
  too_many_requests: { status: 429, type: "rate_limit_error" },
  log_unreachable: { status: 503, type: "api_error" },
  internal_error: { status: 500, type: "api_error" },
};

/** What a handler throws to answer with an error; the message says what to change. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: Code;
  readonly param: string | null;

  constructor(code: Code, message: string, param: string | null = null) {
    super(message);
    this.code = code;
    this.param = param;
  }
}

const send = (response: Response, { code, message, param }: ApiError): void => {
  const { status, type } = errorForms[code];
  response.status(status).json({ error: { message, type, param, code } } satisfies ErrorView);
};

const fixOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown ${issue.keys.length > 1 ? "fields" : "field"} ${issue.keys.join(", ")}: remove or correct`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_type":
      return Array.isArray(issue.input) ? "give it once" : `must be a ${issue.expected}`;
    default:
      return issue.message;
  }
};

/** Parses what a client sent; what is wrong becomes an error that names the parameter and the fix. */
export const parseInput = <T>(schema: z.ZodType<T>, input: unknown): T => {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue === undefined) throw new ApiError("invalid_value", "the request can't be understood");
  const param = issue.code === "unrecognized_keys" ? (issue.keys[0] ?? null) : issue.path.join(".") || null;
  throw new ApiError("invalid_value", `${issue.path.join(".") || "request"}: ${fixOf(issue)}`, param);
};

export const unknownPath: RequestHandler = () => {
  throw new ApiError("not_found", "there is nothing at this path; GET / lists what there is");
};

export const onlyMethods =
  (...methods: string[]): RequestHandler =>
  (_request, response) => {
    response.setHeader("allow", methods.join(", "));
    throw new ApiError("method_not_allowed", `use ${methods.join(" or ")} here`);
  };

/** What Express and its body reader throw, by their `type`. */
const foreign = (error: unknown): ApiError | null => {
  if (typeof error !== "object" || error === null) return null;
  const { type, status } = error as { type?: unknown; status?: unknown };
  if (type === "entity.too.large") return new ApiError("body_too_large", "the body is larger than 4 KiB");
  if (type === "entity.parse.failed") return new ApiError("invalid_json", "the body is not valid JSON");
  if (error instanceof UnreachableLogError) return new ApiError("log_unreachable", error.message);
  if (error instanceof URIError) return new ApiError("not_found", "the path is not validly encoded");
  return status === 400 || status === 415
    ? new ApiError(
        status === 400 ? "invalid_json" : "unsupported_media_type",
        "the body can't be read: send plain JSON",
      )
    : null;
};

export const answerErrors =
  (log: Pick<Log, "error">): ErrorRequestHandler =>
  (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const known = error instanceof ApiError ? error : foreign(error);
    if (known === null) {
      log.error({ method: request.method, path: request.path, error: String(error) }, "control request failed");
      send(response, new ApiError("internal_error", "this request failed inside of Candor; its log says why"));
      return;
    }
    send(response, known);
  };
