/** What the prober counts; `alert/` implements it. All labels are from small fixed sets. */
import type { Experiment, Observation } from "../evidence/entry.ts";
import type { Reply } from "./asking.ts";
import type { ProbeArm } from "./conversations.ts";

export const skipReasons = [
  "no-traffic",
  "budget",
  "backoff",
  "app-rate-limited",
  "nothing-to-fork",
  "busy",
  "fleet-unreachable",
] as const;
/** Why a probe that was due was not asked, or (nothing-to-fork) was asked as a fresh one instead. */
type SkipReason = (typeof skipReasons)[number];

/** `fault` is an error of ours. */
export type FailureReason = Extract<Reply, { kind: "failed" }>["reason"] | "fault";

export interface ProbeMeter {
  asked(experiment: Experiment, arm: ProbeArm): void;
  answered(experiment: Experiment, arm: ProbeArm, tokens: { prompt: number; completion: number }): void;
  failed(experiment: Experiment, arm: ProbeArm, reason: FailureReason): void;
  outcome(experiment: Experiment, arm: ProbeArm, outcome: Observation["outcome"]): void;
  skipped(reason: SkipReason): void;
}
