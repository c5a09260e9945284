/** `candor eval FILE`: says how well the configured classifier tells harmful from harmless on a site's own labels. */
import { isRefusal } from "../classify/refusal.ts";
import { type JudgedFile, type JudgedRow, judgeRows } from "../classify/training/judged-rows.ts";
import { readLabelledFile } from "../classify/training/labelled-file.ts";
import { bootstrap, type FigureName, type Interval, rankingFigures } from "../classify/training/ranking-figures.ts";
import { type Reliability, reliability } from "../classify/training/reliability.ts";
import { type Command, onlyPositional, readFlags } from "./command.ts";
import { judgingOffline } from "./judging-offline.ts";

interface SourceReport {
  source: string;
  rows: number;
  harmful: number;
  /** Null where the rows are of one class alone. */
  ranking: Record<FigureName, Interval> | null;
  /** Of the rule that whatever is no refusal is harmful. */
  noRefusal: Record<FigureName, Interval> | null;
  /** Shares of the harmful and of the harmless that are flagged; null where there are none. */
  truePositive: number | null;
  falsePositive: number | null;
  reliability: Reliability;
}

const shareFlagged = (rows: readonly JudgedRow[]): number | null =>
  rows.length === 0 ? null : rows.filter(({ flagged }) => flagged).length / rows.length;

const reportOf = (source: string, rows: readonly JudgedRow[]): SourceReport => {
  const harmful = rows.filter((row) => row.harmful);
  const harmless = rows.filter((row) => !row.harmful);
  const ranked = (scoreOf: (row: JudgedRow) => number) =>
    harmful.length === 0 || harmless.length === 0
      ? null
      : rankingFigures(rows.map((row) => ({ harmful: row.harmful, group: row.group, score: scoreOf(row) })));
  return {
    source,
    rows: rows.length,
    harmful: harmful.length,
    ranking: ranked(({ score }) => score),
    noRefusal: ranked(({ response }) => (isRefusal(response) ? 0 : 1)),
    truePositive: shareFlagged(harmful),
    falsePositive: shareFlagged(harmless),
    reliability: reliability(rows),
  };
};

const percent = (share: number | null): string => (share === null ? "-" : `${(100 * share).toFixed(1)} %`);
const three = (value: number): string => value.toFixed(3);
const interval = ({ value, low, high }: Interval): string => `${three(value)} (${three(low)}-${three(high)})`;

const rankingLine = (name: string, figures: Record<FigureName, Interval>): string =>
  `  ${name.padEnd(10)}  ${[figures.auroc, figures.auprc, figures.tprAt1, figures.tprAt5].map((figure) => interval(figure).padEnd(19)).join("  ")}`;

const linesOf = ({ source, rows, harmful, ranking, noRefusal, reliability: fit, ...at }: SourceReport): string[] => [
  "",
  `${source}: ${rows} judged, ${harmful} of them labelled harmful`,
  ...(ranking === null || noRefusal === null
    ? ["  no ranking: that needs harmful and harmless answers"]
    : [
        `  ${"".padEnd(10)}  ${["AUROC", "AUPRC", "TPR at 1 % FPR", "TPR at 5 % FPR"].map((head) => head.padEnd(19)).join("  ")}`,
        rankingLine("scores", ranking),
        rankingLine("no refusal", noRefusal),
      ]),
  `  flagged: ${percent(at.truePositive)} of the harmful, ${percent(at.falsePositive)} of the harmless`,
  `  calibration error: ${three(fit.ece)}`,
  "  scores       answers  mean score  harmful",
  ...fit.bins
    .filter(({ n }) => n > 0)
    .map(
      ({ from, to, n, meanScore, harmful: share }) =>
        `  ${from.toFixed(1)} to ${to.toFixed(1)}  ${String(n).padStart(9)}  ${three(meanScore ?? 0).padStart(10)}  ${percent(share).padStart(7)}`,
    ),
];

const errorText = (errors: JudgedFile["errors"]): string =>
  [...errors].map(([reason, count]) => `${count} ${reason}`).join(", ");

export const evaluate: Command = {
  name: "eval",
  usage: "eval FILE [--config CONFIG] [--json]",
  summary: "measure the configured classifier on labelled answers; without --config, the embedded screen",
  async run(args, { out, err, env }) {
    const { values, positionals } = readFlags(args, { config: { type: "string" }, json: { type: "boolean" } });
    const path = onlyPositional(positionals, "a file of labelled answers");
    const { rows } = await readLabelledFile(path);
    await using judging = await judgingOffline(values.config, env);
    const { bySource, errors } = await judgeRows(rows, judging.classifier, judging);
    const unjudged = [...errors.values()].reduce((sum, count) => sum + count, 0);
    const reports = [...bySource].map(([source, judged]) => reportOf(source, judged));
    if (values.json) {
      out(JSON.stringify({ file: path, rows: rows.length, unjudged: Object.fromEntries(errors), sources: reports }));
    } else {
      out(`${path}: ${rows.length} answers; in brackets 95 % of ${bootstrap.rounds} resamples of their groups`);
      for (const report of reports) for (const line of linesOf(report)) out(line);
    }
    if (unjudged === 0) return 0;
    err(`${unjudged} of ${rows.length} answers could not be judged (${errorText(errors)}); no figure counts them`);
    return reports.length === 0 ? 2 : 1;
  },
};
