/**
 * The changing half of the control API: acknowledge an alarm, start a new baseline, pause the probes. The evidence log is
 * the audit trail, and names the key by its id.
 */
import express, { type RequestHandler, Router } from "express";
import type { Entry } from "../evidence/entry.ts";
import type { Ledger } from "../watch/ledger.ts";
import { ApiError, onlyMethods, parseInput } from "./api-error.ts";
import { acknowledgeBody, type ChangeResult, epochBody, probesBody } from "./api-schema.ts";
import type { Subjects } from "./subjects.ts";

export type Changes = Pick<Ledger, "acknowledge" | "startEpoch" | "operation">;

interface Options {
  subjects: Subjects;
  changes: Changes;
  authorised: RequestHandler;
}

export const changingRoutes = ({ subjects, changes, authorised }: Options): Router => {
  const jsonOnly: RequestHandler = (request, _response, next) => {
    if (request.is("application/json") === false) {
      throw new ApiError("unsupported_media_type", "send the body as content-type: application/json", "content-type");
    }
    next();
  };

  const routes = Router();
  type Change = (id: string, actor: string, body: unknown) => Entry | Promise<Entry>;
  const post = (path: `/subjects/:id/${string}`, change: Change) =>
    routes
      .route(path)
      .post(authorised, jsonOnly, express.json({ limit: "4kb" }), async (request, response) => {
        const actor = String(response.locals.actor);
        const { position, at, subject } = await change(String(request.params.id), actor, request.body ?? {});
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
  post("/subjects/:id/probes", (id, actor, body) => {
    const { probes } = subjects.find(id);
    const { paused, note } = parseInput(probesBody, body);
    if (probes === null || probes.paused === paused) {
      const state = probes === null ? "switched off in the configuration" : paused ? "paused already" : "running";
      throw new ApiError("nothing_to_change", `the probes of subject ${id} are ${state}`, "paused");
    }
    return changes.operation(id, actor, paused ? "pause-probes" : "resume-probes", note);
  });
  return routes;
};
