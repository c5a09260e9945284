/**
 * Health for an orchestrator. It must never depend on the model, the judge or anything else that is remote: an unready
 * sidecar takes its app out of service, and restarting cures nothing that is broken elsewhere.
 */
import { type RequestHandler, Router } from "express";
import type { EvidenceStore } from "../evidence/store.ts";
import { onlyMethods } from "./api-error.ts";
import type { HealthView } from "./api-schema.ts";

/** How far the process is; read at every probe. */
export interface Lifecycle {
  /** Configuration valid, store open, parts built. */
  started(): boolean;
  /** The data port takes connections. */
  listening(): boolean;
  /** Told to end; running answers may still finish. */
  draining(): boolean;
}

/** What a store that can't be written means: go on serving, with rows kept in memory, or turn unready. */
export type EvidencePolicy = "serve" | "unready";

interface Options {
  lifecycle: Lifecycle;
  store: Pick<EvidenceStore, "health">;
  evidencePolicy(): EvidencePolicy;
}

type Check = HealthView["checks"][number];

const answer =
  (checks: () => Check[]): RequestHandler =>
  (_request, response) => {
    const all = checks();
    const ok = all.every((check) => check.ok);
    const body: HealthView = { status: ok ? "ok" : "failing", checks: all };
    response.status(ok ? 200 : 503).json(body);
  };

export const healthRoutes = ({ lifecycle, store, evidencePolicy }: Options): Router => {
  const started = (): Check => {
    const ok = lifecycle.started();
    return { name: "started", ok, detail: ok ? "configuration loaded, parts built" : "still starting" };
  };
  const listening = (): Check => {
    const ok = lifecycle.listening();
    return { name: "data-port", ok, detail: ok ? "taking requests" : "not listening" };
  };
  const draining = (): Check => {
    const ok = !lifecycle.draining();
    return { name: "not-draining", ok, detail: ok ? "not told to end" : "ending: running answers may finish" };
  };
  const evidence = (): Check => {
    const { writable, pending } = store.health();
    if (writable) return { name: "evidence", ok: true, detail: "writable" };
    return {
      name: "evidence",
      ok: evidencePolicy() === "serve",
      detail: `degraded: the store can't be written, ${pending} rows are kept in memory`,
    };
  };
  const routes = Router();
  const expose = (path: string, checks: () => Check[]) =>
    routes.route(path).get(answer(checks)).all(onlyMethods("GET"));
  expose("/livez", () => [{ name: "event-loop", ok: true, detail: "turning" }]);
  expose("/startupz", () => [started()]);
  expose("/readyz", () => [started(), listening(), draining(), evidence()]);
  return routes;
};
