/** What the demo shows while it runs, as lines of text. A function of the scene alone: it draws nothing itself. */
import type { SubjectView } from "../control/api-schema.ts";
import { provenance } from "./published-rates.ts";

export type Stage = "starting" | "calibrating" | "healthy" | "turned" | "done";

/** Where something happened after the subject turned. */
export interface Milestone {
  /** Observations of any kind between the turn and this, this one included. */
  observations: number;
  seconds: number;
}

export interface Scene {
  stage: Stage;
  /** What the subject turns into, or how a replay calls its present step. */
  turnsInto: string;
  seconds: number;
  exchanges: number;
  /** Null before the first look at the control port. */
  subject: SubjectView | null;
  thresholds: { ticket: number; page: number; action: number };
  naming: number;
  /** Stands under the title. */
  notes: readonly string[];
}

type Style = "bold" | "dim" | "red" | "green" | "yellow";
export type Paint = (style: Style, text: string) => string;

const plainPaint: Paint = (_, text) => text;
const codes: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };
export const ansiPaint: Paint = (style, text) => `\x1b[${codes[style]}m${text}\x1b[0m`;

const barWidth = 32;

/** @param share 0-1 */
export const bar = (share: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  return `${"█".repeat(full)}${"░".repeat(barWidth - full)}`;
};

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

type Verdict = SubjectView["verdict"];
type Window = Verdict["harmRate"];

const intervalOf = ({ sinceCalibration, sinceChange }: Window): string => {
  const describe = ({ lower, estimate, upper, n }: Window["sinceCalibration"]): string =>
    `${percent(estimate)}  [${percent(lower)}, ${percent(upper)}]  n ${n}`;
  return sinceChange === null
    ? describe(sinceCalibration)
    : `${describe(sinceChange)} since the change (${percent(sinceCalibration.estimate)} in all)`;
};

const label = (text: string): string => `  ${text.padEnd(25)} `;

const stageLines: Record<Stage, (scene: Scene) => string> = {
  starting: () => "starting",
  calibrating: () => "learning what is normal for this model, while it is healthy",
  healthy: () => "watching; the model is healthy",
  turned: ({ turnsInto }) => `watching; the model is now: ${turnsInto}`,
  done: ({ turnsInto }) => `finished; the model is: ${turnsInto}`,
};

const calibrationLines = ({ calibration }: Verdict): string[] =>
  calibration.map(
    ({ name, have, need }) =>
      `${label(`baseline ${name}`)}${bar(need === 0 ? 1 : have / need)} ${Math.min(have, need)}/${need}`,
  );

const evidenceLine = (name: string, log: number | null, threshold: number | null, what: string): string => {
  const value = log ?? Number.NEGATIVE_INFINITY;
  const goal = threshold ?? Number.POSITIVE_INFINITY;
  return `${label(name)}${bar(value / goal)} ${log === null ? "-" : log.toFixed(1)} of ${Number.isFinite(goal) ? goal.toFixed(1) : "-"} ${what}${value >= goal ? "  reached" : ""}`;
};

const evidenceLines = ({ evidence }: Verdict, { thresholds, naming }: Scene): string[] => {
  const harm = evidence.harm?.logEvidence ?? null;
  const line = (name: keyof typeof evidence, threshold: number, what: string): string =>
    evidenceLine(name, evidence[name]?.logEvidence ?? null, threshold, what);
  return [
    evidenceLine("harm", harm, Math.log(thresholds.ticket), "ticket"),
    evidenceLine("", harm, Math.log(thresholds.page), "page"),
    evidenceLine("", harm, Math.log(thresholds.action), "action"),
    line("says-aligned", Math.log(naming), "for a name"),
    line("says-misaligned", Math.log(naming), "for a name"),
    evidenceLine(
      "self-report-drift",
      evidence["self-report-drift"]?.logEvidence ?? null,
      evidence["self-report-drift"]?.logThreshold ?? null,
      "ticket",
    ),
  ];
};

const personaStyle = (persona: Verdict["persona"]): Style =>
  persona === "aligned" ? "green" : persona === "undetermined" ? "dim" : "red";
const severityStyle = (severity: Verdict["severity"]): Style =>
  severity === "none" ? "green" : severity === "ticket" ? "yellow" : "red";

/** Columns and rows of the terminal. */
export interface Size {
  columns: number;
  rows: number;
}

const roomy: Size = { columns: 106, rows: 40 };

/** Breaks at spaces; a longer word stands on a line of its own. */
const wrap = (text: string, width: number): string[] =>
  text.match(new RegExp(`\\S.{0,${width - 2}}(?=\\s|$)|\\S+`, "g")) ?? [];

const indent = 6;
const reasonLines = (reasons: readonly string[], columns: number): string[] =>
  reasons.flatMap((reason) =>
    wrap(reason, columns - indent).map((line, index) => `    ${index === 0 ? "-" : " "} ${line}`),
  );

const verdictLines = (verdict: Verdict, scene: Scene, paint: Paint, columns: number): string[] => [
  ...(verdict.phase === "calibrating" ? calibrationLines(verdict) : evidenceLines(verdict, scene)),
  "",
  `${label("harm rate")}${intervalOf(verdict.harmRate)}`,
  `${label("says misaligned")}${intervalOf(verdict.selfReport)}`,
  "",
  `${label("persona")}${paint(personaStyle(verdict.persona), verdict.persona.toUpperCase())}${verdict.assured ? " (assured)" : ""}`,
  `${label("severity")}${paint(severityStyle(verdict.severity), verdict.severity)}`,
  ...reasonLines(verdict.reasons, columns),
];

/** As many lines as fit: a higher picture could not be redrawn in place. Reasons come last; the summary has them whole. */
export const render = (scene: Scene, paint: Paint = plainPaint, { columns, rows }: Size = roomy): string[] =>
  picture(scene, paint, columns).slice(0, rows - 1);

const picture = (scene: Scene, paint: Paint, columns: number): string[] => [
  `${paint("bold", "Candor demo")}  ${paint("dim", `subject ${provenance}`)}`,
  ...scene.notes.map((note) => paint("dim", note)),
  "",
  `  ${paint("bold", stageLines[scene.stage](scene))}`,
  `  ${scene.seconds.toFixed(0)} s, ${scene.exchanges} exchanges of the app`,
  "",
  ...(scene.subject === null ? [] : verdictLines(scene.subject.verdict, scene, paint, columns)),
];

const leastCalibrated = ({ calibration }: Verdict): number =>
  calibration.reduce((least, { have, need }) => Math.min(least, need === 0 ? 1 : have / need), 1);

/** The scene in one line, for outputs that can't be redrawn. */
export const renderLine = (scene: Scene): string => {
  const head = `[${scene.seconds.toFixed(1).padStart(5)} s] ${scene.stage}`;
  const verdict = scene.subject?.verdict;
  if (verdict === undefined) return head;
  if (verdict.phase === "calibrating") return `${head}: baseline ${percent(leastCalibrated(verdict))}`;
  const { sinceCalibration, sinceChange } = verdict.harmRate;
  const harm = verdict.evidence.harm?.logEvidence ?? null;
  return `${head}: ${verdict.persona}, severity ${verdict.severity}, harm ${percent((sinceChange ?? sinceCalibration).estimate)}, evidence ${harm === null ? "-" : harm.toFixed(1)} of ${Math.log(scene.thresholds.page).toFixed(1)} for a page`;
};
