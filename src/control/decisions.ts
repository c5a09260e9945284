/** What the policies are and what they decided, for reading. */
import { Router } from "express";
import type { EvidenceStore } from "../evidence/store.ts";
import { type Policy, policyVersion } from "../guard/policy.ts";
import type { PolicyTally } from "../watch/decision-log.ts";
import { noSubject } from "../watch/ledger.ts";
import { ApiError, onlyMethods, parseInput } from "./api-error.ts";
import { type DecisionDetail, type DecisionPage, decisionQuery, type PolicyList, rowPath } from "./api-schema.ts";
import { type EntryOf, pagesOf } from "./entry-pages.ts";
import type { Subjects } from "./subjects.ts";

export interface PolicyInForce {
  policy: Policy;
  tally: PolicyTally;
}

interface Options {
  subjects: Subjects;
  store: Pick<EvidenceStore, "latest" | "link">;
  policies(): readonly PolicyInForce[];
}

const viewDecision = ({ position, at, replica, subject, body: { kind: _, ...body } }: EntryOf<"decision">) => ({
  position,
  at,
  replica,
  subject: subject === noSubject ? null : subject,
  ...body,
});

const viewPolicy = ({ policy, tally }: PolicyInForce): PolicyList["policies"][number] => {
  const { id, description, stage, action, mode, where } = policy;
  const { subjects = null, routes = null, carriers = null, personas = null } = where;
  return {
    id,
    version: policyVersion(policy),
    description,
    stage,
    action,
    mode,
    where: { subjects, routes, carriers, personas },
    ...tally,
  };
};

export const decisionRoutes = ({ subjects, store, policies }: Options): Router => {
  const page = pagesOf(store, subjects);
  const routes = Router();
  routes
    .route("/decisions")
    .get(async (request, response) => {
      const { action, ...filter } = parseInput(decisionQuery, request.query);
      const { rows, next } = await page("decision", {
        ...filter,
        ...(action === undefined ? {} : { outcome: action }),
      });
      response.json({ decisions: rows.map(viewDecision), next } satisfies DecisionPage);
    })
    .all(onlyMethods("GET"));
  routes
    .route("/decisions/:position")
    .get(async (request, response) => {
      const { position } = parseInput(rowPath, { position: request.params.position });
      const [row] = (await page("decision", { limit: 1, before: position + 1 })).rows;
      if (row?.position !== position)
        throw new ApiError("not_found", "no decision stands at this position", "position");
      response.json({ ...viewDecision(row), chain: await store.link(position) } satisfies DecisionDetail);
    })
    .all(onlyMethods("GET"));
  routes
    .route("/policies")
    .get((_request, response) => {
      response.json({ policies: policies().map(viewPolicy) } satisfies PolicyList);
    })
    .all(onlyMethods("GET"));
  return routes;
};
