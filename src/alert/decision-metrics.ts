/** What the policies decided, counted. Labels are the configured policies' ids and fixed names, all there at 0 from the start. */
import type { Registry } from "prom-client";
import { actions, type Decision, type Finding } from "../guard/guard.ts";
import type { DecisionMeter } from "../watch/decision-log.ts";
import { createBuckets, pulledHistogram } from "./buckets.ts";
import { keepSeries } from "./kept-series.ts";
import { alone, pulledCounter } from "./pulled-metric.ts";

const stages = ["request", "response"] as const satisfies readonly Decision["stage"][];
const coverages = ["full", "partial", "none"] as const satisfies readonly Decision["coverage"][];
const results = ["enforced", "would", "error", "bypass"] as const satisfies readonly Finding["result"][];

/** Counts of pairs, every one of them there from the start. */
const createPairs = <A extends string, B extends string>(ones: readonly A[], others: readonly B[]) => {
  const row = () => new Map(others.map((other) => [other, 0]));
  const counts = new Map<string, Map<B, number>>(ones.map((one) => [one, row()]));
  return {
    /** Counts these from now on; what was counted of those that stay stays. */
    keep(names: readonly string[]): void {
      keepSeries<Map<B, number>>(counts, names, row);
    },
    count(one: A, other: B): void {
      const row = counts.get(one);
      const before = row?.get(other);
      if (before !== undefined) row?.set(other, before + 1);
    },
    *read(): Generator<[string, B, number]> {
      for (const [one, row] of counts) for (const [other, value] of row) yield [one, other, value];
    },
  };
};

/** Seconds; deciding by words takes microseconds, asking a model takes seconds. */
const durationBuckets = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

export interface DecisionMetrics extends DecisionMeter {
  /** Counts these policies from now on. */
  policies(ids: readonly string[]): void;
}

export const createDecisionMetrics = (registry: Registry): DecisionMetrics => {
  const decisions = createPairs(stages, actions);
  const coverage = createPairs(stages, coverages);
  const findings = createPairs<string, (typeof results)[number]>([], results);
  const durations = new Map(stages.map((stage) => [stage, createBuckets(durationBuckets)]));
  let errors = 0;
  let unrecorded = 0;

  pulledCounter(registry, {
    name: "candor_guard_decisions_total",
    help: "Requests and answers that policies decided on, by what was done",
    labelNames: ["stage", "action"],
    *read() {
      for (const [stage, action, value] of decisions.read()) yield { labels: { stage, action }, value };
    },
  });
  pulledCounter(registry, {
    name: "candor_guard_coverage_total",
    help: "Requests and answers that policies decided on, by how much of them could be inspected",
    labelNames: ["stage", "coverage"],
    *read() {
      for (const [stage, value, n] of coverage.read()) yield { labels: { stage, coverage: value }, value: n };
    },
  });
  pulledCounter(registry, {
    name: "candor_guard_findings_total",
    help: "Requests and answers in which a policy found something: enforced, or would have been but for its mode",
    labelNames: ["policy", "result"],
    *read() {
      for (const [policy, result, value] of findings.read()) yield { labels: { policy, result }, value };
    },
  });
  pulledHistogram(registry, {
    name: "candor_guard_duration_seconds",
    help: "From the moment when a request or answer could be decided on to the decision; streams are decided as they come",
    bounds: durationBuckets,
    read: () => [...durations].map(([stage, buckets]) => ({ labels: { stage }, buckets })),
  });
  pulledCounter(registry, {
    name: "candor_guard_errors_total",
    help: "Requests and answers for which a policy could not be evaluated",
    labelNames: [],
    read: alone(() => errors),
  });
  pulledCounter(registry, {
    name: "candor_guard_decisions_unrecorded_total",
    help: "Decisions that were counted but not entered into the evidence log, as too many came within a minute",
    labelNames: [],
    read: alone(() => unrecorded),
  });

  return {
    policies: findings.keep,
    decided(decision) {
      if (decision.tookMs !== undefined) durations.get(decision.stage)?.observe(decision.tookMs / 1000);
      decisions.count(decision.stage, decision.action);
      coverage.count(decision.stage, decision.coverage);
      if (decision.findings.length === 0 && !decision.unavailable) return;
      const seen = new Map(decision.findings.map(({ policy, result }) => [`${policy} ${result}`, { policy, result }]));
      for (const { policy, result } of seen.values()) findings.count(policy, result);
      if (decision.unavailable || decision.findings.some(({ result }) => result === "error")) errors += 1;
    },
    unrecorded() {
      unrecorded += 1;
    },
  };
};
