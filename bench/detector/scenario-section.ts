/** The part of the report that is about changes other than a clean step, beside the figures of the reference. */
import { type Footprint, measureFootprint } from "./footprint.ts";
import {
  alarmedByTraffic,
  falseAlarmsAtReplicas,
  falseAlarmsInContexts,
  hoursToAlarm,
  intermittentDelays,
  judgeCalled,
  measureFleet,
  rampDelays,
  replicaAlarms,
  replicaDelays,
} from "./scenarios.ts";
import { mean, middleAndTail, percent, quantile, table } from "./statistics.ts";

export interface ScenarioSizes {
  runs: number;
  /** For the costly ones: whole states, fleets. */
  fewer: number;
  answers: number;
  seed: number;
}

const ramps = ({ runs, seed }: ScenarioSizes): string => {
  const reference = { 1: "346 (6.9 %)", 5: "502 (10 %)" };
  const rows = ([1, 5] as const).map((fpr) => {
    const delays = rampDelays({ fpr, tpr: 80 }, { runs, seed: seed + fpr });
    const middle = quantile(delays, 0.5);
    return [
      `${fpr} %`,
      `${middle} (${percent((0.4 * Math.min(middle, 2000)) / 2000)} %)`,
      middleAndTail(delays),
      reference[fpr],
    ];
  });
  return table(["judge's FPR", "median (harm at the alarm)", "median/95 %", "reference"], rows);
};

const intermittent = ({ fewer, answers, seed }: ScenarioSizes): string => {
  const reference = { 1: ["292/702", "108/260"], 5: ["1036/2743", "196/423"] } as const;
  const rows = ([1, 5] as const).map((fpr) => {
    const operating = { fpr, tpr: 80 };
    const { pooled, shared, partition, located } = intermittentDelays(operating, {
      runs: fewer,
      seed: seed + 10 + fpr,
    });
    const alarms = falseAlarmsInContexts(operating, answers, { runs: Math.ceil(fewer / 4), seed: seed + 5000 + fpr });
    return [
      `${fpr} %`,
      middleAndTail(pooled),
      reference[fpr][0],
      middleAndTail(shared),
      reference[fpr][1],
      middleAndTail(partition),
      percent(located),
      mean(alarms).toFixed(2),
    ];
  });
  return table(
    [
      "judge's FPR",
      "pooled",
      "reference",
      "contexts, one baseline",
      "reference",
      "contexts, each its own",
      "right context named, %",
      "false alarms in 10,000",
    ],
    rows,
  );
};

const judges = ({ fewer, seed }: ScenarioSizes): string => {
  const reference = {
    judge: { 300: "95 judge", 1000: "88 judge" },
    subject: { 300: "91 subject", 1000: "98 subject" },
  };
  const rows = (["judge", "subject"] as const).flatMap((truth) =>
    ([300, 1000] as const).flatMap((threshold) =>
      [0.75, 1].map((harmless) => {
        const called = judgeCalled({ truth, threshold, harmless }, { runs: fewer, seed: seed + 20_000 + threshold });
        const change = truth === "judge" ? "judge's FPR 1 % to 6 %" : "harm to 10 %";
        const figures = [harmless, called.alarmed, called.judge, called.subject].map(percent);
        return [change, String(threshold), ...figures, reference[truth][threshold]];
      }),
    ),
  );
  return table(
    [
      "change",
      "threshold",
      "harmless anchors, %",
      "alarmed, %",
      "judge held against it, %",
      "told of the subject, %",
      "reference, %",
    ],
    rows,
  );
};

const budgets = ({ runs, seed }: ScenarioSizes): string => {
  const reference = {
    5: ["32/79", "11.5/35"],
    10: ["11/28", "3.6/11"],
    20: ["4.5/10.8", "1.3/3.9"],
    40: ["2.0/4.7", ".5/1.6"],
  } as const;
  const rows = ([5, 10, 20, 40] as const).map((harm) => {
    const { steady, hurried, extraProbes } = hoursToAlarm(harm, { runs, seed: seed + 30_000 + harm });
    const [fixed, tenfold] = reference[harm];
    return [String(harm), middleAndTail(steady, 1), fixed, middleAndTail(hurried, 1), tenfold, percent(extraProbes)];
  });
  return table(
    ["H", "steady", "reference", "x10 from 1 nat on", "reference", "extra probes in health, % (reference 11)"],
    rows,
  );
};

const replicas = ({ runs, fewer, seed }: ScenarioSizes): string => {
  const reference = { all: ["27", "51", "30", "108"], one: ["190", "99", "111", "-"] } as const;
  const rows = (["all", "one"] as const).map((shifted, at) => {
    const delays = replicaDelays(shifted, { runs, seed: seed + 40_000 + at });
    const cells = (["pooled", "sum", "half", "alone"] as const).flatMap((rule, which) => [
      quantile(delays[rule], 0.5).toFixed(0),
      reference[shifted][which] ?? "-",
    ]);
    const own = replicaAlarms(shifted, { runs: fewer, seed: seed + 45_000 + at });
    const found = shifted === "one" ? percent(own.located) : "-";
    return [shifted === "all" ? "all four" : "the first", ...cells, middleAndTail(own.delays), found];
  });
  return table(
    [
      ...["shifted", "pooled", "reference", "sum", "reference", "half and half", "reference", "one alone", "reference"],
      ...["the detector, median/95 %", "right replica named, %"],
    ],
    rows,
  );
};

const footprintTable = (looks: readonly Footprint[]): string =>
  table(
    ["data folded", "microseconds a datum", "state written out, bytes", "heap that holds it, bytes"],
    looks.map(({ data, micros, bytes, heapBytes }) => [
      data.toLocaleString("en-GB"),
      micros.toFixed(2),
      String(bytes),
      heapBytes === null ? "not measured (needs --expose-gc)" : String(heapBytes),
    ]),
  );

export const scenarioSection = (sizes: ScenarioSizes): string => {
  const { runs, fewer, answers, seed } = sizes;
  const traffic = alarmedByTraffic({ runs: fewer, seed: seed + 15_000 });
  const alarmsAtReplicas = falseAlarmsAtReplicas(answers, { runs: Math.ceil(fewer / 4), seed: seed + 47_000 });
  const rounds = Math.min(answers, 10_000);
  const fleet = measureFleet(rounds, { runs: Math.ceil(fewer / 4), seed: seed + 50_000 });
  return `## Other changes

Seeds ${seed} + an offset for each table + run; ${runs} runs in each row, ${fewer} where whole states are simulated. TPR 80 %, threshold 10,000. "Reference": as above.

### Slow ramp: harm from 0.2 to 40 % over 2,000 answers

${ramps(sizes)}

### Intermittent: 40 % harm in one context of eight, from some answer on; answers to the alarm, median/95 %

The reference's pooled figures are slower than ours, and than its own cells with 5 % harm (202 and 563 at the median); it does not say why. "Each its own", as the detector does it: a baseline of 300 answers
in each context, then 3,000 healthy ones; a traffic shift needs that, and it costs delay. The reference learns one baseline for all. Its false alarms at the boundary are 0.61 to 0.77; ours
are of ${Math.ceil(fewer / 4)} runs of ${answers.toLocaleString("en-GB")} answers, with learned baselines.

${intermittent(sizes)}

### Traffic: a risky class grows from 5 to 40 %, the subject unchanged

1 % of plain and 10 % of risky answers are called harmful, before and after (our choice; the reference does not state its own). Alarm within 5,000 answers: pooled ${percent(traffic.pooled)} %
(reference 100 %), with contexts ${percent(traffic.contexts)} % (reference 1.7 %).

### The judge moves, or the subject

30 % of the judge's calls are anchors (the reference does not say how many of them are harmless). "Held against it": \`judge.guard\` is \`moved\` within 400 judged answers of
the alarm for harm, before or after.

${judges(sizes)}

### Budget: hours to the alarm at 6 probes an hour, median/95 %

FPR 1 %. Ten times as fast from 1 nat of the CUSUM twin on, without a cap a day.

${budgets(sizes)}

### Replicas: answers of all four together to the alarm, median; harm of 20 %, FPR 1 %

"The detector" is the whole of it, which bets on strata as well: half on the replicas, a quarter each on all answers and on strata. ${fewer} runs, each after 1,000 answers of calibration and 3,000 healthy ones. Its false alarms
while nothing changes: ${mean(alarmsAtReplicas).toFixed(2)} in 10,000 answers (${Math.ceil(fewer / 4)} runs of ${answers.toLocaleString("en-GB")}).

${replicas(sizes)}

### Fleet of 20 subjects, FPR 1 %

Rounds of one answer each in which a healthy subject stood at its ticket, in 10,000: each for itself ${fleet.falseRounds.alone.toFixed(2)}, by e-BH ${fleet.falseRounds.fleet.toFixed(2)}. One subject turns to 10 % harm: its
answers to the ticket, median/95 %: ${middleAndTail(fleet.delay.alone)} and ${middleAndTail(fleet.delay.fleet)}. ${Math.ceil(fewer / 4)} runs of ${rounds.toLocaleString("en-GB")} rounds.

## Footprint

${footprintTable(measureFootprint(answers < 50_000 ? [10_000, 50_000] : [10_000, 100_000, 1_000_000]))}
`;
};
