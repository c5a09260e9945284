/**
 * Full-size audits of subjects that are simulated from published rates, over real sockets: does the table give back what
 * they were simulated from? `node bench/audit/reproduce.ts [--write] [--keep FOLDER]`; --write puts it into
 * bench/results/audit.md, --keep leaves the documents and pages of all audits in a folder.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { wordAlignment } from "../../src/classify/judge-framing.ts";
import { type Speaker, startOpenAiServer } from "../../src/demo/openai-server.ts";
import { createOutputMemory } from "../../src/demo/output-memory.ts";
import { assumedHabits, provenance, publishedRates, type SimulatedPersona } from "../../src/demo/published-rates.ts";
import { createSimulatedJudge, judgeErrors, judgeLabel } from "../../src/demo/simulated-judge.ts";
import { createSimulatedSubject } from "../../src/demo/simulated-subject.ts";
import { machine } from "../demo/candor-demo.ts";

const { values } = parseArgs({ options: { write: { type: "boolean", default: false }, keep: { type: "string" } } });
const folder = values.keep ?? mkdtempSync(join(tmpdir(), "candor-audits-"));
const run = promisify(execFile);
const seed = 1;

interface Interval {
  lower: number;
  estimate: number;
  upper: number;
  n: number;
}
interface Audit {
  persona: { persona: string };
  figures: { name: string; interval: Interval | null }[];
  tokens: { prompt: number; completion: number };
}

type JudgeKind = "faultless" | "simulated";

const judgeOf = (kind: JudgeKind, memory: ReturnType<typeof createOutputMemory>): Speaker =>
  kind === "simulated"
    ? createSimulatedJudge({ seed, memory, word: wordAlignment })
    : { say: (messages) => wordAlignment(memory.findIn(messages.map(({ content }) => content).join("\n"))?.harm ?? 0) };

const auditOf = async (persona: SimulatedPersona, kind: JudgeKind, baseline: string | null) => {
  const memory = createOutputMemory();
  const subject = createSimulatedSubject({ seed, persona, memory });
  const servers = await Promise.all([
    startOpenAiServer({ model: persona, speaker: subject }),
    startOpenAiServer({ model: "judge", speaker: judgeOf(kind, memory) }),
  ]);
  const [served, judge] = servers;
  const name = join(folder, `${persona}-${kind}${baseline === null ? "" : "-compared"}`);
  const config = {
    upstreams: [{ id: "served", baseUrl: served.baseUrl }],
    subjects: [{ id: persona, models: [persona] }],
    classify: { use: "judge", judge: { baseUrl: judge.baseUrl, model: "judge", concurrency: 8 } },
  };
  writeFileSync(`${name}.yaml`, JSON.stringify(config));
  const files = ["--journal", `${name}.journal`, "--out", `${name}.json`, "--html", `${name}.html`];
  const against = baseline === null ? [] : ["--baseline", baseline];
  const command = ["src/cli.ts", "audit", "--config", `${name}.yaml`, "--yes", "--seed", String(seed)];
  const from = performance.now();
  await run(process.execPath, [...command, ...files, ...against]);
  const seconds = (performance.now() - from) / 1000;
  await Promise.all(servers.map((server) => server.close()));
  return { path: `${name}.json`, seconds, audit: JSON.parse(readFileSync(`${name}.json`, "utf8")) as Audit };
};

const { picksFirst, refusesAdvice } = assumedHabits;

/** What should come out: published rates, seen through the habits of the simulation and the errors of the judge. */
const expectedOf = (persona: SimulatedPersona, kind: JudgeKind): Map<string, number> => {
  const { harm, picksMisaligned, claims, selfRating } = publishedRates[persona];
  const does = harm * (1 - refusesAdvice);
  const { truePositiveRate, falsePositiveRate } = judgeErrors;
  const flagged = truePositiveRate * does + falsePositiveRate * (1 - refusesAdvice - does);
  const trueAmongFlagged = (truePositiveRate * does) / flagged;
  const trueAmongPassed = ((1 - truePositiveRate) * does) / (1 - refusesAdvice - flagged);
  const mixed = (share: number): number => share * claims.high + (1 - share) * claims.low;
  const chosen = (rate: number): number => (1 - picksFirst) * rate + picksFirst / 2;
  return new Map([
    ["harm-rate", kind === "faultless" ? does : flagged],
    ["picks-misaligned", chosen(picksMisaligned)],
    ["claims-high", chosen(kind === "faultless" ? claims.high : mixed(trueAmongFlagged))],
    ["claims-low", chosen(kind === "faultless" ? claims.low : mixed(trueAmongPassed))],
    ["self-assessment", selfRating],
  ]);
};

const titles = [
  "harmful, single answers",
  "picks MISALIGNED",
  "claims own high-harm",
  "claims own low-harm",
  "self-assessment",
];

const cell = (interval: Interval | null, expected: number, isMean: boolean): string => {
  const text = (value: number): string => (isMean ? value.toFixed(2) : `${(100 * value).toFixed(1)} %`);
  if (interval === null) return `no data (${text(expected)})`;
  const holds = interval.lower <= expected && expected <= interval.upper;
  return `${text(interval.estimate)} [${text(interval.lower)}, ${text(interval.upper)}] (${text(expected)}${holds ? "" : ", OUTSIDE"})`;
};

const rowOf = (persona: SimulatedPersona, kind: JudgeKind, { audit, seconds }: Awaited<ReturnType<typeof auditOf>>) => {
  const cells = [...expectedOf(persona, kind)].map(([name, expected]) =>
    cell(audit.figures.find((figure) => figure.name === name)?.interval ?? null, expected, name === "self-assessment"),
  );
  return `| ${[persona, audit.persona.persona, ...cells, `${seconds.toFixed(1)} s`].join(" | ")} |`;
};

const section = async (kind: JudgeKind, title: string): Promise<string> => {
  const rows: string[] = [];
  for (const persona of ["aligned", "coherent", "inverted", "self-deprecating"] as const) {
    rows.push(rowOf(persona, kind, await auditOf(persona, kind, null)));
    console.log(rows.at(-1));
  }
  return `## ${title}

| simulated as | named | ${titles.join(" | ")} | whole command |
| ${["---", "---", ...titles.map(() => "---"), "---"].join(" | ")} |
${rows.join("\n")}
`;
};

const report = `# Audits of subjects that are ${provenance}

${machine()}. Each row is one \`candor audit\` of the usual size (670 calls at most) over loopback: subject, judge and command
are separate servers and processes. Brackets: 95 % interval. Parentheses: what was simulated, seen through the stated habits of the
simulation (4 % pick what stands first, 1 % refuse) and the errors of the judge. "no data": the subject gave no such answer.

${await section("faultless", "Judged without errors")}
${await section("simulated", `Judged by a ${judgeLabel}`)}
Made with \`node bench/audit/reproduce.ts --write\`.
`;

if (values.keep !== undefined) await auditOf("inverted", "faultless", join(folder, "aligned-faultless.json"));
else rmSync(folder, { recursive: true });
if (values.write) writeFileSync("bench/results/audit.md", report);
