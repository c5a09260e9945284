/** The reading half of the control API: subjects, verdicts, observations. Gives no content of any exchange. */
import { Router } from "express";
import type { Entry, EntryBody } from "../evidence/entry.ts";
import type { EntryFilter, EvidenceStore } from "../evidence/store.ts";
import { onlyMethods, parseInput } from "./api-error.ts";
import { type ObservationPage, observationQuery, type VerdictPage, verdictQuery } from "./api-schema.ts";
import type { Subjects } from "./subjects.ts";

const defaultLimit = 50;

type Of<K extends EntryBody["kind"]> = Extract<EntryBody, { kind: K }>;

interface Options {
  subjects: Subjects;
  store: Pick<EvidenceStore, "latest">;
}

export const readingRoutes = ({ subjects, store }: Options): Router => {
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
      const observations = rows.map(({ position, at, replica, subject, body: { kind: _, content: __, ...body } }) => ({
        position,
        at,
        replica,
        subject,
        ...body,
      }));
      response.json({ observations, next } satisfies ObservationPage);
    })
    .all(onlyMethods("GET"));
  return routes;
};
