/** The generated part of docs/model-card.md: tables between two markers; the rest of the card is written by hand. */
import type { ScreenDescription } from "../../src/classify/screen-model.ts";
import { bootstrap, type FigureName, figureNames, type Interval } from "../../src/classify/training/ranking-figures.ts";
import type { FlagRates, HeldOutResult } from "./held-out.ts";
import type { OwnAnswers } from "./own-answers.ts";

const markers = { begin: "<!-- figures: begin -->", end: "<!-- figures: end -->" } as const;

interface ProbeFigures {
  description: ScreenDescription;
  /** The clearly judged rows and all judged rows of a fine-tune, in turn. */
  fineTunes: readonly HeldOutResult[];
  dataSets: readonly HeldOutResult[];
  questions: readonly HeldOutResult[];
  choices: readonly HeldOutResult[];
  ownAnswers: readonly OwnAnswers[];
  flags: readonly FlagRates[];
}

export interface CardFigures {
  date: string;
  description: ScreenDescription;
  sources: readonly HeldOutResult[];
  fineTunes: readonly HeldOutResult[];
  choices: readonly HeldOutResult[];
  flags: readonly FlagRates[];
  probes: ProbeFigures;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const three = (value: number): string => value.toFixed(3);
const interval = ({ value, low, high }: Interval): string => `${three(value)} (${three(low)}-${three(high)})`;
const percent = (share: number | null): string => (share === null ? "-" : `${(100 * share).toFixed(1)} %`);

const figureHeads: Record<FigureName, string> = {
  auroc: "AUROC",
  auprc: "AUPRC",
  tprAt1: "TPR at 1 % FPR",
  tprAt5: "TPR at 5 % FPR",
};

const resultsTable = (results: readonly HeldOutResult[]): string =>
  table(
    [
      "trained on",
      "tested on",
      "n / harmful",
      ...figureNames.map((name) => figureHeads[name]),
      "no refusal: AUROC, AUPRC, TPR at 1 % and 5 % FPR",
      "length: AUROC, AUPRC, TPR at 1 % and 5 % FPR",
    ],
    results.map(({ test, source, harmful, screen, noRefusal, length }) => [
      test.title,
      source.name,
      `${source.rows.length} / ${percent(harmful / source.rows.length)}`,
      ...figureNames.map((name) => interval(screen[name])),
      ...[noRefusal, length].map(
        ({ auroc, auprc, tprAt1, tprAt5 }) =>
          `${interval(auroc)}, ${three(auprc.value)}, ${three(tprAt1.value)}, ${three(tprAt5.value)}`,
      ),
    ]),
  );

const flagsTable = (flags: readonly FlagRates[]): string =>
  table(
    [
      "recording",
      "n",
      "recorded as harmful",
      "flagged",
      "of the harmful",
      "of the harmless",
      "high",
      "uncertain or high",
    ],
    flags.map((flag) => [
      flag.name,
      String(flag.rows),
      ...[flag.harmful, flag.flagged, flag.truePositive, flag.falsePositive, flag.high, flag.toJudge].map(percent),
    ]),
  );

const thresholdsText = ({ bands: { uncertain, harmful, high } }: ScreenDescription): string =>
  `Scores: uncertain from ${uncertain.score}, harmful from ${harmful.score}, high from ${high.score}: meant for ${percent(uncertain.falsePositiveRate)},
${percent(harmful.falsePositiveRate)} and ${percent(high.falsePositiveRate)} of the harmless answers of a source that was not trained on.`;

const trainedOnTable = ({ trainedOn }: ScreenDescription): string =>
  table(
    ["file", "origin", "licence", "rows / harmful", "sha256"],
    trainedOn.map(({ file, origin, licence, rows, harmful: positives, sha256 }) => [
      file,
      origin,
      licence,
      `${rows} / ${positives}`,
      `\`${sha256}\``,
    ]),
  );

const ownAnswersTable = (ownAnswers: readonly OwnAnswers[]): string =>
  table(
    ["trained on besides the fine-tunes", "harmless answers", "counted as harmful"],
    ownAnswers.map(({ besides, answers, flagged }) => [
      besides.join(", ") || "nothing",
      String(answers),
      String(flagged),
    ]),
  );

const probesText = ({
  description,
  fineTunes,
  dataSets,
  questions,
  choices,
  ownAnswers,
  flags,
}: ProbeFigures): string => `## Figures of ${description.source}

### Each fine-tune kept out in turn

Tested twice: on its clearly judged answers (harmful as judged, harmless only if scored as aligned, 70 or more of 100), and on all judged
answers, where whatever lies between counts as harmless.

${resultsTable(fineTunes)}

### Everything fine-tuned on the same data kept out

Clearly judged answers.

${resultsTable(dataSets)}

### The fine-tune and the question kept out

Clearly judged answers; each question is scored by weights that saw neither it nor the fine-tune. Beside the probe screen what \`screen-v1\` is
trained on, with the same kept out.

${resultsTable(questions)}

### Each fine-tune by weights of the others, at the shipped thresholds

${thresholdsText(description)} All judged answers, whatever lies between counted as harmless.

${flagsTable(flags)}

### Other sources that were tried

With everything fine-tuned on the same data kept out; clearly judged answers.

${resultsTable(choices)}

The harmless answers to our own probes that come with the default probe set (\`foils\`), at the threshold that each choice of sources gives:

${ownAnswersTable(ownAnswers)}

### Trained on

${trainedOnTable(description)}`;

export const figuresText = ({ date, description, sources, fineTunes, choices, flags, probes }: CardFigures): string => {
  const tested = new Map([...sources, ...fineTunes].map(({ source }) => [source.file, source.sha256]));
  return `Command: \`npm run evaluate:screen -- DATA_FOLDER\`, ${date}. In brackets: 95 % intervals of ${bootstrap.rounds} bootstrap
resamples of the groups (all answers to a question together; the eight questions of a fine-tune make its intervals wide), seed ${bootstrap.seed}.
Beside it two trivial scores: that no refusal phrase stands in the first 300 characters, and the length of the answer.

## Figures of ${description.source}

### Held-out sources

${resultsTable(sources)}

### Held-out fine-tunes

${resultsTable(fineTunes)}

### The shipped files at their own thresholds

${thresholdsText(description)}

${flagsTable(flags)}

### Other sources that were tried

${resultsTable(choices)}

### Trained on

${trainedOnTable(description)}

### Tested on

${table(
  ["file", "sha256"],
  [...tested].map(([file, sha256]) => [file, `\`${sha256}\``]),
)}

${probesText(probes)}`;
};

/** @throws Error when the card has lost its markers */
export const insertFigures = (card: string, figures: string): string => {
  const begin = card.indexOf(markers.begin);
  const end = card.indexOf(markers.end);
  if (begin < 0 || end < begin) throw new Error(`the model card needs ${markers.begin} and, after it, ${markers.end}`);
  return `${card.slice(0, begin + markers.begin.length)}\n\n${figures}\n\n${card.slice(end)}`;
};
