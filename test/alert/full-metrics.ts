/** Metrics with every source connected, as the running program has them. */
import { createMetrics } from "../../src/alert/metrics.ts";
import type { Verdict } from "../../src/persona/verdict.ts";
import { routeNames } from "../../src/relay/routes.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";

export const fiveSubjects = ["support", "search", "sales", "code", "triage"];

/** What a test may change between two scrapes. */
interface World {
  verdict: Verdict;
  verdictsComputed: number;
  evidence: { writable: boolean; pending: number; dropped: number; lastError: string | null };
  spentCalls: number;
  lastAnswerAt: number | null;
  /** Configurations that were replaced and have not ended. */
  ending: number;
}

/** `operationsOf`: models whose operations are counted by OpenTelemetry's names as well. */
export const fullMetrics = (
  subjects: readonly string[] = fiveSubjects,
  operationsOf: readonly string[] | null = null,
) => {
  const world: World = {
    verdict: sampleVerdict(),
    verdictsComputed: 0,
    evidence: { writable: true, pending: 0, dropped: 0, lastError: null },
    spentCalls: 0,
    lastAnswerAt: null,
    ending: 0,
  };
  const since = Date.now();
  const metrics = createMetrics({
    subjects,
    routes: routeNames,
    classifiers: ["screen-v1", "judge-v1"],
    receivers: ["on-call"],
    models: operationsOf ?? [],
    genAiMetrics: operationsOf !== null,
    policies: [
      { id: "secrets-in-requests", stage: "request", action: "redact" },
      { id: "no-advice", stage: "response", action: "block" },
    ],
    replica: "local",
    version: "9.9.9",
    clock: { now: () => 1_790_000_000_000 },
  });
  metrics.reloads.inForce("0123456789ab");
  metrics.readFrom({
    subjects: () => subjects,
    ending: () => world.ending,
    store: { head: () => ({ position: 17, hash: "00ff" }), health: () => world.evidence },
    ledger: {
      verdict: () => {
        world.verdictsComputed += 1;
        return world.verdict;
      },
      verdictAt: () => 1_790_000_000_000,
      thresholds: () => ({ ticket: 1e4, page: 1e5, action: 1e6 }),
    },
    probers: () =>
      subjects.map((subject) => ({
        subject,
        perHour: 6,
        since,
        status: () => ({
          running: true,
          inFlight: 0,
          spent: { calls: world.spentCalls, tokens: 0 },
          limits: { calls: 100, tokens: 1000 },
          day: { spent: { calls: world.spentCalls, tokens: 0 }, limits: { calls: 400, tokens: 8000 } },
          backingOff: [],
          banked: { low: 0, moderate: 0, high: 0 },
          lastAnswerAt: world.lastAnswerAt,
        }),
      })),
  });
  return { metrics, world };
};
