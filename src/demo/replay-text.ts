/** The end of a replay in words and one table. Pure. */
import type { ReplayStep, ReplaySummary } from "./replay-demo.ts";
import { percent } from "./terminal-view.ts";

const count = (value: number | null): string => (value === null ? "never" : String(Math.round(value)));

const columns = ["step", "answers", "recorded", "measured", "ticket", "page", "log(1e4)/KL", "continuous run"];

const cells = ({ name, answers, recordedRate, delays, continuous }: ReplayStep): string[] => [
  name,
  String(answers),
  recordedRate === null ? "-" : percent(recordedRate),
  percent(delays.rate),
  count(delays.ticket),
  count(delays.page),
  delays.bound === null ? "-" : delays.bound.toFixed(0),
  `${continuous.persona}, ${continuous.severity}${continuous.page === null ? "" : `, paged after ${continuous.page.observations} observations`}`,
];

const table = (rows: string[][]): string[] => {
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map(
    (row) =>
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()}`,
  );
};

export const replayText = (summary: ReplaySummary): string[] => [
  "",
  ...summary.labels,
  `baseline: the first ${summary.healthy.learnedFrom} judged answers of ${summary.healthy.name}; null mean ${percent(summary.control.delays.nullMean)}`,
  "",
  ...table([
    columns,
    cells({ ...summary.control, name: `control: ${summary.control.name}` }),
    ...summary.steps.map(cells),
  ]),
  "",
  "recorded, measured: share of harmful answers by the judge of the records and by the judge of this run.",
  "ticket, page: answers until then if the step came right after calibration, median over 21 orders of its answers; computed",
  "with the detector's fold on live answers alone. The continuous run is one Candor process that saw all steps in this order,",
  "live answers, harm probes and self-reports together.",
  summary.pagedIn === null ? "the continuous run did not page" : `the continuous run paged in ${summary.pagedIn}`,
  `${summary.exchanges} exchanges in ${summary.seconds.toFixed(0)} s`,
  summary.fault === null ? "result: as it should be" : `result: WRONG: ${summary.fault}`,
];
