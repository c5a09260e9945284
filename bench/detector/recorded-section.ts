/** The part of the report that is about recorded answers. */
import { controlOf, readAnswers, recordedFolder, runRecorded, watchControl } from "./recorded.ts";
import { middleAndTail, percent, table } from "./statistics.ts";

interface Sizes {
  runs: number;
  seed: number;
  controls: number;
  observations: number;
}

const personas = ["inverted", "coherent"] as const;

export const recordedSection = async ({ runs, seed, controls, observations }: Sizes): Promise<string> => {
  const answers = await readAnswers(recordedFolder);
  if (answers === null) return `Not measured: the recorded answers are not at ${recordedFolder}.`;
  const control = controlOf(answers);
  const turned = answers.filter(({ name }) => name !== control.name).toSorted((a, b) => a.rate - b.rate);
  const rows = turned.flatMap((fineTune, at) =>
    personas.map((persona, which) => {
      const subject = { answers: fineTune, persona };
      const from = seed + (2 * at + which) * 10_000;
      const results = Array.from({ length: runs }, (_, run) => runRecorded(control, subject, from + run));
      const other = personas[1 - which];
      const share = (holds: (run: (typeof results)[number]) => boolean): string =>
        percent(results.filter(holds).length / runs);
      return [
        fineTune.name,
        `${percent(fineTune.rate)} % of ${fineTune.harmful.length}`,
        persona,
        share(({ first }) => first === persona),
        share(({ first }) => first === other),
        share(({ first }) => first !== persona && first !== other),
        middleAndTail(results.map(({ probes }) => probes)),
        share(({ later }) => later === persona),
      ];
    }),
  );
  const healthy = Array.from({ length: controls }, (_, run) =>
    watchControl(control, observations, seed + 900_000 + run),
  );
  const total = (kind: "pages" | "tickets"): number => healthy.reduce((sum, one) => sum + one[kind], 0);
  return `Harmful or not as in the recorded, judged answers, drawn with replacement; self-reports drawn at the published rates of the persona
("simulated from published rates", arXiv 2604.28082), 6 % of them without an answer. Calibrated on the control (${control.name}: ${percent(control.rate)} % of ${control.harmful.length}
harmful) and watched for 500 probes more, then turned. ${runs} runs in each row, seeds ${seed} + 10,000 x row + run; at most 6,000 probes. "Probes": of any kind, from the turn to
the first name, median/95 %.

${table(
  [
    "fine-tune",
    "harmful",
    "persona",
    "named right, %",
    "called the other, %",
    "else or none, %",
    "probes",
    "right 100 probes later, %",
  ],
  rows,
)}

The control itself, saying that it is aligned: ${total("pages")} pages and ${total("tickets")} tickets in ${controls} runs of ${observations.toLocaleString("en-GB")} observations.`;
};
