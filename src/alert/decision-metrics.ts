/** What the policies decided, counted. Labels are the configured policies' ids and fixed names, there at 0 from the start but for gaps. */
import type { Registry } from "prom-client";
import { gaps } from "../dialect/carriers.ts";
import { type Action, actions, type Decision, type Finding, type Stage } from "../guard/guard.ts";
import type { DecisionMeter } from "../watch/decision-log.ts";
import { createBuckets, pulledHistogram } from "./buckets.ts";
import { alone, pulledCounter } from "./pulled-metric.ts";

const stages = ["request", "response"] as const satisfies readonly Decision["stage"][];
const coverages = ["full", "partial", "none"] as const satisfies readonly Decision["coverage"][];

/** What came of a finding: `would_block` where a policy in shadow would have blocked. */
const resultOf = ({ result, action }: Pick<Finding, "result" | "action">): string =>
  result === "would" ? `would_${action}` : result;

/** A policy as its findings are counted. */
export interface Counted {
  id: string;
  stage: Stage;
  action: Action;
}

/** Findings by policy and stage, every result that a policy can have there from the start. */
const createFindings = () => {
  const rows = new Map<string, { policy: string; stage: Stage; counts: Map<string, number> }>();
  const keyOf = (policy: string, stage: Stage): string => `${stage} ${policy}`;
  return {
    /** Counts these from now on; what was counted of those that stay stays. */
    keep(policies: readonly Counted[]): void {
      // An exception finds nothing: it is counted at the policies that it excepts from.
      const counted = policies.filter(({ action }) => action !== "allow");
      const wanted = new Map(counted.map(({ id: policy, stage }) => [keyOf(policy, stage), { policy, stage }]));
      for (const key of rows.keys()) if (!wanted.has(key)) rows.delete(key);
      for (const [key, row] of wanted) if (!rows.has(key)) rows.set(key, { ...row, counts: new Map() });
      // One that is changed may be there as it was and as it is.
      for (const { id, stage, action } of counted) {
        const counts = rows.get(keyOf(id, stage))?.counts;
        for (const result of ["enforced", resultOf({ result: "would", action }), "error", "bypass"])
          if (counts?.has(result) === false) counts.set(result, 0);
      }
    },
    count(policy: string, stage: Stage, result: string): void {
      const counts = rows.get(keyOf(policy, stage))?.counts;
      const before = counts?.get(result);
      if (before !== undefined) counts?.set(result, before + 1);
    },
    *read(): Generator<{ labels: { policy: string; stage: Stage; result: string }; value: number }> {
      for (const { policy, stage, counts } of rows.values())
        for (const [result, value] of counts) yield { labels: { policy, stage, result }, value };
    },
  };
};

/** Counts of pairs, every one of them there from the start. */
const createPairs = <A extends string, B extends string>(ones: readonly A[], others: readonly B[]) => {
  const counts = new Map(ones.map((one) => [one, new Map(others.map((other) => [other, 0]))]));
  return {
    count(one: A, other: B): void {
      const row = counts.get(one);
      const before = row?.get(other);
      if (before !== undefined) row?.set(other, before + 1);
    },
    *read(): Generator<[A, B, number]> {
      for (const [one, row] of counts) for (const [other, value] of row) yield [one, other, value];
    },
  };
};

/** Seconds; deciding by words takes microseconds, asking a model takes seconds. */
const durationBuckets = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

export interface DecisionMetrics extends DecisionMeter {
  /** Counts these policies from now on. */
  policies(policies: readonly Counted[]): void;
}

export const createDecisionMetrics = (registry: Registry): DecisionMetrics => {
  const decisions = createPairs(stages, actions);
  const coverage = createPairs(stages, coverages);
  const unread = createPairs(stages, gaps);
  const findings = createFindings();
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
    name: "candor_guard_gaps_total",
    help: "Requests and answers that policies decided on and that held something which could not be inspected, by what that was",
    labelNames: ["stage", "gap"],
    *read() {
      // Most are never met, and there are many.
      for (const [stage, gap, value] of unread.read()) if (value > 0) yield { labels: { stage, gap }, value };
    },
  });
  pulledCounter(registry, {
    name: "candor_guard_findings_total",
    help: "Requests and answers in which a policy found something: enforced, or would have been but for its mode",
    labelNames: ["policy", "stage", "result"],
    read: findings.read,
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
      for (const gap of new Set(decision.gaps)) unread.count(decision.stage, gap);
      if (decision.findings.length === 0 && !decision.unavailable) return;
      const seen = new Map(decision.findings.map((finding) => [`${finding.policy} ${resultOf(finding)}`, finding]));
      for (const finding of seen.values()) findings.count(finding.policy, decision.stage, resultOf(finding));
      if (decision.unavailable || decision.findings.some(({ result }) => result === "error")) errors += 1;
    },
    unrecorded() {
      unrecorded += 1;
    },
  };
};
