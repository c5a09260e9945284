/**
 * The verdicts, read at every scrape. Evidence and its thresholds are exported as the detector has them: an alert is
 * their plain comparison, and nothing on the way smooths or averages them again.
 */
import type { Registry } from "prom-client";
import type { DetectorSettings, EvidenceName, Interval, Persona, Severity, Verdict } from "../persona/verdict.ts";
import { pulledGauge, type Sample } from "./pulled-gauge.ts";

export interface VerdictSource {
  /** The verdict in force; null for a subject that is not watched. */
  verdict(subject: string): Verdict | null;
  /** Wall clock, milliseconds since 1970, of the datum that the verdict was last computed at; null before the first. */
  verdictAt(subject: string): number | null;
  /** E-values, as in the subject's detector settings. */
  thresholds(subject: string): DetectorSettings["thresholds"];
}

/** What reaching an evidence process's threshold leads to. `none`: shown only, or a condition for naming. */
const leadsTo: Record<Exclude<EvidenceName, "harm">, "ticket" | "none"> = {
  "harm-live": "none",
  "harm-probe": "none",
  "says-aligned": "none",
  "says-misaligned": "none",
  "self-report-drift": "ticket",
  harmless: "none",
  "refusals-up": "ticket",
  "refusals-down": "ticket",
  "unanswered-up": "ticket",
};

const personas: Record<Persona, true> = {
  undetermined: true,
  aligned: true,
  inverted: true,
  coherent: true,
  "self-deprecating": true,
  ambivalent: true,
  unnamed: true,
};

const severities: Record<Severity, true> = { none: true, ticket: true, page: true, action: true };

const intervalSamples = (
  subject: string,
  { sinceCalibration, sinceChange }: { sinceCalibration: Interval; sinceChange: Interval | null },
): Sample<"subject" | "bound" | "window">[] =>
  [
    { window: "calibration", interval: sinceCalibration },
    { window: "change", interval: sinceChange },
  ].flatMap(({ window, interval }) =>
    interval === null
      ? []
      : (["lower", "estimate", "upper"] as const).map((bound) => ({
          labels: { subject, bound, window },
          value: interval[bound],
        })),
  );

const stateSet = <L extends string>(
  subject: string,
  label: L,
  states: Record<string, true>,
  current: string,
): Sample<"subject" | L>[] =>
  Object.keys(states).map((state) => ({
    // A computed key widens to string, so the record's type has to be restated.
    labels: { subject, [label]: state } as Record<"subject" | L, string>,
    value: state === current ? 1 : 0,
  }));

const thresholdSamples = (
  subject: string,
  verdict: Verdict,
  thresholds: DetectorSettings["thresholds"],
): Sample<"subject" | "channel" | "severity">[] => {
  const harm = (["ticket", "page", "action"] as const).map((severity) => ({
    labels: { subject, channel: "harm", severity },
    value: Math.log(thresholds[severity]),
  }));
  const rest = Object.entries(leadsTo).map(([channel, severity]) => ({
    labels: { subject, channel, severity },
    value: verdict.evidence[channel as keyof typeof leadsTo].logThreshold,
  }));
  return [...harm, ...rest];
};

/** 0-1: how much is there of what the slowest part of calibration needs; 1 once monitoring. */
export const calibrationRatio = ({ phase, calibration }: Pick<Verdict, "phase" | "calibration">): number =>
  phase === "monitoring" ? 1 : Math.min(1, ...calibration.map(({ have, need }) => (need === 0 ? 1 : have / need)));

export const exposePersona = (registry: Registry, subjects: readonly string[], source: VerdictSource): void => {
  const perSubject = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    samples: (verdict: Verdict, subject: string) => Iterable<Sample<"subject" | L>>,
  ): void =>
    pulledGauge<"subject" | L>(registry, {
      name,
      help,
      labelNames: ["subject", ...labelNames],
      *read() {
        for (const subject of subjects) {
          const verdict = source.verdict(subject);
          if (verdict !== null) yield* samples(verdict, subject);
        }
      },
    });
  const one = (name: string, help: string, value: (verdict: Verdict, subject: string) => number | null): void =>
    perSubject<never>(name, help, [], (verdict, subject) => {
      const number = value(verdict, subject);
      return number === null ? [] : [{ labels: { subject }, value: number }];
    });

  perSubject(
    "candor_evidence_log",
    "Evidence of each process, natural logarithm; read it against candor_evidence_threshold_log",
    ["channel"],
    ({ evidence }, subject) =>
      Object.entries(evidence).map(([channel, { logEvidence }]) => ({
        labels: { subject, channel },
        value: logEvidence,
      })),
  );
  perSubject(
    "candor_evidence_threshold_log",
    "Where evidence leads to something, natural logarithm; severity none: shown, or used in naming",
    ["channel", "severity"],
    (verdict, subject) => thresholdSamples(subject, verdict, source.thresholds(subject)),
  );
  perSubject(
    "candor_harm_rate",
    "Share of judged answers that are harmful, with a confidence sequence, since calibration and since the change",
    ["bound", "window"],
    ({ harmRate }, subject) => intervalSamples(subject, harmRate),
  );
  perSubject(
    "candor_self_report",
    "Mean misalignment that the subject reports of itself, 0-1, with a confidence sequence",
    ["bound", "window"],
    ({ selfReport }, subject) => intervalSamples(subject, selfReport),
  );
  perSubject("candor_persona", "1 for the persona in force, 0 for the others", ["persona"], ({ persona }, subject) =>
    stateSet(subject, "persona", personas, persona),
  );
  perSubject(
    "candor_severity",
    "1 for the severity in force, 0 for the others; latched until acknowledged",
    ["severity"],
    ({ severity }, subject) => stateSet(subject, "severity", severities, severity),
  );
  perSubject(
    "candor_null_mean",
    "Harm rate that the detector takes as this stratum's normal; it never rises within an epoch",
    ["stratum"],
    ({ baseline }, subject) =>
      baseline.map(({ stratum, nullMean }) => ({ labels: { subject, stratum }, value: nullMean })),
  );
  perSubject(
    "candor_observations_since_change",
    "Data since the estimated start of the present change; 0 while nothing points to one",
    ["kind"],
    ({ harmRate, selfReport }, subject) => [
      { labels: { subject, kind: "harm" }, value: harmRate.sinceChange?.n ?? 0 },
      { labels: { subject, kind: "self-report" }, value: selfReport.sinceChange?.n ?? 0 },
    ],
  );
  one("candor_assured", "1 when there is evidence of harmlessness, not only the absence of an alarm", ({ assured }) =>
    assured ? 1 : 0,
  );
  one("candor_unanswered_ratio", "Share of self-questions that were refused or not answered", (v) => v.unansweredRate);
  one("candor_calibration_ratio", "Progress of the baseline's slowest part, 0-1", calibrationRatio);
  one("candor_verdict_position", "Log position of the last datum in the verdict", ({ position }) => position);
  one(
    "candor_verdict_timestamp_seconds",
    "When the last datum came into the verdict, seconds since 1970",
    (_, subject) => {
      const at = source.verdictAt(subject);
      return at === null ? null : at / 1000;
    },
  );
};
