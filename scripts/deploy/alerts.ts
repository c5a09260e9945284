/**
 * Candor's alerts, the one source of the rules file, the PrometheusRule and the dashboard's thresholds. Only metrics of
 * docs/metrics.md, only label values that are exposed from the start: a rule on anything else could never fire.
 * Valid on Prometheus 2.42 and 3.x.
 */
import { sharesWhere } from "./expressions.ts";

export interface Alert {
  name: `Candor${string}`;
  /** Why the rule is as it is; becomes a comment of the rules file. */
  note?: string;
  expr: string;
  /** How long the expression must hold. */
  for?: string;
  severity: "page" | "ticket";
  summary: string;
  description: string;
}

interface Group {
  name: string;
  alerts: readonly Alert[];
}

/** Whether evidence of some channels has reached the threshold of its own channel. */
const evidenceReached = (channels: string, severity = ""): string => {
  const selector = channels.includes("|") ? `channel=~"${channels}"` : `channel="${channels}"`;
  const threshold = severity === "" ? selector : `${selector}, severity="${severity}"`;
  return [
    `candor_evidence_log{${selector}}`,
    `  >= ignoring (severity) candor_evidence_threshold_log{${threshold}}`,
  ].join("\n");
};

/** One alert for a subject, however many replicas say so: they fold the same evidence. */
const once = (...expr: string[]): string =>
  [
    "max by (job, subject, channel) (",
    ...expr
      .join("\n")
      .split("\n")
      .map((line) => `  ${line}`),
    ")",
  ].join("\n");

const latched = (severities: string): string =>
  `ignoring (channel, severity) candor_severity{severity=~"${severities}"} == 1`;

const shares = sharesWhere();

const lines = (...parts: string[]): string => parts.join("\n");

/** Posts to each receiver of notifications in a quarter of an hour, by what came of them. */
const posts = (results: string): string => {
  const matcher = results.includes("|") ? `result=~"${results}"` : `result="${results}"`;
  return `sum by (job, instance, target) (increase(candor_notifications_total{${matcher}}[15m]))`;
};

const persona: Group = {
  name: "candor-persona",
  alerts: [
    {
      name: "CandorPersonaPage",
      expr: once(
        evidenceReached("harm", "page"),
        "or",
        'candor_evidence_log{channel="harm"}',
        `  and ${latched("page|action")}`,
      ),
      severity: "page",
      summary: "{{ $labels.subject }} has become more harmful than its baseline",
      description: [
        "Evidence that the harm rate of subject {{ $labels.subject }} has risen is {{ $value | humanize }} (natural logarithm),",
        "beyond the threshold for a page.",
        '{{ with printf "candor_persona{subject=%q, job=%q} == 1" $labels.subject $labels.job | query -}}',
        'Persona: {{ . | first | label "persona" }}.',
        "{{- end }}",
        "It stays until it is acknowledged.",
      ].join(" "),
    },
    {
      name: "CandorPersonaTicket",
      expr: once(evidenceReached("harm", "ticket"), `unless ${latched("page|action")}`),
      severity: "ticket",
      summary: "{{ $labels.subject }} may have become more harmful than its baseline",
      description:
        "Evidence that the harm rate of subject {{ $labels.subject }} has risen is {{ $value | humanize }} (natural logarithm), " +
        "beyond the threshold for a ticket and not yet that for a page.",
    },
    {
      name: "CandorHarmDrift",
      note: "One source of answers alone, where both together say nothing yet: a trigger that only live traffic or only probes hit.",
      expr: once(evidenceReached("harm-live|harm-probe"), `unless ${latched("ticket|page|action")}`),
      severity: "ticket",
      summary: "{{ $labels.subject }} has become more harmful in one kind of answers",
      description:
        "Evidence of {{ $labels.channel }} for subject {{ $labels.subject }} is {{ $value | humanize }} (natural logarithm), " +
        "beyond the threshold for a ticket, while live answers and probes together have not reached theirs.",
    },
    {
      name: "CandorSelfReportDrift",
      expr: once(evidenceReached("self-report-drift")),
      severity: "ticket",
      summary: "{{ $labels.subject }} describes itself as less aligned than it used to",
      description:
        "Evidence that subject {{ $labels.subject }} speaks worse of itself than in its own baseline is " +
        "{{ $value | humanize }} (natural logarithm), beyond its threshold. What it does may not have changed.",
    },
    {
      name: "CandorRefusalDrift",
      expr: once(evidenceReached("refusals-up|refusals-down|unanswered-up")),
      severity: "ticket",
      summary: "{{ $labels.subject }} refuses or evades at another rate than it used to",
      description:
        "Evidence of {{ $labels.channel }} for subject {{ $labels.subject }} is {{ $value | humanize }} (natural logarithm), " +
        "beyond its threshold.",
    },
    {
      name: "CandorJudgeDrift",
      note: "Both against the threshold for a ticket: judge-stricter's own is lower, and only withholds names from the harmful.",
      expr: once(
        'candor_evidence_log{channel=~"judge-stricter|judge-laxer"}',
        '  >= ignoring (channel, severity) group_left candor_evidence_threshold_log{channel="judge-laxer"}',
      ),
      severity: "ticket",
      summary: "The judge of {{ $labels.subject }} judges frozen answers otherwise than it did",
      description:
        "Evidence of {{ $labels.channel }} for subject {{ $labels.subject }} is {{ $value | humanize }} (natural logarithm), " +
        "beyond its threshold. Until that is settled, what the harm rate says may be about the judge.",
    },
  ],
};

const operation: Group = {
  name: "candor-operation",
  alerts: [
    {
      name: "CandorDown",
      expr: 'up{job="candor"} == 0 or absent(up{job="candor"})',
      for: "2m",
      severity: "page",
      summary: "Candor can't be scraped{{ with $labels.instance }} at {{ . }}{{ end }}",
      description:
        "Prometheus has had no answer from Candor{{ with $labels.instance }} at {{ . }}{{ end }} for two minutes, or knows " +
        "no Candor at all. Apps that call the model through it may be cut off.",
    },
    {
      name: "CandorProbeStarvation",
      note: "The interval is the operator's own, so a subject that is probed rarely is given more time.",
      expr: lines(
        "time() - candor_probe_last_success_timestamp_seconds > 10 * candor_probe_interval_seconds",
        "and on (job, instance, subject)",
        "sum by (job, instance, subject) (increase(candor_requests_total[15m])) > 0",
      ),
      for: "1h",
      severity: "ticket",
      summary: "No probe of {{ $labels.subject }} succeeds, although it has traffic",
      description:
        "The last probe of subject {{ $labels.subject }} that was answered is {{ $value | humanizeDuration }} ago, more than " +
        "ten times the configured interval. Without probes no persona can be named.",
    },
    {
      name: "CandorJudgeFailing",
      expr: lines(shares.judgementsFailed, "> 0.5"),
      for: "5m",
      severity: "ticket",
      summary: "{{ $labels.source }} fails to judge most answers",
      description:
        "{{ $value | humanizePercentage }} of what classifier {{ $labels.source }} was asked in the last 15 minutes ended in " +
        "an error. Answers that are not judged are not evidence: the detector goes blind.",
    },
    {
      name: "CandorEvidenceNotWritten",
      expr: "candor_evidence_writable == 0 or increase(candor_evidence_rows_dropped_total[5m]) > 0",
      for: "30s",
      severity: "page",
      summary: "Candor {{ $labels.instance }} can't write its evidence",
      description:
        "The evidence store of {{ $labels.instance }} can't keep up or can't be written; {{ $value | humanize }} rows were " +
        "lost in the last five minutes. The others wait in memory, up to a bound: a restart now would lose them.",
    },
    {
      name: "CandorSamplesDropped",
      note: "`capped`, `tenant-capped`, `seen-before`, `no-text` and `incomplete` are how sampling is meant to work; these are not.",
      expr: lines(shares.samplesDropped, "> 0.2"),
      for: "15m",
      severity: "ticket",
      summary: "Live answers of {{ $labels.subject }} are dropped before they are judged",
      description:
        "{{ $value | humanizePercentage }} of the live answers of subject {{ $labels.subject }} that were drawn for judging " +
        "were dropped in the last 15 minutes: too many, too large or unreadable.",
    },
    {
      name: "CandorCoverageLoss",
      note: "Only `none`: an image beside text is `partial`, and everyday in some apps.",
      expr: lines(shares.uncovered, "> 0.05"),
      for: "10m",
      severity: "ticket",
      summary: "Policies can't read what passes through Candor {{ $labels.instance }}",
      description:
        "Nothing could be inspected in {{ $value | humanizePercentage }} of what policies decided on in the last 15 minutes " +
        "(stage: {{ $labels.stage }}). Each policy's own settings say whether that passed or was refused.",
    },
    {
      name: "CandorGuardErrors",
      note: "A policy's fail mode has already chosen between refusing and passing; somebody should know which.",
      expr: "increase(candor_guard_errors_total[10m]) > 0",
      severity: "ticket",
      summary: "Policies of Candor {{ $labels.instance }} could not be evaluated",
      description:
        "{{ $value | humanize }} requests or answers in the last ten minutes met a policy that could not be evaluated. They " +
        "were refused or passed unguarded, as that policy's fail mode says.",
    },
    {
      name: "CandorConfigReloadFailed",
      note: "A file that is half written is read again within seconds.",
      expr: "candor_config_last_reload_successful == 0",
      for: "1m",
      severity: "ticket",
      summary: "Candor {{ $labels.instance }} can't use its changed configuration",
      description:
        "The configuration or the policies of {{ $labels.instance }} were changed to something that can't be used. What was " +
        "read before is still in force, until a restart: that would fail.",
    },
    {
      name: "CandorRestartNeeded",
      expr: "candor_config_restart_needed == 1",
      for: "15m",
      severity: "ticket",
      summary: "Candor {{ $labels.instance }} runs with an older configuration than its file has",
      description:
        "The configuration of {{ $labels.instance }} has changed in parts that are read at the start alone. They take " +
        "effect with its next restart.",
    },
    {
      name: "CandorSaturated",
      note: "One event loop does all of a replica's work; beyond nine tenths of its time every exchange waits.",
      expr: "rate(candor_event_loop_active_seconds_total[5m]) > 0.9",
      for: "5m",
      severity: "ticket",
      summary: "Candor {{ $labels.instance }} is saturated",
      description:
        "The event loop of {{ $labels.instance }} was busy for {{ $value | humanizePercentage }} of the last five minutes. " +
        "Exchanges wait for it.",
    },
    {
      name: "CandorShedding",
      expr: 'sum by (job, instance) (increase(candor_requests_refused_total{reason="overloaded"}[5m])) > 0',
      for: "1m",
      severity: "page",
      summary: "Candor {{ $labels.instance }} refuses requests because it has too many",
      description:
        "{{ $value | humanize }} requests were refused in the last five minutes because too many connections were open or " +
        "too many requests waited for the model. Apps saw 503.",
    },
    {
      name: "CandorNotificationsFailing",
      note: "A post that failed is tried again: only where none came through meanwhile, or where one is lost for good.",
      expr: lines(
        `${posts("refused|given-up|dropped")} > 0`,
        "or (",
        `  ${posts("failed")} > 0`,
        `  unless ${posts("delivered")} > 0`,
        ")",
      ),
      for: "5m",
      severity: "ticket",
      summary: "{{ $labels.target }} is not told what Candor {{ $labels.instance }} has to tell",
      description:
        "{{ $value | humanize }} posts to receiver {{ $labels.target }} failed or were lost in the last 15 minutes. Whoever " +
        "relies on it hears nothing; the alerts of Prometheus are not affected.",
    },
    {
      name: "CandorTelemetryDropped",
      expr: 'sum by (job, instance, signal) (increase(candor_telemetry_items_total{result="dropped"}[15m])) > 0',
      for: "15m",
      severity: "ticket",
      summary: "Candor {{ $labels.instance }} loses {{ $labels.signal }} that it should export",
      description:
        "{{ $value | humanize }} items of {{ $labels.signal }} were dropped in the last 15 minutes: the OTLP receiver is away, " +
        "too slow, or refuses them. Nothing else is affected.",
    },
  ],
};

export const alertGroups: readonly Group[] = [persona, operation];
