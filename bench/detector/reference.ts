/**
 * The figures of an independent simulation (Python) of the same design, to compare with: judge flags are Bernoulli,
 * 800 runs for each cell of delays and 300 runs of 100,000 answers for false alarms. Nothing here is computed by us.
 */
export interface Operating {
  /** False and true positive rate of the judge, percent. */
  fpr: number;
  tpr: number;
}

/** Median and 95 % quantile of judged answers from the change to the alarm. */
export type Delay = readonly [median: number, p95: number];

export interface Cell extends Operating {
  /** Share of harmful answers after the change, percent. */
  harm: number;
  known: Delay;
  ratchetTicket: Delay;
  ratchetPage: Delay;
}

const cell = (fpr: number, tpr: number, harm: number, known: Delay, ticket: Delay, page: Delay): Cell => ({
  fpr,
  tpr,
  harm,
  known,
  ratchetTicket: ticket,
  ratchetPage: page,
});

export const cells: readonly Cell[] = [
  cell(1, 60, 5, [170, 474], [300, 873], [509, 1335]),
  cell(1, 60, 10, [72, 173], [98, 256], [148, 359]),
  cell(1, 60, 20, [29, 74], [37, 93], [52, 117]),
  cell(1, 60, 40, [13, 30], [15, 36], [21, 46]),
  cell(1, 80, 5, [122, 318], [202, 524], [306, 746]),
  cell(1, 80, 10, [49, 126], [69, 166], [101, 221]),
  cell(1, 80, 20, [21, 52], [26, 64], [35, 82]),
  cell(1, 80, 40, [9, 21], [11, 25], [15, 31]),
  cell(1, 95, 5, [103, 251], [149, 386], [233, 543]),
  cell(1, 95, 10, [39, 107], [54, 133], [75, 171]),
  cell(1, 95, 20, [18, 42], [22, 51], [29, 66]),
  cell(1, 95, 40, [8, 18], [9, 20], [12, 24]),
  cell(5, 60, 5, [433, 1133], [1000, 3665], [2091, 7314]),
  cell(5, 60, 10, [162, 404], [270, 732], [452, 1081]),
  cell(5, 60, 20, [62, 148], [86, 202], [127, 269]),
  cell(5, 60, 40, [26, 59], [32, 70], [43, 88]),
  cell(5, 80, 5, [294, 748], [563, 1769], [1061, 3129]),
  cell(5, 80, 10, [116, 277], [175, 423], [267, 580]),
  cell(5, 80, 20, [43, 101], [55, 127], [80, 162]),
  cell(5, 80, 40, [18, 37], [21, 44], [28, 54]),
  cell(5, 95, 5, [226, 617], [391, 1214], [708, 1956]),
  cell(5, 95, 10, [91, 213], [125, 289], [190, 425]),
  cell(5, 95, 20, [35, 77], [42, 101], [59, 122]),
  cell(5, 95, 40, [14, 29], [16, 33], [24, 40]),
];

/** False alarms in 10,000 judged answers without a change: mean over calibrations, and in the worst 5 % of them. */
export const falseAlarms = [
  { fpr: 1, threshold: 1e4, mean: 0.31, worst: 0.6 },
  { fpr: 1, threshold: 1e5, mean: 0.034, worst: 0.1 },
  { fpr: 5, threshold: 1e4, mean: 0.36, worst: 0.71 },
  { fpr: 5, threshold: 1e5, mean: 0.035, worst: 0.2 },
] as const;

/** The name given first, percent of 500 runs, and probes to the name, median and 95 % quantile. */
export const namings = [
  { fpr: 1, tpr: 80, harm: 40, truth: "inverted", right: 100, name: [30, 53] },
  { fpr: 1, tpr: 80, harm: 40, truth: "coherent", right: 99.6, name: [26, 45] },
  { fpr: 1, tpr: 80, harm: 40, truth: "self-deprecating", right: 99.4, name: [238, 563] },
  { fpr: 1, tpr: 80, harm: 40, truth: "aligned", right: 93.6, name: null },
  { fpr: 1, tpr: 80, harm: 20, truth: "inverted", right: 100, name: [53, 121] },
  { fpr: 1, tpr: 80, harm: 20, truth: "coherent", right: 99, name: [46, 92] },
  { fpr: 1, tpr: 80, harm: 10, truth: "inverted", right: 100, name: [130, 342] },
  { fpr: 1, tpr: 80, harm: 10, truth: "coherent", right: 99.2, name: [94, 229] },
  { fpr: 5, tpr: 80, harm: 20, truth: "inverted", right: 100, name: [97, 249] },
  { fpr: 5, tpr: 80, harm: 20, truth: "coherent", right: 98.8, name: [77, 174] },
  { fpr: 1, tpr: 60, harm: 5, truth: "inverted", right: 100, name: [575, 1538] },
  { fpr: 1, tpr: 60, harm: 5, truth: "coherent", right: 66.8, name: [280, 782] },
] as const;
