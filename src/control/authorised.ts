/** Lets the holder of the control token through, and nobody else; says who it was by an id of the key. */
import { timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import type { Clock } from "../kernel/clock.ts";
import { ApiError } from "./api-error.ts";
import { createAttemptLimit } from "./attempt-limit.ts";
import { digestKey, keyId } from "./key-id.ts";

interface Options {
  /** Null: nobody is let through. */
  token(): string | null;
  /** Keeps the ids in the audit trail from being guessed back into keys. */
  pepper: string;
  clock: Pick<Clock, "monotonic">;
}

const bearer = (header: string | undefined): string | null => /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? null;

/** Leaves the key's id in `response.locals.actor`. */
export const createAuthorised = ({ token, pepper, clock }: Options): RequestHandler => {
  const limit = createAttemptLimit({ clock, burst: 20, perSecond: 1 / 3 });
  return (request, response, next) => {
    const configured = token();
    if (configured === null) {
      throw new ApiError(
        "changes_disabled",
        "changes are switched off: name a token with control.token in the configuration",
      );
    }
    if (!limit.admit(request.socket.remoteAddress ?? "unknown")) {
      response.setHeader("retry-after", "3");
      throw new ApiError("too_many_requests", "too many attempts from this address: wait a few seconds");
    }
    const key = bearer(request.headers.authorization);
    if (key === null) {
      response.setHeader("www-authenticate", "Bearer");
      throw new ApiError("missing_token", "send the token as `authorization: Bearer TOKEN`", "authorization");
    }
    const digest = digestKey(pepper, key);
    if (!timingSafeEqual(digest, digestKey(pepper, configured))) {
      response.setHeader("www-authenticate", "Bearer");
      throw new ApiError("wrong_token", "this is not the configured token", "authorization");
    }
    response.locals.actor = keyId(digest);
    next();
  };
};
