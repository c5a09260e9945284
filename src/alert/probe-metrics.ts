/** What became of the hidden probes, and how much of their budget is used. */
import { Counter, type Registry } from "prom-client";
import { experiments, observation } from "../evidence/entry.ts";
import { armsOf } from "../probe/conversations.ts";
import { type FailureReason, type ProbeMeter, skipReasons } from "../probe/probe-meter.ts";
import type { Prober } from "../probe/scheduler.ts";
import { keepSeries } from "./kept-series.ts";
import { pulledGauge } from "./pulled-metric.ts";

const failureReasons: Record<FailureReason, true> = {
  timeout: true,
  unavailable: true,
  "rate-limited": true,
  rejected: true,
  empty: true,
  fault: true,
};

/** The others are off by default: their series begin with their first probe. */
const always = experiments.filter((experiment) => experiment !== "canary" && experiment !== "identity");

export interface ProbeMetrics {
  /** What a subject's prober counts with; nothing is counted of a subject that is not exposed. */
  of(subject: string): ProbeMeter;
  /** Counts these from now on. */
  subjects(ids: readonly string[]): void;
}

export const createProbeMetrics = (registry: Registry, subjects: readonly string[]): ProbeMetrics => {
  const registers = [registry];
  const asked = new Counter({
    name: "candor_probes_asked_total",
    help: "Probes that were sent",
    labelNames: ["subject", "experiment", "arm"],
    registers,
  });
  const outcomes = new Counter({
    name: "candor_probe_observations_total",
    help: "Probes that became observations, by how reading or judging the answer ended",
    labelNames: ["subject", "experiment", "arm", "outcome"],
    registers,
  });
  const failed = new Counter({
    name: "candor_probes_failed_total",
    help: "Probes that got no answer, by reason; fault is an error of Candor itself",
    labelNames: ["subject", "reason"],
    registers,
  });
  const skipped = new Counter({
    name: "candor_probes_skipped_total",
    help: "Probes that were due and not sent, by reason; nothing-to-fork was sent as a fresh one instead",
    labelNames: ["subject", "reason"],
    registers,
  });
  const tokens = new Counter({
    name: "candor_probe_tokens_total",
    help: "Tokens of answered probes, as the subject's API counted them",
    labelNames: ["subject", "type"],
    registers,
  });
  const types = ["prompt", "completion"] as const;
  const begin = (subject: string): void => {
    for (const experiment of always) {
      for (const arm of armsOf[experiment]) {
        asked.inc({ subject, experiment, arm }, 0);
        for (const outcome of observation.shape.outcome.options) {
          outcomes.inc({ subject, experiment, arm, outcome }, 0);
        }
      }
    }
    for (const reason of Object.keys(failureReasons)) failed.inc({ subject, reason }, 0);
    for (const reason of skipReasons) skipped.inc({ subject, reason }, 0);
    for (const type of types) tokens.inc({ subject, type }, 0);
  };
  const end = (subject: string): void => {
    for (const experiment of experiments) {
      for (const arm of armsOf[experiment]) {
        asked.remove({ subject, experiment, arm });
        for (const outcome of observation.shape.outcome.options) {
          outcomes.remove({ subject, experiment, arm, outcome });
        }
      }
    }
    for (const reason of Object.keys(failureReasons)) failed.remove({ subject, reason });
    for (const reason of skipReasons) skipped.remove({ subject, reason });
    for (const type of types) tokens.remove({ subject, type });
  };
  const exposed = new Map<string, true>();
  const keep = (ids: readonly string[]): void => {
    for (const subject of exposed.keys()) if (!ids.includes(subject)) end(subject);
    keepSeries(exposed, ids, (subject) => {
      begin(subject);
      return true;
    });
  };
  keep(subjects);
  return {
    subjects: keep,
    of(subject) {
      const counting = (count: () => void): void => {
        if (exposed.has(subject)) count();
      };
      return {
        asked: (experiment, arm) => counting(() => asked.inc({ subject, experiment, arm })),
        answered: (_experiment, _arm, { prompt, completion }) =>
          counting(() => {
            tokens.inc({ subject, type: "prompt" }, prompt);
            tokens.inc({ subject, type: "completion" }, completion);
          }),
        failed: (_experiment, _arm, reason) => counting(() => failed.inc({ subject, reason })),
        outcome: (experiment, arm, outcome) => counting(() => outcomes.inc({ subject, experiment, arm, outcome })),
        skipped: (reason) => counting(() => skipped.inc({ subject, reason })),
      };
    },
  };
};

export interface ExposedProber {
  subject: string;
  /** Mean rate of probes once the baseline is known. */
  perHour: number;
  /** Wall clock, milliseconds since 1970. */
  since: number;
  status: Prober["status"];
}

export const exposeProbers = (registry: Registry, probers: () => readonly ExposedProber[]): void => {
  pulledGauge(registry, {
    name: "candor_probe_budget_used_ratio",
    help: "Share of the budget that was spent in the last hour, or in the last day, 0-1",
    labelNames: ["subject", "resource"],
    read: () =>
      probers().flatMap(({ subject, status }) => {
        const { spent, limits, day } = status();
        const share = (used: number, limit: number): number => (limit === 0 ? 1 : used / limit);
        return [
          { labels: { subject, resource: "calls" }, value: share(spent.calls, limits.calls) },
          { labels: { subject, resource: "tokens" }, value: share(spent.tokens, limits.tokens) },
          { labels: { subject, resource: "calls-per-day" }, value: share(day.spent.calls, day.limits.calls) },
          { labels: { subject, resource: "tokens-per-day" }, value: share(day.spent.tokens, day.limits.tokens) },
        ];
      }),
  });
  pulledGauge(registry, {
    name: "candor_probe_interval_seconds",
    help: "Mean time between two probes as configured, once the baseline is known",
    labelNames: ["subject"],
    read: () => probers().map(({ subject, perHour }) => ({ labels: { subject }, value: 3600 / perHour })),
  });
  pulledGauge(registry, {
    name: "candor_probe_last_success_timestamp_seconds",
    help: "When a probe was last answered, seconds since 1970; until the first answer, when probing began",
    labelNames: ["subject"],
    read: () =>
      probers().map(({ subject, since, status }) => ({
        labels: { subject },
        value: (status().lastAnswerAt ?? since) / 1000,
      })),
  });
};
