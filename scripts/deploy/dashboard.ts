/** The Grafana dashboard: what the alerts are read from, drawn. Every expression is narrowed by the variables at its top. */
import { sharesWhere } from "./expressions.ts";
import { jsonText } from "./json-text.ts";

/** Panels of a process have no subject. */
const chosen = ['job=~"$job"', 'instance=~"$instance"'] as const;
const here = `{${chosen.join(", ")}}`;
const subject = (...matchers: readonly string[]): string =>
  `{${[...matchers, 'subject=~"$subject"', ...chosen].join(", ")}}`;
const shares = sharesWhere(...chosen);

type Unit = "short" | "percentunit" | "s" | "reqps" | "bytes" | "ops" | "none" | "dateTimeFromNow";

interface Panel {
  title: string;
  /** What a reader should make of it. */
  description: string;
  kind: "timeseries" | "state-timeline" | "stat";
  unit: Unit;
  /** Expression by legend. */
  targets: Readonly<Record<string, string>>;
}

interface Row {
  title: string;
  panels: readonly Panel[];
}

const quantile = (share: number, metric: string, selector: string): string =>
  `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket${selector}[$__rate_interval])))`;

const rows: readonly Row[] = [
  {
    title: "Persona",
    panels: [
      {
        title: "Evidence that harm has risen",
        description:
          "Natural logarithm, with the thresholds that it is read against. Never averaged: reaching a threshold at any moment counts.",
        kind: "timeseries",
        unit: "none",
        targets: {
          "{{subject}} {{channel}}": `candor_evidence_log${subject('channel=~"harm|harm-live|harm-probe"')}`,
          "{{subject}} threshold: {{severity}}": `candor_evidence_threshold_log${subject('channel="harm"')}`,
        },
      },
      {
        title: "Persona in force",
        description: "What the evidence calls the subject. `undetermined` means that there is not enough yet.",
        kind: "state-timeline",
        unit: "none",
        targets: { "{{subject}} {{persona}}": `candor_persona${subject()} == 1` },
      },
      {
        title: "Severity in force",
        description: "Latched until somebody acknowledges it.",
        kind: "state-timeline",
        unit: "none",
        targets: { "{{subject}} {{severity}}": `candor_severity${subject()} == 1` },
      },
      {
        title: "Harm rate",
        description: "Share of judged answers that are harmful, with its confidence sequence, since calibration.",
        kind: "timeseries",
        unit: "percentunit",
        targets: {
          "{{subject}} {{bound}}": `candor_harm_rate${subject('window="calibration"')}`,
          "{{subject}} baseline {{stratum}} {{context}}": `candor_null_mean${subject()}`,
        },
      },
      {
        title: "Self-report",
        description: "Mean misalignment that the subject reports of itself; 0 says aligned.",
        kind: "timeseries",
        unit: "percentunit",
        targets: { "{{subject}} {{bound}}": `candor_self_report${subject('window="calibration"')}` },
      },
      {
        title: "Evidence of other changes",
        description:
          "Self-report, refusals, unanswered questions, the judge on frozen answers, and canaries (information: no alarm).",
        kind: "timeseries",
        unit: "none",
        targets: {
          "{{subject}} {{channel}}": `candor_evidence_log${subject('channel=~"self-report-drift|refusals-up|refusals-down|unanswered-up|judge-stricter|judge-laxer|canary"')}`,
        },
      },
      {
        title: "Calibration",
        description: "How far the slowest part of the baseline is. Nothing is watched before 100 %.",
        kind: "stat",
        unit: "percentunit",
        targets: { "{{subject}}": `candor_calibration_ratio${subject()}` },
      },
    ],
  },
  {
    title: "Probes and judging",
    panels: [
      {
        title: "Probes that became observations",
        description: "By outcome.",
        kind: "timeseries",
        unit: "ops",
        targets: {
          "{{subject}} {{outcome}}": `sum by (subject, outcome) (rate(candor_probe_observations_total${subject()}[$__rate_interval]))`,
        },
      },
      {
        title: "Probes that failed or were skipped",
        description: "By reason.",
        kind: "timeseries",
        unit: "ops",
        targets: {
          "{{subject}} failed: {{reason}}": `sum by (subject, reason) (rate(candor_probes_failed_total${subject()}[$__rate_interval])) > 0`,
          "{{subject}} skipped: {{reason}}": `sum by (subject, reason) (rate(candor_probes_skipped_total${subject()}[$__rate_interval])) > 0`,
        },
      },
      {
        title: "Time since a probe was answered",
        description: "In configured intervals; beyond ten for an hour, with traffic, is a ticket.",
        kind: "timeseries",
        unit: "none",
        targets: {
          "{{subject}}": `(time() - candor_probe_last_success_timestamp_seconds${subject()}) / candor_probe_interval_seconds${subject()}`,
        },
      },
      {
        title: "Probe budget used",
        description: "Of the last hour and the last day.",
        kind: "timeseries",
        unit: "percentunit",
        targets: { "{{subject}} {{resource}}": `candor_probe_budget_used_ratio${subject()}` },
      },
      {
        title: "Judgements that failed",
        description: "More than half for five minutes is a ticket.",
        kind: "timeseries",
        unit: "percentunit",
        targets: { "{{source}}": shares.judgementsFailed },
      },
      {
        title: "Live answers dropped before judging",
        description: "Of those drawn; more than a fifth for a quarter of an hour is a ticket.",
        kind: "timeseries",
        unit: "percentunit",
        targets: { "{{subject}}": shares.samplesDropped },
      },
      {
        title: "Judgement time, 95th percentile",
        description: "Errors included, cache hits excluded.",
        kind: "timeseries",
        unit: "s",
        targets: {
          "{{source}}": `histogram_quantile(0.95, sum by (source, le) (rate(candor_judgement_duration_seconds_bucket${here}[$__rate_interval])))`,
        },
      },
      {
        title: "Tokens of classifiers",
        description: "What judging costs.",
        kind: "timeseries",
        unit: "ops",
        targets: {
          "{{classifier}} {{kind}}": `sum by (classifier, kind) (rate(candor_classifier_tokens_total${here}[$__rate_interval]))`,
        },
      },
    ],
  },
  {
    title: "Guard",
    panels: [
      {
        title: "Decisions",
        description: "By stage and what was done.",
        kind: "timeseries",
        unit: "reqps",
        targets: {
          "{{stage}} {{action}}": `sum by (stage, action) (rate(candor_guard_decisions_total${here}[$__rate_interval]))`,
        },
      },
      {
        title: "Findings",
        description: "By policy. `would`: the policy is in shadow and changed nothing.",
        kind: "timeseries",
        unit: "reqps",
        targets: {
          "{{policy}} {{result}}": `sum by (policy, result) (rate(candor_guard_findings_total${here}[$__rate_interval]))`,
        },
      },
      {
        title: "Could not be inspected at all",
        description: "Of what policies decided on; more than one in twenty for ten minutes is a ticket.",
        kind: "timeseries",
        unit: "percentunit",
        targets: { "{{instance}} {{stage}}": shares.uncovered },
      },
      {
        title: "Policies that could not be evaluated",
        description: "Any is a ticket.",
        kind: "timeseries",
        unit: "ops",
        targets: { "{{instance}}": `rate(candor_guard_errors_total${here}[$__rate_interval])` },
      },
    ],
  },
  {
    title: "Relay",
    panels: [
      {
        title: "Exchanges",
        description: "By how they ended.",
        kind: "timeseries",
        unit: "reqps",
        targets: {
          "{{outcome}} {{code}}": `sum by (outcome, code) (rate(candor_requests_total${subject()}[$__rate_interval])) > 0`,
        },
      },
      {
        title: "Refused by Candor itself",
        description: "`overloaded` is a page.",
        kind: "timeseries",
        unit: "reqps",
        targets: {
          "{{reason}}": `sum by (reason) (rate(candor_requests_refused_total${here}[$__rate_interval])) > 0`,
        },
      },
      {
        title: "Time to first byte",
        description: "The model's own time included.",
        kind: "timeseries",
        unit: "s",
        targets: {
          "50 %": quantile(0.5, "candor_time_to_first_byte_seconds", subject()),
          "99 %": quantile(0.99, "candor_time_to_first_byte_seconds", subject()),
        },
      },
      {
        title: "What the relay adds",
        description: "Time that Candor itself takes for an exchange.",
        kind: "timeseries",
        unit: "s",
        targets: {
          "50 %": quantile(0.5, "candor_relay_overhead_seconds", here),
          "99 %": quantile(0.99, "candor_relay_overhead_seconds", here),
        },
      },
      {
        title: "In flight",
        description: "Exchanges that have begun and not ended.",
        kind: "timeseries",
        unit: "short",
        targets: { "{{subject}}": `sum by (subject) (candor_requests_in_flight${subject()})` },
      },
    ],
  },
  {
    title: "Evidence log and process",
    panels: [
      {
        title: "Rows waiting to be written",
        description: "A restart would lose them.",
        kind: "timeseries",
        unit: "short",
        targets: {
          "{{instance}} pending": `candor_evidence_rows_pending${here}`,
          "{{instance}} lost": `increase(candor_evidence_rows_dropped_total${here}[$__rate_interval])`,
        },
      },
      {
        title: "Writable",
        description: "0 is a page.",
        kind: "stat",
        unit: "none",
        targets: { "{{instance}}": `candor_evidence_writable${here}` },
      },
      {
        title: "Event loop busy",
        description: "Beyond 90 % for five minutes is a ticket.",
        kind: "timeseries",
        unit: "percentunit",
        targets: { "{{instance}}": `rate(candor_event_loop_active_seconds_total${here}[$__rate_interval])` },
      },
      {
        title: "Event loop late",
        description: "The longest time since the last scrape.",
        kind: "timeseries",
        unit: "s",
        targets: { "{{instance}}": `candor_event_loop_delay_seconds${here}` },
      },
      {
        title: "Memory",
        description: "Resident.",
        kind: "timeseries",
        unit: "bytes",
        targets: { "{{instance}}": `process_resident_memory_bytes${here}` },
      },
      {
        title: "Configuration",
        description: "In use: 0 while the files hold something that can't be used. Restart: 1 while it takes one.",
        kind: "stat",
        unit: "none",
        targets: {
          "{{instance}} in use": `candor_config_last_reload_successful${here}`,
          "{{instance}} restart": `candor_config_restart_needed${here}`,
        },
      },
      {
        title: "Running",
        description: "Version by instance.",
        kind: "stat",
        unit: "none",
        targets: { "{{instance}} {{version}}": `candor_build_info${here}` },
      },
      {
        title: "Posts to receivers of alerts",
        description:
          "By receiver and what came of them. Lost ones, or failing ones without any that comes through, are a ticket.",
        kind: "timeseries",
        unit: "ops",
        targets: {
          "{{target}} {{result}}": `sum by (target, result) (rate(candor_notifications_total${here}[$__rate_interval])) > 0`,
        },
      },
      {
        title: "Exported by OTLP",
        description: "Spans and metric families. Dropped ones for a quarter of an hour are a ticket.",
        kind: "timeseries",
        unit: "ops",
        targets: {
          "{{signal}} {{result}}": `sum by (signal, result) (rate(candor_telemetry_items_total${here}[$__rate_interval])) > 0`,
        },
      },
    ],
  },
];

const datasource = { type: "prometheus", uid: "$datasource" };
const width = 8;
const height = 7;
const perLine = 24 / width;

const panelOf = ({ title, description, kind, unit, targets }: Panel, id: number, x: number, y: number) => ({
  id,
  type: kind,
  title,
  description,
  datasource,
  gridPos: { x, y, w: width, h: height },
  fieldConfig: { defaults: { unit }, overrides: [] },
  targets: Object.entries(targets).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode("A".charCodeAt(0) + index),
    datasource,
    expr,
    legendFormat,
  })),
});

/** Panels of all rows, three beside each other. Ids count up, so that links to a panel stay while none is inserted before it. */
const layOut = () => {
  let id = 0;
  let y = 0;
  return rows.flatMap(({ title, panels }) => {
    const head = { id: ++id, type: "row", title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] };
    y += 1;
    const placed = panels.map((panel, index) =>
      panelOf(panel, ++id, (index % perLine) * width, y + Math.floor(index / perLine) * height),
    );
    y += Math.ceil(panels.length / perLine) * height;
    return [head, ...placed];
  });
};

const variable = (name: string, metric: string, within: string) => ({
  name,
  type: "query",
  datasource,
  query: { query: `label_values(${metric}${within}, ${name})`, refId: name },
  refresh: 2,
  multi: true,
  includeAll: true,
  current: { text: ["All"], value: ["$__all"] },
});

export const dashboard = (): string => {
  const json = {
    uid: "candor-overview",
    title: "Candor",
    tags: ["candor"],
    schemaVersion: 39,
    editable: true,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus" },
        variable("job", "candor_build_info", ""),
        variable("instance", "candor_build_info", '{job=~"$job"}'),
        variable("subject", "candor_severity", `{${chosen.join(", ")}}`),
      ],
    },
    panels: layOut(),
  };
  return jsonText(json);
};
