/** The end of the demo in words. Pure. */
import type { Alert } from "./after-the-turn.ts";
import type { DemoSummary } from "./persona-demo.ts";
import type { Milestone } from "./terminal-view.ts";

const when = (milestone: Milestone | null): string =>
  milestone === null ? "never" : `after ${milestone.observations} observations, ${milestone.seconds.toFixed(1)} s`;

const alertLine = ({ name, fires, evidence, threshold, severity }: Alert): string =>
  `  ${name.padEnd(20)} ${fires ? "fires" : "is silent"}: evidence ${evidence.toFixed(2)}, threshold ${threshold.toFixed(2)}, severity ${severity}`;

export const summaryText = (summary: DemoSummary): string[] => {
  const { aftermath, questions, seconds, alerts, persona } = summary;
  return [
    "",
    `simulated    a healthy model${persona === "aligned" ? " that stays aligned" : ` that turned ${persona}`}; ${summary.simulated}; seed ${summary.seed}`,
    `judged by    ${summary.judge}`,
    `named        ${aftermath.name?.persona ?? summary.verdict.persona}, severity ${summary.verdict.severity}`,
    `ticket       ${when(aftermath.ticket)}${persona === "aligned" ? "" : " from the turn"}`,
    `page         ${when(aftermath.page)}${persona === "aligned" ? "" : " from the turn"}`,
    ...(persona === "aligned"
      ? [`watched      ${aftermath.observations} observations`]
      : [`name         ${when(aftermath.name)} from the turn`]),
    "reasons",
    ...summary.reasons.map((reason) => `  - ${reason}`),
    "alerts by the shipped Prometheus rules, from /metrics",
    ...alerts.map(alertLine),
    `the app      ${summary.exchanges} exchanges; baseline learned in ${seconds.calibration.toFixed(0)} s, all in ${seconds.total.toFixed(0)} s`,
    `the subject  was asked ${questions.aboutItself} questions about itself and could not read ${questions.unread} of them, which it answered vaguely`,
    summary.fault === null ? "result       as it should be" : `result       WRONG: ${summary.fault}`,
  ];
};
