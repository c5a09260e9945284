/**
 * The reading half of the control API: subjects, verdicts, observations. What was said in an exchange is given to the
 * holder of the token alone, and only where the operator had it kept.
 */
import { type RequestHandler, Router } from "express";
import type { Entry, EntryBody } from "../evidence/entry.ts";
import type { EntryFilter, EvidenceStore } from "../evidence/store.ts";
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
import type { Subjects } from "./subjects.ts";
import { viewTrace } from "./verdict-view.ts";

const defaultLimit = 50;

type Of<K extends EntryBody["kind"]> = Extract<EntryBody, { kind: K }>;

type Row = Entry & { body: Of<"observation"> };

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
  /** One page of rows of a kind, newest first, and where the next one begins. */
  const page = <K extends EntryBody["kind"]>(
    kind: K,
    { limit = defaultLimit, before, ...filter }: Omit<EntryFilter, "kinds"> & { limit?: number; before?: number },
  ) => {
    if (filter.subject !== undefined) subjects.find(filter.subject, "subject");
    const rows = store.latest(limit + 1, { ...filter, kinds: [kind] }, before);
    const shown = rows.slice(0, limit);
    const isOfKind = (entry: Entry): entry is Entry & { body: Of<K> } => entry.body.kind === kind;
    return { rows: shown.filter(isOfKind), next: rows.length > limit ? (shown.at(-1)?.position ?? null) : null };
  };

  const observationAt = (text: string): Row => {
    const { position } = parseInput(rowPath, { position: text });
    const [row] = page("observation", { limit: 1, before: position + 1 }).rows;
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
    .get((request, response) => {
      const { rows, next } = page("verdict", parseInput(verdictQuery, request.query));
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
    .get((request, response) => {
      const { rows, next } = page("observation", parseInput(observationQuery, request.query));
      const observations = rows.map(viewObservation);
      response.json({ observations, next } satisfies ObservationPage);
    })
    .all(onlyMethods("GET"));
  routes
    .route("/observations/:position")
    .get((request, response) => {
      const row = observationAt(request.params.position);
      response.json({
        ...viewObservation(row),
        chain: store.link(row.position),
        contentKept: row.body.content !== null,
      } satisfies ObservationDetail);
    })
    .all(onlyMethods("GET"));
  routes
    .route("/observations/:position/content")
    .get(authorised, (request, response) => {
      const { position, body } = observationAt(request.params.position);
      if (body.content === null) throw new ApiError("not_found", "no text was kept of this row", "position");
      response.json({ position, content: body.content });
    })
    .all(onlyMethods("GET"));
  return routes;
};
