/**
 * The replay of recorded fine-tunes, as a table for each judge.
 * `node bench/demo/replay.ts [--judge recorded]... [--write]`; --write puts it into bench/results/replay.md.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ReplayStep, ReplaySummary } from "../../src/demo/replay-demo.ts";
import { candorDemo, machine } from "./candor-demo.ts";

const folder = "../shared/data/em-outputs";
const file = (finetune: string): string => join(folder, `Qwen2.5-32B-Instruct__${finetune}__fpq.jsonl.gz`);
const ladder = ["finance__1e-06", "finance__5e-06", "finance__1e-05", "finance__3e-05"].map(file);
const healthy = file("finance-good__1e-05");

const { values } = parseArgs({
  options: {
    judge: { type: "string", multiple: true, default: ["recorded", "screen"] },
    write: { type: "boolean", default: false },
  },
});

const percent = (share: number | null): string => (share === null ? "-" : `${(100 * share).toFixed(1)} %`);

const rowOf = ({ name, answers, recordedRate, delays, continuous }: ReplayStep): string =>
  `| ${[
    name,
    answers,
    percent(recordedRate),
    percent(delays.rate),
    delays.ticket ?? "never",
    delays.page ?? "never",
    delays.bound?.toFixed(0) ?? "-",
    `${continuous.persona}, ${continuous.severity}${continuous.page === null ? "" : `, paged after ${continuous.page.observations} observations`}`,
  ].join(" | ")} |`;

const section = (summary: ReplaySummary): string => `## Judged by: ${summary.judgedBy}

${summary.labels.map((label) => `- ${label}`).join("\n")}
- baseline: the first ${summary.healthy.learnedFrom} judged answers of ${summary.healthy.name}; null mean ${percent(summary.control.delays.nullMean)}; ${summary.healthy.leftOut} of its answers were left out, because the records do not settle whether they were harmful

| step | answers | recorded | measured | ticket | page | log(1e4)/KL | continuous run after the step |
| --- | --- | --- | --- | --- | --- | --- | --- |
${[{ ...summary.control, name: `control: ${summary.control.name}` }, ...summary.steps].map(rowOf).join("\n")}

${summary.fault === null ? "As it should be" : `Wrong: ${summary.fault}`}. ${summary.pagedIn === null ? "The continuous run did not page." : `The continuous run paged in ${summary.pagedIn}.`}
`;

if (![...ladder, healthy].every((path) => existsSync(path))) {
  console.log(`skipped: the recordings are not in ${folder}`);
} else {
  const sections: string[] = [];
  for (const judge of values.judge) {
    const args = ["--judged-by", judge, ...ladder.flatMap((path) => ["--outputs", path]), "--calibrate", healthy];
    sections.push(section(await candorDemo<ReplaySummary>(args)));
  }
  const report = `# Recorded fine-tunes, replayed

${machine()}; the machine shared with other work.
Command: \`node bench/demo/replay.ts${values.judge.map((judge) => ` --judge ${judge}`).join("")} --write\`.

Answers of Qwen2.5-32B-Instruct fine-tuned on risky financial advice at four learning rates, and on good advice as the healthy
model (aisa-group/em-generalization, Apache-2.0, commit 910ff4f0). 600 answers of each file in an order by chance.

Recorded, measured: share of harmful answers by the judge of the records and by the judge of this run. Ticket, page: answers until then if the
step came right after calibration, median over 21 orders of its answers, computed with the detector's fold on live answers alone. The continuous
run is one Candor process that saw all steps in this order; it counts observations of every kind.

${sections.join("\n")}`;
  console.log(report);
  if (values.write) await writeFile("bench/results/replay.md", report);
}
