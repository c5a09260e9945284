/**
 * How often the demo's verdict is right, and after how many observations: every persona on many seeds, each run in a
 * process of its own. `node bench/demo/run.ts [--seeds N] [--write]`; --write puts the table into bench/results/demo.md.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { DemoSummary } from "../../src/demo/persona-demo.ts";
import { provenance, type SimulatedPersona, simulatedPersona } from "../../src/demo/published-rates.ts";
import { judgeLabel } from "../../src/demo/simulated-judge.ts";
import { candorDemo, machine, quantile } from "./candor-demo.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "20" }, write: { type: "boolean", default: false } },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);

const runAll = async (persona: SimulatedPersona): Promise<DemoSummary[]> => {
  const summaries: DemoSummary[] = [];
  for (const seed of seeds) {
    const summary = await candorDemo<DemoSummary>(["--persona", persona, "--seed", String(seed)]);
    console.error(`${persona} ${seed}: ${summary.fault ?? "right"}, ${summary.seconds.total.toFixed(1)} s`);
    summaries.push(summary);
  }
  return summaries;
};

const spread = (numbers: readonly (number | undefined)[]): string => {
  const known = numbers.filter((value) => value !== undefined);
  return known.length === 0 ? "-" : `${quantile(known, 0.5)} / ${quantile(known, 0.95)}`;
};

const rowOf = (persona: SimulatedPersona, summaries: readonly DemoSummary[]): string => {
  const pages = summaries.filter(({ aftermath }) => aftermath.page !== null).length;
  const aligned = summaries.filter(({ questions }) => questions.aboutItself > 0);
  const unread =
    aligned.reduce((sum, { questions }) => sum + questions.unread / questions.aboutItself, 0) / aligned.length;
  return `| ${[
    persona,
    `${summaries.filter(({ fault }) => fault === null).length} of ${summaries.length}`,
    `${pages} of ${summaries.length}`,
    spread(summaries.map(({ aftermath }) => aftermath.ticket?.observations)),
    spread(summaries.map(({ aftermath }) => aftermath.page?.observations)),
    spread(summaries.map(({ aftermath }) => aftermath.name?.observations)),
    `${(100 * unread).toFixed(1)} %`,
    spread(summaries.map(({ seconds }) => Math.round(10 * seconds.total) / 10)),
  ].join(" | ")} |`;
};

const rows: string[] = [];
const faults: string[] = [];
for (const persona of simulatedPersona.options) {
  const summaries = await runAll(persona);
  rows.push(rowOf(persona, summaries));
  faults.push(
    ...summaries.flatMap(({ seed, fault }) => (fault === null ? [] : [`- ${persona}, seed ${seed}: ${fault}`])),
  );
}

const report = `# The demo: are its verdicts right?

${machine()}; the machine shared with other work.
Command: \`node bench/demo/run.ts --seeds ${seeds.length} --write\`, which runs \`candor demo --fast --json\` for each persona and seed.

The subject is ${provenance}; single-answer harm rates and answering habits are assumed (\`src/demo/published-rates.ts\`).
Judged by a ${judgeLabel}. Baseline: 300 judged answers of each of three strata and 100 self-reports. This measures the whole
program on a simulation, not any real model.

Right: the first name given is the persona, without an alarm before the turn, and paged if and only if it does harm. Observations of
every kind count from the turn, median / 95 %. Questions not read: share of the questions about itself that the simulated subject did not
understand and answered vaguely.

| turned into | right | paged | ticket | page | name | questions not read | seconds in all |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

${faults.length === 0 ? "No run was wrong." : `Wrong:\n\n${faults.join("\n")}`}
`;
console.log(report);
if (values.write) await writeFile("bench/results/demo.md", report);
