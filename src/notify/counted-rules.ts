/**
 * The conditions of alerts on what this process counts: those that the shipped Prometheus rules have, with the same spans
 * of time and thresholds. A test holds both to each other.
 */
import type { DueAlert } from "./persona-alerts.ts";
import type { Counts } from "./process-counts.ts";

const minuteMs = 60_000;

export interface CountedRule {
  name: DueAlert["name"];
  severity: DueAlert["severity"];
  /** How long it must hold. */
  forMs: number;
  /** The label whose values are told apart; none where there is one alone. */
  label?: string;
  keys(seen: Counts): string[];
  /**
   * The value that is told where it holds for this key; null where it does not.
   * @param seconds wall clock, since 1970
   */
  holds(seen: Counts, key: string, seconds: number): number | null;
  summary(key: string, instance: string): string;
  description(value: number, key: string): string;
}

const once = (): string[] => [""];
const over = (value: number, threshold: number): number | null => (value > threshold ? value : null);
/** Null where there is nothing to divide by. */
const shareOver = (part: number, all: number, threshold: number): number | null =>
  all > 0 ? over(part / all, threshold) : null;
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

export const countedRules: readonly CountedRule[] = [
  {
    name: "CandorProbeStarvation",
    severity: "ticket",
    forMs: 60 * minuteMs,
    label: "subject",
    keys: (seen) => seen.keys("probedAt"),
    holds(seen, key, seconds) {
      const age = seconds - (seen.gauge("probedAt", key) ?? seconds);
      const isLate = age > 10 * (seen.gauge("probeInterval", key) ?? Number.POSITIVE_INFINITY);
      return isLate && seen.growth("requests", key) > 0 ? age : null;
    },
    summary: (key) => `No probe of ${key} succeeds, although it has traffic`,
    description: (age, key) =>
      `The last probe of subject ${key} that was answered is ${(age / 60).toFixed(0)} minutes ago, more than ten times the ` +
      "configured interval. Without probes no persona can be named.",
  },
  {
    name: "CandorJudgeFailing",
    severity: "ticket",
    forMs: 5 * minuteMs,
    label: "source",
    keys: (seen) => seen.keys("asked"),
    holds: (seen, key) => shareOver(seen.growth("notJudged", key), seen.growth("asked", key), 0.5),
    summary: (key) => `${key} fails to judge most answers`,
    description: (share, key) =>
      `${percent(share)} of what classifier ${key} was asked in the last 15 minutes ended in an error. Answers that are not ` +
      "judged are not evidence: the detector goes blind.",
  },
  {
    name: "CandorSamplesDropped",
    severity: "ticket",
    forMs: 15 * minuteMs,
    label: "subject",
    keys: (seen) => seen.keys("observed"),
    holds(seen, key) {
      const dropped = seen.growth("dropped", key);
      return shareOver(dropped, dropped + seen.growth("observed", key), 0.2);
    },
    summary: (key) => `Live answers of ${key} are dropped before they are judged`,
    description: (share, key) =>
      `${percent(share)} of the live answers of subject ${key} that were drawn for judging were dropped in the last 15 ` +
      "minutes: too many, too large or unreadable.",
  },
  {
    name: "CandorCoverageLoss",
    severity: "ticket",
    forMs: 10 * minuteMs,
    label: "stage",
    keys: (seen) => seen.keys("decided"),
    holds: (seen, key) => shareOver(seen.growth("uninspected", key), seen.growth("decided", key), 0.05),
    summary: (_, instance) => `Policies can't read what passes through Candor ${instance}`,
    description: (share, key) =>
      `Nothing could be inspected in ${percent(share)} of what policies decided on in the last 15 minutes (stage: ${key}). ` +
      "Each policy's own settings say whether that passed or was refused.",
  },
  {
    name: "CandorConfigReloadFailed",
    severity: "ticket",
    forMs: minuteMs,
    keys: once,
    holds: (seen) => (seen.gauge("reloaded") === 0 ? 0 : null),
    summary: (_, instance) => `Candor ${instance} can't use its changed configuration`,
    description: () =>
      "The configuration or the policies were changed to something that can't be used. What was read before is still in " +
      "force, until a restart: that would fail.",
  },
  {
    name: "CandorRestartNeeded",
    severity: "ticket",
    forMs: 15 * minuteMs,
    keys: once,
    holds: (seen) => (seen.gauge("restartNeeded") === 1 ? 1 : null),
    summary: (_, instance) => `Candor ${instance} runs with an older configuration than its file has`,
    description: () =>
      "The configuration has changed in parts that are read at the start alone. They take effect with the next restart.",
  },
  {
    name: "CandorSaturated",
    severity: "ticket",
    forMs: 5 * minuteMs,
    keys: once,
    holds: (seen) => over(seen.rate("busySeconds", "", 5 * minuteMs), 0.9),
    summary: (_, instance) => `Candor ${instance} is saturated`,
    description: (share) =>
      `The event loop was busy for ${percent(share)} of the last five minutes. Exchanges wait for it.`,
  },
  {
    name: "CandorShedding",
    severity: "page",
    forMs: minuteMs,
    keys: once,
    holds: (seen) => over(seen.growth("shed", "", 5 * minuteMs), 0),
    summary: (_, instance) => `Candor ${instance} refuses requests because it has too many`,
    description: (count) =>
      `${count} requests were refused in the last five minutes because too many connections were open or too many requests ` +
      "waited for the model. Apps saw 503.",
  },
  {
    name: "CandorNotificationsFailing",
    severity: "ticket",
    forMs: 5 * minuteMs,
    label: "target",
    keys: (seen) => seen.keys("postsFailed"),
    holds(seen, key) {
      const lost = seen.growth("postsLost", key);
      const failed = seen.growth("postsDelivered", key) > 0 ? 0 : seen.growth("postsFailed", key);
      return over(lost > 0 ? lost : failed, 0);
    },
    summary: (key, instance) => `${key} is not told what Candor ${instance} has to tell`,
    description: (count, key) =>
      `${count} posts to receiver ${key} failed or were lost in the last 15 minutes. Whoever relies on it hears nothing.`,
  },
  {
    name: "CandorTelemetryDropped",
    severity: "ticket",
    forMs: 15 * minuteMs,
    label: "signal",
    keys: (seen) => seen.keys("notExported"),
    holds: (seen, key) => over(seen.growth("notExported", key), 0),
    summary: (key, instance) => `Candor ${instance} loses ${key} that it should export`,
    description: (count, key) =>
      `${count} items of ${key} were dropped in the last 15 minutes: the OTLP receiver is away, too slow, or refuses them. ` +
      "Nothing else is affected.",
  },
];
