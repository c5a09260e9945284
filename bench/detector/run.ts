/**
 * Measures the detector against its reference and its bounds, and writes bench/results/detector.md.
 * `npx node bench/detector/run.ts [--quick]`: some minutes on one core; --quick: some seconds, to standard output only.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { measureNaming, type NamingFigures } from "./naming.ts";
import { cells, type Delay, falseAlarms, namings } from "./reference.ts";
import {
  compareWithStep,
  countFalseAlarms,
  type Delays,
  longestDelay,
  measureCost,
  measureDelays,
} from "./simulations.ts";

const quick = process.argv.includes("--quick");
const runs = quick
  ? { delay: 40, falseAlarm: 10, answers: 20_000, naming: 5, cost: 3 }
  : { delay: 800, falseAlarm: 300, answers: 100_000, naming: 200, cost: 9 };
const seeds = { delay: 1_000, falseAlarm: 500_000, naming: 50_000_000, compare: 7 };

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cellsOfRow) => `| ${cellsOfRow.join(" | ")} |`).join("\n");

const atMost = (n: number): string => (n >= longestDelay ? `${longestDelay}+` : String(n));
const ours = ({ median, p95 }: Delays): string => `${atMost(median)}/${atMost(p95)}`;
const theirs = ([median, p95]: Delay): string => `${median}/${p95}`;
const ratio = (a: number, b: number): string => (a / b).toFixed(2);
const ratios = ({ median, p95 }: Delays, [refMedian, refP95]: Delay): string =>
  `${ratio(median, refMedian)}/${ratio(p95, refP95)}`;
const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const begun = performance.now();
const difference = compareWithStep(5_000, seeds.compare);
const cost = measureCost(runs.cost);
const alarms = falseAlarms.map((reference) => ({
  reference,
  measured: countFalseAlarms(reference.fpr, reference.threshold, {
    runs: runs.falseAlarm,
    answers: runs.answers,
    seed: seeds.falseAlarm,
  }),
}));
const delays = cells.map((cell, at) => ({
  cell,
  measured: measureDelays(cell, { runs: runs.delay, seed: seeds.delay + at * 10_000 }),
}));
const names = namings.map((reference, at) => ({
  reference,
  measured: measureNaming(reference, { runs: runs.naming, seed: seeds.naming + at * 10_000 }),
}));
const seconds = (performance.now() - begun) / 1000;

const columns = ["known", "ratchetTicket", "ratchetPage"] as const;
const medianRatios = (column: (typeof columns)[number]) =>
  delays.map(({ cell, measured }) => measured[column].median / cell[column][0]);
const spread = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}, median ${middle(values).toFixed(2)}`;
const toBound = (column: (typeof columns)[number]) =>
  delays.map(({ measured }) => measured[column].mean / measured.bound);

const alarmTable = table(
  [
    "judge's FPR",
    "threshold A",
    "promised, at most",
    "mean",
    "reference",
    "ratio",
    "95 % quantile of runs",
    "reference, worst 5 %",
    "mean of the worst 5 % of runs",
  ],
  alarms.map(({ reference, measured }) => [
    `${reference.fpr} %`,
    `${reference.threshold.toLocaleString("en-GB")}`,
    String(1e4 / reference.threshold),
    measured.mean.toFixed(3),
    String(reference.mean),
    ratio(measured.mean, reference.mean),
    measured.p95.toFixed(2),
    String(reference.worst),
    measured.worst.toFixed(2),
  ]),
);

const delayTable = table(
  [
    "FPR",
    "TPR",
    "H",
    "bound",
    "known baseline",
    "reference",
    "ratio",
    "ratchet 1e4",
    "reference",
    "ratio",
    "ratchet 1e5",
    "reference",
    "ratio",
  ],
  delays.map(({ cell, measured }) => [
    String(cell.fpr),
    String(cell.tpr),
    String(cell.harm),
    measured.bound.toFixed(0),
    ...columns.flatMap((column) => [
      ours(measured[column]),
      theirs(cell[column]),
      ratios(measured[column], cell[column]),
    ]),
  ]),
);

const percent = (share: number): string => (100 * share).toFixed(1);
const middleAndTail = (probes: readonly number[]): string => {
  const sorted = probes.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? "-";
  return `${at(0.5)}/${at(0.95)}`;
};
const otherNames = ({ first }: NamingFigures, right: string): string =>
  Object.entries(first)
    .filter(([name]) => name !== right)
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(", ") || "-";

const namingTable = table(
  [
    "FPR",
    "TPR",
    "H",
    "truth",
    "right, %",
    "reference",
    "else, %",
    "to alarm",
    "to name",
    "reference",
    "interval misses, %",
  ],
  names.map(({ reference, measured }) => {
    const right = reference.truth === "aligned" ? "none" : reference.truth;
    return [
      String(reference.fpr),
      String(reference.tpr),
      String(reference.harm),
      reference.truth,
      percent(measured.first[right] ?? 0),
      String(reference.right),
      otherNames(measured, right),
      reference.truth === "aligned" ? "-" : middleAndTail(measured.alarm),
      reference.truth === "aligned" ? "-" : middleAndTail(measured.name),
      reference.name === null ? "-" : theirs(reference.name),
      percent(measured.missed),
    ];
  }),
);

const cpu = cpus();
const report = `# Detector: false alarms, delays, cost

${new Date().toISOString().slice(0, 10)}, ${cpu.length} x ${cpu[0]?.model.trim() ?? "unknown CPU"}, Node ${process.versions.node}.
Command: \`npx node bench/detector/run.ts${quick ? " --quick" : ""}\` (${seconds.toFixed(0)} s on one core, the machine shared with other work).
Random numbers: mulberry32, seeds ${seeds.falseAlarm} + run (false alarms), ${seeds.delay} + 10,000 x row + run (delays),
${seeds.naming} + 10,000 x row + run (names).

Simulated judge: flags an answer with probability FPR (1 - H) + TPR H; healthy H = 0.2 %. Each run learns its own baseline
from 1,000 healthy answers. All data are independent draws; real traffic is not, and delays there will differ. "Reference"
is an independent simulation of the same design in Python (its runs: 800 for each delay, 300 for false alarms).

## False alarms in 10,000 judged answers, nothing having changed

${runs.falseAlarm} runs of ${runs.answers.toLocaleString("en-GB")} answers each; an alarm is acknowledged and the detector starts again. The
reference does not say whether its "worst 5 %" is a quantile or a mean. In about one calibration in twenty the learned bound lies below the
true rate; the promise does not hold for those, and the last column shows them.

${alarmTable}

## Delay: judged answers from the change to the alarm, median/95 %

${runs.delay} runs in each row; the change comes 3,000 answers after the baseline; at most ${longestDelay.toLocaleString("en-GB")} answers are watched. H: share of
harmful answers after the change, percent. Bound: log(10,000)/KL, the first-order limit for any detector with a mean of 10,000 answers between
false alarms (asymptotic: at this threshold it can be beaten a little). FPR, TPR: of the judge, percent.

${delayTable}

Our median over the reference's, over the ${delays.length} rows: known baseline ${spread(medianRatios("known"))}; ratchet 1e4 ${spread(medianRatios("ratchetTicket"))}; ratchet 1e5 ${spread(medianRatios("ratchetPage"))}.
Our mean delay over the bound: known baseline ${spread(toBound("known"))}; ratchet 1e4 ${spread(toBound("ratchetTicket"))} (reference: 0.79 to 1.18, median 0.90).

## Names: which one comes first

${runs.naming} runs in each row (reference: 500), of the whole detector with its adaptive mix of probes; rates of the personas are simulated from published
ones (arXiv 2604.28082). Changed 500 probes after calibration; 6,000 probes at most; a run with a false alarm before the change is drawn
again. "To alarm", "to name": probes of any kind, median/95 %, where one came. "Interval misses": runs in which the 95 % interval of the harm rate since the
change, as shown when the name was given, did not hold the true rate; with an estimated start it is not promised.

${namingTable}

## Cost

${table(
  ["", "microseconds", "target"],
  [
    ["`step`, one datum", cost.step.toFixed(2), "5"],
    ["`assess`, one verdict with its sentences", cost.assess.toFixed(1), "-"],
  ],
)}

Median of ${runs.cost} repetitions of 100,000 mixed data of a healthy subject in three strata. The simulations above run on the recursion and the
baseline alone; on the same 5,000 answers their evidence differs from that of \`step\` by at most ${difference.toExponential(1)} nats.
`;

if (quick) {
  console.log(report);
} else {
  const results = new URL("../results/", import.meta.url);
  await mkdir(results, { recursive: true });
  await writeFile(new URL("detector.md", results), report);
  console.log(`wrote bench/results/detector.md in ${seconds.toFixed(0)} s`);
}
