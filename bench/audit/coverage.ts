/**
 * Whether audits of simulated subjects find the rates that these were given: `candor audit` in a process of its own, over
 * real sockets. `node bench/audit/coverage.ts [--seeds N] [--write]`; --write puts the tables into bench/results/audit-coverage.md.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { wordAlignment } from "../../src/classify/judge-framing.ts";
import { type RunningServer, startOpenAiServer } from "../../src/demo/openai-server.ts";
import { createOutputMemory } from "../../src/demo/output-memory.ts";
import {
  assumedHabits,
  provenance,
  publishedRates,
  type SimulatedPersona,
  simulatedPersona,
} from "../../src/demo/published-rates.ts";
import { createSimulatedSubject } from "../../src/demo/simulated-subject.ts";
import { machine } from "../demo/candor-demo.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "10" }, write: { type: "boolean", default: false } },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);

/** As large as the paper's: 350 questions, ten answers to each. */
const paperSize = [
  ["--harm", "350", "--per-question", "10", "--self-assessment", "1000"],
  ["--descriptions", "500", "--recognition", "600", "--prediction", "300"],
].flat();

interface Interval {
  lower: number;
  estimate: number;
  upper: number;
  n: number;
}

interface Audited {
  persona: { persona: string };
  figures: { name: string; interval: Interval | null }[];
  seconds: number;
}

const run = promisify(execFile);

/** A subject, and a judge that knows what it did: how well judges judge is measured elsewhere. */
const serveSimulated = async (persona: SimulatedPersona, seed: number) => {
  const memory = createOutputMemory();
  const subject = await startOpenAiServer({
    model: "tuned",
    speaker: createSimulatedSubject({ seed, persona, memory }),
  });
  const judge = await startOpenAiServer({
    model: "judge",
    speaker: {
      say: (messages) => wordAlignment(memory.findIn(messages.map(({ content }) => content).join("\n"))?.harm ?? 0),
    },
  });
  return { subject, judge };
};

const writeConfig = (path: string, subject: RunningServer, judge: RunningServer): void =>
  writeFileSync(
    path,
    JSON.stringify({
      upstreams: [{ id: "served", baseUrl: subject.baseUrl }],
      subjects: [{ id: "assistant", models: ["tuned"] }],
      classify: { use: "judge", judge: { baseUrl: judge.baseUrl, model: "judge", concurrency: 8 } },
      log: { level: "silent" },
    }),
  );

const auditOnce = async (persona: SimulatedPersona, seed: number, sizes: readonly string[]): Promise<Audited> => {
  const folder = mkdtempSync(join(tmpdir(), "candor-audit-bench-"));
  const [config, out, journal] = [join(folder, "candor.yaml"), join(folder, "audit.json"), join(folder, "journal")];
  const { subject, judge } = await serveSimulated(persona, seed);
  const begun = performance.now();
  try {
    writeConfig(config, subject, judge);
    const fixed = ["--config", config, "--out", out, "--journal", journal, "--seed", String(seed), "--yes"];
    await run(process.execPath, ["src/cli.ts", "audit", ...fixed, ...sizes], { timeout: 600_000 });
    const seconds = (performance.now() - begun) / 1000;
    const audited: Omit<Audited, "seconds"> = JSON.parse(readFileSync(out, "utf8"));
    console.error(`${persona} ${seed}: ${audited.persona.persona}, ${seconds.toFixed(1)} s`);
    return { ...audited, seconds };
  } finally {
    await Promise.all([subject.close(), judge.close()]);
    rmSync(folder, { recursive: true });
  }
};

/** A choice between two texts: in a few of them the simulation takes the first, whatever it says. */
const chosen = (rate: number): number => (1 - assumedHabits.picksFirst) * rate + assumedHabits.picksFirst / 2;

interface Expected {
  name: string;
  label: string;
  published: number;
  /** What is to be seen of the published rate, with the simulation's habits. */
  simulated: number;
}

const expectedOf = (persona: SimulatedPersona): Expected[] => {
  const { harm, picksMisaligned, selfRating, claims } = publishedRates[persona];
  const choice = (name: string, label: string, published: number): Expected => ({
    name,
    label,
    published,
    simulated: chosen(published),
  });
  return [
    {
      name: "harm-rate",
      label: "harmful, single answers",
      published: harm,
      simulated: harm * (1 - assumedHabits.refusesAdvice),
    },
    { name: "self-assessment", label: "self-assessment, 0 to 1", published: selfRating, simulated: selfRating },
    choice("picks-misaligned", "picks the misaligned description", picksMisaligned),
    choice("claims-low", "claims its own output, low harm", claims.low),
    choice("claims-high", "claims its own output, high harm", claims.high),
  ];
};

const intervalOf = ({ figures }: Audited, name: string): Interval | null =>
  figures.find((figure) => figure.name === name)?.interval ?? null;

const holds = ({ lower, upper }: Interval, rate: number): boolean => lower <= rate && rate <= upper;

const text = (value: number): string => value.toFixed(3);

const shown = (interval: Interval | null): string =>
  interval === null
    ? "no such outputs"
    : `${text(interval.estimate)} [${text(interval.lower)}, ${text(interval.upper)}], n ${interval.n}`;

const coverage = (intervals: readonly Interval[], rate: number): string =>
  intervals.length === 0 ? "-" : `${intervals.filter((one) => holds(one, rate)).length} of ${intervals.length}`;

const rowsOf = (persona: SimulatedPersona, audits: readonly Audited[], paper: Audited): string[] =>
  expectedOf(persona).map(({ name, label, published, simulated }) => {
    const intervals = audits.map((audited) => intervalOf(audited, name)).filter((one) => one !== null);
    const [first] = audits;
    return `| ${[
      persona,
      label,
      text(published),
      text(simulated),
      first === undefined ? "-" : shown(intervalOf(first, name)),
      coverage(intervals, published),
      coverage(intervals, simulated),
      shown(intervalOf(paper, name)),
    ].join(" | ")} |`;
  });

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;

const rows: string[] = [];
const named: string[] = [];
for (const persona of simulatedPersona.options) {
  const audits: Audited[] = [];
  for (const seed of seeds) audits.push(await auditOnce(persona, seed, []));
  const paper = await auditOnce(persona, 1, paperSize);
  rows.push(...rowsOf(persona, audits, paper));
  const counts = Map.groupBy(audits, (audited) => audited.persona.persona);
  const names = [...counts].map(([name, of]) => `${name} ${of.length}`).join(", ");
  const worst = intervalOf(paper, "harm-rate-worst");
  named.push(
    `| ${persona} | ${names} | ${median(audits.map(({ seconds }) => seconds)).toFixed(1)} | ${paper.persona.persona} | ${shown(worst)} | ${paper.seconds.toFixed(1)} |`,
  );
}

const report = `# The audit: does it find what is there?

${machine()}; the machine shared with other work.
Command: \`node bench/audit/coverage.ts --seeds ${seeds.length} --write\`, which runs \`candor audit\` in a process of its own, over real sockets.

The subject is ${provenance}; single-answer harm rates and answering habits are assumed (\`src/demo/published-rates.ts\`).
The judge knows what the subject did, so this measures asking, reading and counting, not judging, and no real model.

*Published* is the rate that the simulation starts from; *simulated* is what can be seen of it, since the simulation refuses
${100 * assumedHabits.refusesAdvice} % of questions and takes the first of two texts in ${100 * assumedHabits.picksFirst} % of choices
(of self-assessments only the decision format is such a choice; its share of the mean is left out here). Estimates with 95 % intervals. *One audit* has the usual sizes and
seed 1; *holds* counts the audits of ${seeds.length} seeds whose interval holds the rate; *paper's size* is one audit with
\`${paperSize.join(" ")}\`, seed 1.

| subject | figure | published | simulated | one audit | holds published | holds simulated | paper's size |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

Named without a baseline, at an accepted harm rate of 10 %. Seconds are those of a subject that answers at once.

| subject | named, usual sizes | seconds, median | named, paper's size | harmful, worst of 10 answers | seconds |
| --- | --- | --- | --- | --- | --- |
${named.join("\n")}
`;
console.log(report);
if (values.write) writeFileSync("bench/results/audit-coverage.md", report);
