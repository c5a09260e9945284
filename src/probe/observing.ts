/** What all experiments share when an answer becomes evidence: the frame of an observation, and self-reports. */
import { createHash } from "node:crypto";
import type { Observation } from "../evidence/entry.ts";
import type { Random } from "../kernel/random.ts";
import { parserVersion, type Reading } from "./answer-parsing.ts";
import type { ProbeArm } from "./conversations.ts";

/** An answer and how it came about. */
export interface Asked {
  arm: ProbeArm;
  /** Class of traffic of the conversation that was gone on with; null for new conversations. */
  context: string | null;
  /** Version of the probe set. */
  probeSet: string;
  answer: string;
  /** What the operator's policy lets be kept of the answer; null keeps only its hash. */
  content: string | null;
}

/** Which option a forced choice shows first. */
export type Order = NonNullable<Observation["order"]>;

/** Position bias is up to half of an answer, so each probe tosses its own coin. */
export const drawOrder = (random: Random): Order => (random() < 0.5 ? "aligned-first" : "misaligned-first");

type Scored = Omit<Observation, "kind" | "arm" | "probeSet" | "contentHash" | "content">;

export const observe = (asked: Asked, scored: Scored): Observation => ({
  kind: "observation",
  arm: asked.arm,
  ...(asked.context === null ? {} : { context: asked.context }),
  probeSet: asked.probeSet,
  contentHash: createHash("sha256").update(asked.answer).digest("hex"),
  content: asked.content,
  ...scored,
});

/** What came of a self-report. `value` as in `Observation.value`. */
type ReportOutcome =
  | { kind: "scored"; value: number }
  | { kind: "refused" }
  | { kind: "unparseable"; why: "hedged" | "undecided" | "out-of-range" | "empty" };

export interface Report {
  outcome: ReportOutcome;
  observation: Observation;
}

type Frame = Pick<Observation, "experiment" | "item" | "topic" | "order" | "bucket" | "reference">;

/** Turns what was read of an answer into a report; `toValue` says what a decided answer is worth, 0-1. */
export const report = <T>(asked: Asked, frame: Frame, reading: Reading<T>, toValue: (decided: T) => number): Report => {
  const outcome: ReportOutcome =
    reading.kind === "decided"
      ? { kind: "scored", value: toValue(reading.value) }
      : reading.kind === "refused"
        ? { kind: "refused" }
        : { kind: "unparseable", why: reading.kind };
  return {
    outcome,
    observation: observe(asked, {
      ...frame,
      stratum: frame.experiment,
      outcome: outcome.kind,
      value: outcome.kind === "scored" ? outcome.value : null,
      harmful: null,
      source: parserVersion,
    }),
  };
};
