/**
 * The changing half of the control API: acknowledge an alarm, start a new baseline. Needs the configured bearer token;
 * the evidence log is the audit trail, and names the key by its id.
 */
import { timingSafeEqual } from "node:crypto";
import express, { type RequestHandler, Router } from "express";
import type { Entry } from "../evidence/entry.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Ledger } from "../watch/ledger.ts";
import { ApiError, onlyMethods, parseInput } from "./api-error.ts";
import { acknowledgeBody, type ChangeResult, epochBody } from "./api-schema.ts";
import { createAttemptLimit } from "./attempt-limit.ts";
import { digestKey, keyId } from "./key-id.ts";
import type { Subjects } from "./subjects.ts";

export type Changes = Pick<Ledger, "acknowledge" | "startEpoch">;

interface Options {
  subjects: Subjects;
  changes: Changes;
  /** Null: nobody may change anything. */
  token: string | null;
  /** Keeps the ids in the audit trail from being guessed back into keys. */
  pepper: string;
  clock: Pick<Clock, "monotonic">;
}

const bearer = (header: string | undefined): string | null => /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? null;

export const changingRoutes = ({ subjects, changes, token, pepper, clock }: Options): Router => {
  const limit = createAttemptLimit({ clock, burst: 20, perSecond: 1 / 3 });
  const expected = token === null ? null : digestKey(pepper, token);

  const authorised: RequestHandler = (request, response, next) => {
    if (expected === null) {
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
    if (!timingSafeEqual(digest, expected)) {
      response.setHeader("www-authenticate", "Bearer");
      throw new ApiError("wrong_token", "this is not the configured token", "authorization");
    }
    response.locals.actor = keyId(digest);
    next();
  };

  const jsonOnly: RequestHandler = (request, _response, next) => {
    if (request.is("application/json") === false) {
      throw new ApiError("unsupported_media_type", "send the body as content-type: application/json", "content-type");
    }
    next();
  };

  const routes = Router();
  const post = (path: `/subjects/:id/${string}`, change: (id: string, actor: string, body: unknown) => Entry) =>
    routes
      .route(path)
      .post(authorised, jsonOnly, express.json({ limit: "4kb" }), (request, response) => {
        const actor = String(response.locals.actor);
        const { position, at, subject } = change(String(request.params.id), actor, request.body ?? {});
        response.status(201).json({ subject, position, at, actor } satisfies ChangeResult);
      })
      .all(onlyMethods("POST"));

  post("/subjects/:id/acknowledge", (id, actor, body) => {
    const { verdict } = subjects.find(id);
    const { note } = parseInput(acknowledgeBody, body);
    if (verdict.severity === "none") {
      // An acknowledgement throws the gathered evidence away; without an alarm that would only blind the detector.
      throw new ApiError(
        "nothing_to_acknowledge",
        `subject ${id} has no alarm, so there is nothing to acknowledge`,
        "id",
      );
    }
    return changes.acknowledge(id, actor, note);
  });
  post("/subjects/:id/epoch", (id, actor, body) => {
    subjects.find(id);
    const { reason } = parseInput(epochBody, body);
    // An epoch's row has no field for who began it.
    return changes.startEpoch(id, `${reason} (by key ${actor})`);
  });
  return routes;
};
