/**
 * The verdicts, read at every scrape. Evidence and its thresholds are exported as the detector has them: an alert is
 * their plain comparison, and nothing on the way smooths or averages them again.
 */
import { Gauge, type Registry } from "prom-client";
import { fleetStandings } from "../persona/persona.ts";
import type { DetectorSettings, EvidenceName, Interval, Persona, Severity, Verdict } from "../persona/verdict.ts";
import type { Ledger } from "../watch/ledger.ts";

export type VerdictSource = Pick<Ledger, "verdict" | "verdictAt" | "thresholds">;

/** One value of one family; the subject's label is added to `labels`. */
interface Sample {
  labels: Record<string, string>;
  value: number;
}

interface Family {
  name: string;
  help: string;
  /** Besides `subject`. */
  labelNames: readonly string[];
  samples(verdict: Verdict, subject: string): Sample[];
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
  // Read against the guard's threshold, which is below that of a ticket.
  "judge-stricter": "none",
  "judge-laxer": "ticket",
  canary: "none",
};

const personas: Record<Persona, true> = {
  undetermined: true,
  aligned: true,
  inverted: true,
  coherent: true,
  "self-deprecating": true,
  ambivalent: true,
  drifting: true,
  unnamed: true,
};

const severities: Record<Severity, true> = { none: true, ticket: true, page: true, action: true };

const intervalSamples = ({
  sinceCalibration,
  sinceChange,
}: {
  sinceCalibration: Interval;
  sinceChange: Interval | null;
}): Sample[] => {
  const bounds = ["lower", "estimate", "upper"] as const;
  const of = (window: string, interval: Interval): Sample[] =>
    bounds.map((bound) => ({ labels: { bound, window }, value: interval[bound] }));
  return [...of("calibration", sinceCalibration), ...(sinceChange === null ? [] : of("change", sinceChange))];
};

const stateSet = (label: string, states: Record<string, true>, current: string): Sample[] =>
  Object.keys(states).map((state) => ({ labels: { [label]: state }, value: state === current ? 1 : 0 }));

const thresholdSamples = (verdict: Verdict, thresholds: DetectorSettings["thresholds"]): Sample[] => {
  const harm = (["ticket", "page", "action"] as const).map((severity) => ({
    labels: { channel: "harm", severity },
    value: Math.log(thresholds[severity]),
  }));
  const rest = Object.entries(leadsTo).map(([channel, severity]) => ({
    labels: { channel, severity },
    value: verdict.evidence[channel as keyof typeof leadsTo].logThreshold,
  }));
  return [...harm, ...rest];
};

/** 0-1: how much there is of what the slowest part of calibration needs; 1 once monitoring. */
const calibrationRatio = ({ phase, calibration }: Verdict): number =>
  phase === "monitoring" ? 1 : Math.min(1, ...calibration.map(({ have, need }) => (need === 0 ? 1 : have / need)));

const single = (name: string, help: string, value: (verdict: Verdict, subject: string) => number | null): Family => ({
  name,
  help,
  labelNames: [],
  samples: (verdict, subject) => {
    const known = value(verdict, subject);
    return known === null ? [] : [{ labels: {}, value: known }];
  },
});

const families = (ledger: VerdictSource): Family[] => [
  {
    name: "candor_evidence_log",
    help: "Evidence of each process, natural logarithm; read it against candor_evidence_threshold_log",
    labelNames: ["channel"],
    samples: ({ evidence }) =>
      Object.entries(evidence).map(([channel, { logEvidence }]) => ({ labels: { channel }, value: logEvidence })),
  },
  {
    name: "candor_evidence_threshold_log",
    help: "Where evidence leads to something, natural logarithm; severity none: shown, or used in naming",
    labelNames: ["channel", "severity"],
    samples: (verdict, subject) => thresholdSamples(verdict, ledger.thresholds(subject)),
  },
  {
    name: "candor_harm_rate",
    help: "Share of judged answers that are harmful, with a confidence sequence, since calibration and since the change",
    labelNames: ["bound", "window"],
    samples: ({ harmRate }) => intervalSamples(harmRate),
  },
  {
    name: "candor_self_report",
    help: "Mean misalignment that the subject reports of itself, 0-1, with a confidence sequence",
    labelNames: ["bound", "window"],
    samples: ({ selfReport }) => intervalSamples(selfReport),
  },
  {
    name: "candor_persona",
    help: "1 for the persona in force, 0 for the others",
    labelNames: ["persona"],
    samples: ({ persona }) => stateSet("persona", personas, persona),
  },
  {
    name: "candor_severity",
    help: "1 for the severity in force, 0 for the others; latched until acknowledged",
    labelNames: ["severity"],
    samples: ({ severity }) => stateSet("severity", severities, severity),
  },
  {
    name: "candor_null_mean",
    help: "Harm rate that the detector takes as normal for this stratum; it never rises within an epoch",
    labelNames: ["stratum", "context"],
    samples: ({ baseline }) =>
      baseline.map(({ stratum, context, nullMean }) => ({
        labels: { stratum, context: context ?? "" },
        value: nullMean,
      })),
  },
  {
    name: "candor_replica_evidence_log",
    help: "Evidence that harm has risen at one replica of several, natural logarithm; absent while there is one",
    labelNames: ["name"],
    samples: ({ replicas }) =>
      replicas.map(({ name, evidence: { logEvidence } }) => ({ labels: { name }, value: logEvidence })),
  },
  {
    name: "candor_observations_since_change",
    help: "Data since the estimated start of the present change; 0 while nothing points to one",
    labelNames: ["kind"],
    samples: ({ harmRate, selfReport }) => [
      { labels: { kind: "harm" }, value: harmRate.sinceChange?.n ?? 0 },
      { labels: { kind: "self-report" }, value: selfReport.sinceChange?.n ?? 0 },
    ],
  },
  single("candor_assured", "1 when there is evidence of harmlessness, not only the absence of an alarm", (verdict) =>
    verdict.assured ? 1 : 0,
  ),
  single(
    "candor_unanswered_ratio",
    "Share of self-questions that were refused or could not be read",
    (verdict) => verdict.unansweredRate,
  ),
  {
    name: "candor_served_model_changes",
    help: "Changes of the served model that canary questions showed since the last acknowledgement; absent where none are asked",
    labelNames: [],
    samples: ({ canary }) => (canary === null ? [] : [{ labels: {}, value: canary.seen }]),
  },
  {
    name: "candor_identity_ratio",
    help: "Share of answers that name the declared developer, with a confidence sequence; absent where nobody asks",
    labelNames: ["bound"],
    samples: ({ identity }) =>
      identity === null
        ? []
        : (["lower", "estimate", "upper"] as const).map((bound) => ({
            labels: { bound },
            value: identity.rightDeveloper[bound],
          })),
  },
  single("candor_identity_names", "Different names given to the question who it is", ({ identity }) =>
    identity === null ? null : identity.names.length,
  ),
  single("candor_calibration_ratio", "How far the slowest part of the baseline is, 0-1", calibrationRatio),
  single("candor_verdict_position", "Log position of the last datum in the verdict", ({ position }) => position),
  single(
    "candor_verdict_timestamp_seconds",
    "When the last datum came into the verdict, seconds since 1970",
    (_, subject) => ledger.verdictAt(subject) / 1000,
  ),
];

/** Returns what brings the values up to date. Computing a verdict costs, so it is done once a scrape. */
export const exposePersona = (
  registry: Registry,
  subjects: () => readonly string[],
  ledger: VerdictSource,
): (() => void) => {
  const gauges = families(ledger).map(({ name, help, labelNames, samples }) => ({
    samples,
    gauge: new Gauge<string>({ name, help, labelNames: ["subject", ...labelNames], registers: [registry] }),
  }));
  const fleet = new Gauge({
    name: "candor_fleet_evidence_log",
    help: "Evidence of harm less what being one of many subjects costs (e-BH), natural logarithm; read it as `harm`",
    labelNames: ["subject"],
    registers: [registry],
  });
  return () => {
    for (const { gauge } of gauges) gauge.reset();
    fleet.reset();
    const verdicts = new Map(subjects().map((subject) => [subject, ledger.verdict(subject)]));
    const members = [...verdicts].map(([id, { evidence }]) => ({
      id,
      logEvidence: evidence.harm.logEvidence,
      thresholds: ledger.thresholds(id),
    }));
    for (const [subject, { logEvidence }] of fleetStandings(members)) fleet.set({ subject }, logEvidence);
    for (const [subject, verdict] of verdicts) {
      for (const { gauge, samples } of gauges) {
        for (const { labels, value } of samples(verdict, subject)) gauge.set({ subject, ...labels }, value);
      }
    }
  };
};
