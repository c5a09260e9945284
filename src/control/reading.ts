/**
 * The reading half of the control API: subjects, verdicts, observations. What was said in an exchange is given to the
 * holder of the token alone, and only where the operator had it kept.
 */
import { type RequestHandler, Router } from "express";
import type { EvidenceStore } from "../evidence/store.ts";
import type { VerdictTraces } from "../watch/verdict-trace.ts";
import { ApiError, onlyMethods, parseInput } from "./api-error.ts";
import {
  type ObservationDetail,
  type ObservationPage,
  observationQuery,
  rowPath,
  type VerdictPage,
  verdictQuery,
} from "./api-schema.ts";
import { type EntryOf, pagesOf } from "./entry-pages.ts";
import type { Subjects } from "./subjects.ts";
import { viewTrace } from "./verdict-view.ts";

type Row = EntryOf<"observation">;

const viewObservation = ({ position, at, replica, subject, body: { kind: _, content: __, ...body } }: Row) => ({
  position,
  at,
  replica,
  subject,
  ...body,
});

interface Options {
  subjects: Subjects;
  store: Pick<EvidenceStore, "latest" | "link">;
  traces: Pick<VerdictTraces, "read">;
  authorised: RequestHandler;
}

export const readingRoutes = ({ subjects, store, traces, authorised }: Options): Router => {
  const page = pagesOf(store, subjects);

  const observationAt = async (text: string): Promise<Row> => {
    const { position } = parseInput(rowPath, { position: text });
    const [row] = (await page("observation", { limit: 1, before: position + 1 })).rows;
    if (row?.position !== position)
      throw new ApiError("not_found", "no observation stands at this position", "position");
    return row;
  };

  const routes = Router();
  routes
    .route("/subjects")
    .get((_request, response) => {
      response.json({ subjects: subjects.all() });
    })
    .all(onlyMethods("GET"));
  routes
    .route("/subjects/:id")
    .get((request, response) => {
      response.json(subjects.find(request.params.id));
    })
    .all(onlyMethods("GET"));
  routes
    .route("/subjects/:id/trace")
    .get(async (request, response) => {
      const { id } = subjects.find(request.params.id);
      response.json(viewTrace(id, await traces.read(id)));
    })
    .all(onlyMethods("GET"));
  routes
    .route("/verdicts")
    .get(async (request, response) => {
      const { rows, next } = await page("verdict", parseInput(verdictQuery, request.query));
      const verdicts = rows.map(({ position, at, replica, subject, body: { kind: _, ...body } }) => ({
        position,
        at,
        replica,
        subject,
        ...body,
      }));
      response.json({ verdicts, next } satisfies VerdictPage);
    })
    .all(onlyMethods("GET"));
  routes
    .route("/observations")
    .get(async (request, response) => {
      const { rows, next } = await page("observation", parseInput(observationQuery, request.query));
      const observations = rows.map(viewObservation);
      response.json({ observations, next } satisfies ObservationPage);
    })
    .all(onlyMethods("GET"));
  routes
    .route("/observations/:position")
    .get(async (request, response) => {
      const row = await observationAt(request.params.position);
      response.json({
        ...viewObservation(row),
        chain: await store.link(row.position),
        contentKept: row.body.content !== null,
      } satisfies ObservationDetail);
    })
    .all(onlyMethods("GET"));
  routes
    .route("/observations/:position/content")
    .get(authorised, async (request, response) => {
      const { position, body } = await observationAt(request.params.position);
      if (body.content === null) throw new ApiError("not_found", "no text was kept of this row", "position");
      response.json({ position, content: body.content });
    })
    .all(onlyMethods("GET"));
  return routes;
};
