/**
 * The control port: health, metrics and the API that people and dashboards use. It shares the process with the data
 * port and nothing else; nothing here may be on the way of an exchange.
 */
import { createServer } from "node:http";
import express, { type RequestHandler } from "express";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { VerdictTraces } from "../watch/verdict-trace.ts";
import { answerErrors, onlyMethods, unknownPath } from "./api-error.ts";
import { createAuthorised } from "./authorised.ts";
import { type Changes, changingRoutes } from "./changing.ts";
import { decisionRoutes, type PolicyInForce } from "./decisions.ts";
import { createEvents, type Events } from "./events.ts";
import { type EvidencePolicy, healthRoutes, type Lifecycle } from "./health.ts";
import { pageRoutes } from "./pages.ts";
import { readingRoutes } from "./reading.ts";
import { onlySameSite } from "./same-site.ts";
import { createSubjects, type SubjectState, type WatchedSubject } from "./subjects.ts";

export interface ControlOptions {
  subjects(): readonly WatchedSubject[];
  ledger: Omit<SubjectState, "probes">;
  changes: Changes;
  traces: Pick<VerdictTraces, "read">;
  /** The policies in force, with what came of each since the process began. */
  policies(): readonly PolicyInForce[];
  /** Calls back with the subject of every new entry of the log; the returned function ends it. */
  onEntry(listener: (subject: string) => void): () => void;
  /** Null while nothing probes this subject. */
  probes: SubjectState["probes"];
  store: Pick<EvidenceStore, "latest" | "link" | "health">;
  metrics: { contentType: string; text(): Promise<string> };
  lifecycle: Lifecycle;
  evidencePolicy(): EvidencePolicy;
  /** Bearer token for changes; null switches them off. */
  token(): string | null;
  /** Secret of this deployment for naming keys in the audit trail. */
  pepper: string;
  /** Host names, besides IP addresses and localhost, under which the port may be called. */
  hostNames(): readonly string[];
  version: string;
  replica: string;
  clock: Pick<Clock, "monotonic" | "after">;
  log: Pick<Log, "error">;
}

export interface Control {
  /** Resolves with the port in use once connections are taken; rejects if the address can't be had. */
  listen(host: string, port: number): Promise<number>;
  /** Stops taking connections and waits for running answers, at most two seconds. Idempotent. */
  close(): Promise<void>;
}

const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("cache-control", "no-store");
  next();
};

const endpoints = [
  "GET /livez",
  "GET /readyz",
  "GET /startupz",
  "GET /metrics",
  "GET /api/version",
  "GET /api/subjects",
  "GET /api/subjects/:id",
  "GET /api/subjects/:id/trace",
  "GET /api/verdicts",
  "GET /api/observations",
  "GET /api/observations/:position",
  "GET /api/observations/:position/content",
  "GET /api/decisions",
  "GET /api/decisions/:position",
  "GET /api/policies",
  "GET /api/events",
  "POST /api/subjects/:id/acknowledge",
  "POST /api/subjects/:id/epoch",
  "POST /api/subjects/:id/probes",
  "GET /dashboard/",
];

const createApp = (options: ControlOptions, events: Events) => {
  const { ledger, probes, store, metrics, lifecycle, evidencePolicy, log } = options;
  const authorised = createAuthorised(options);
  const subjects = createSubjects(options.subjects, { ...ledger, probes });
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.use(securityHeaders, onlySameSite(options.hostNames));
  app.use(healthRoutes({ lifecycle, store, evidencePolicy }));
  app
    .route("/metrics")
    .get(async (_request, response) => {
      response.setHeader("content-type", metrics.contentType);
      response.send(await metrics.text());
    })
    .all(onlyMethods("GET"));
  app
    .route("/api/version")
    .get((_request, response) => {
      response.json({ version: options.version, node: process.versions.node, replica: options.replica });
    })
    .all(onlyMethods("GET"));
  app.use(
    "/api",
    readingRoutes({ subjects, store, traces: options.traces, authorised }),
    decisionRoutes({ subjects, store, policies: options.policies }),
    changingRoutes({ subjects, changes: options.changes, authorised }),
    events.routes,
  );
  app
    .route("/")
    .get((request, response) => {
      if (request.accepts(["json", "html"]) === "html") response.redirect(302, "/dashboard/");
      else response.json({ name: "candor", endpoints });
    })
    .all(onlyMethods("GET"));
  app.use("/dashboard", pageRoutes());
  app.use(unknownPath, answerErrors(log));
  return app;
};

/** Operators' requests are small and rare: whoever is slower or more numerous than this is no operator. */
const limits = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 };
const maxConnections = 256;
const closeGraceMs = 2_000;

export const createControl = (options: ControlOptions): Control => {
  const events = createEvents(options);
  const server = createServer(limits, createApp(options, events));
  server.maxConnections = maxConnections;
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.off("error", reject);
          const address = server.address();
          resolve(typeof address === "object" && address !== null ? address.port : port);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        events.close();
        const giveUp = setTimeout(() => server.closeAllConnections(), closeGraceMs);
        server.close(() => {
          clearTimeout(giveUp);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
};
