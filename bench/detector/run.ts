/**
 * Measures the detector against its reference and its bounds, and writes bench/results/detector.md.
 * `npx node --expose-gc bench/detector/run.ts [--quick]`: a quarter of an hour on one core; --quick: some seconds, to standard output only.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { measureNaming, type NamingFigures } from "./naming.ts";
import { recordedSection } from "./recorded-section.ts";
import { cells, type Delay, falseAlarms, namings } from "./reference.ts";
import { scenarioSection } from "./scenario-section.ts";
import {
  compareWithStep,
  countFalseAlarms,
  type Delays,
  longestDelay,
  measureCost,
  measureDelays,
} from "./simulations.ts";
import { middleAndTail, percent, quantile, table } from "./statistics.ts";

const quick = process.argv.includes("--quick");
const runs = quick
  ? {
      delay: 40,
      falseAlarm: 10,
      answers: 20_000,
      naming: 5,
      cost: 3,
      scenario: 20,
      states: 8,
      recorded: 2,
      controls: 1,
    }
  : {
      delay: 800,
      falseAlarm: 300,
      answers: 100_000,
      naming: 200,
      cost: 9,
      scenario: 800,
      states: 200,
      recorded: 100,
      controls: 5,
    };
const seeds = {
  delay: 1_000,
  falseAlarm: 500_000,
  naming: 50_000_000,
  scenario: 60_000_000,
  recorded: 70_000_000,
  compare: 7,
};

const atMost = (n: number): string => (n >= longestDelay ? `${longestDelay}+` : String(n));
const ours = ({ median, p95 }: Delays): string => `${atMost(median)}/${atMost(p95)}`;
const theirs = ([median, p95]: Delay): string => `${median}/${p95}`;
const ratio = (a: number, b: number): string => (a / b).toFixed(2);
const ratios = ({ median, p95 }: Delays, [refMedian, refP95]: Delay): string =>
  `${ratio(median, refMedian)}/${ratio(p95, refP95)}`;
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
const scenarios = scenarioSection({
  runs: runs.scenario,
  fewer: runs.states,
  answers: runs.answers / 2,
  seed: seeds.scenario,
});
const recorded = await recordedSection({
  runs: runs.recorded,
  seed: seeds.recorded,
  controls: runs.controls,
  observations: quick ? 5_000 : 100_000,
});
const seconds = (performance.now() - begun) / 1000;

const columns = ["known", "ratchetTicket", "ratchetPage"] as const;
const medianRatios = (column: (typeof columns)[number]) =>
  delays.map(({ cell, measured }) => measured[column].median / cell[column][0]);
const spread = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}, median ${quantile(values, 0.5).toFixed(2)}`;
const toBound = (column: (typeof columns)[number]) =>
  delays.map(({ measured }) => measured[column].mean / measured.bound);

/** Cells whose mean delay is more than 1.2 times the bound. */
const overLimit = (column: "known" | "ratchetTicket"): string => {
  const over = delays.filter(({ measured }) => measured[column].mean > 1.2 * measured.bound);
  const names = over.map(
    ({ cell, measured }) =>
      `FPR ${cell.fpr}, TPR ${cell.tpr}, H ${cell.harm} (${(measured[column].mean / measured.bound).toFixed(3)})`,
  );
  return over.length === 0 ? `none of ${delays.length}` : `${over.length} of ${delays.length}: ${names.join("; ")}`;
};

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
    "mean/bound, known",
    "mean/bound, ratchet 1e4",
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
    ratio(measured.known.mean, measured.bound),
    ratio(measured.ratchetTicket.mean, measured.bound),
  ]),
);

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
Command: \`npx node --expose-gc bench/detector/run.ts${quick ? " --quick" : ""}\` (${seconds.toFixed(0)} s on one core, the machine shared with other work).
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
Cells in which it is more than 1.2 times the bound: known baseline ${overLimit("known")}; ratchet 1e4 ${overLimit("ratchetTicket")}.

## Names: which one comes first

${runs.naming} runs in each row (reference: 500), of the whole detector with its adaptive mix of probes; rates of the personas are simulated from published
ones (arXiv 2604.28082). Changed 500 probes after calibration; 6,000 probes at most; a run with a false alarm before the change is drawn
again. "To alarm", "to name": probes of any kind, median/95 %, where one came. "Interval misses": runs in which the 95 % interval of the harm rate since the
change, as shown when the name was given, did not hold the true rate; with an estimated start it is not promised.

${namingTable}

## Names of recorded fine-tunes

${recorded}

${scenarios}
## Cost

${table(
  ["", "microseconds", "target"],
  [
    ["`step`, one datum", cost.step.toFixed(2), "5"],
    ["`assess`, one verdict with its sentences", cost.assess.toFixed(1), "-"],
  ],
)}

Median of ${runs.cost} repetitions of 100,000 mixed data of a healthy subject in three strata, two of them in three contexts. The delays and false alarms above run on the recursion and the
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
