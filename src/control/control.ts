/**
 * The control port: health, metrics and the API that people and dashboards use. It shares the process with the data
 * port and nothing else; nothing here may be on the way of an exchange.
 */
import { createServer } from "node:http";
import express, { type RequestHandler } from "express";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { answerErrors, onlyMethods, unknownPath } from "./api-error.ts";
import { type Changes, changingRoutes } from "./changing.ts";
import { type EvidencePolicy, healthRoutes, type Lifecycle } from "./health.ts";
import { readingRoutes } from "./reading.ts";
import { onlySameSite } from "./same-site.ts";
import { createSubjects, type SubjectState, type WatchedSubject } from "./subjects.ts";

export interface ControlOptions {
  subjects: readonly WatchedSubject[];
  ledger: Omit<SubjectState, "probes"> & Changes;
  /** Null while nothing probes this subject. */
  probes: SubjectState["probes"];
  store: Pick<EvidenceStore, "latest" | "health">;
  metrics: { contentType: string; text(): Promise<string> };
  lifecycle: Lifecycle;
  evidencePolicy: EvidencePolicy;
  /** Bearer token for changes; null switches them off. */
  token: string | null;
  /** Secret of this deployment for naming keys in the audit trail. */
  pepper: string;
  /** Host names, besides IP addresses and localhost, under which the port may be called. */
  hostNames: readonly string[];
  version: string;
  replica: string;
  clock: Pick<Clock, "monotonic">;
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
  "GET /api/verdicts",
  "GET /api/observations",
  "POST /api/subjects/:id/acknowledge",
  "POST /api/subjects/:id/epoch",
];

const createApp = (options: ControlOptions) => {
  const { ledger, probes, store, metrics, lifecycle, evidencePolicy, token, pepper, clock, log } = options;
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
    readingRoutes({ subjects, store }),
    changingRoutes({ subjects, changes: ledger, token, pepper, clock }),
  );
  app
    .route("/")
    .get((_request, response) => {
      response.json({ name: "candor", endpoints });
    })
    .all(onlyMethods("GET"));
  app.use(unknownPath, answerErrors(log));
  return app;
};

/** Operators' requests are small and rare: whoever is slower or more numerous than this is no operator. */
const limits = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 };
const maxConnections = 256;
const closeGraceMs = 2_000;

export const createControl = (options: ControlOptions): Control => {
  const server = createServer(limits, createApp(options));
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
        const giveUp = setTimeout(() => server.closeAllConnections(), closeGraceMs);
        server.close(() => {
          clearTimeout(giveUp);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
};
