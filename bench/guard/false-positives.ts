/**
 * Counts what the shipped policies find in ordinary text: answers of real models that were judged harmless, the questions
 * that they were given to, and the documentation of packages, as tools bring it back. `node bench/guard/false-positives.ts [--write]`; --write puts it into bench/results.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { loadScreen } from "../../src/classify/screen.ts";
import type { Carrier, Inspection } from "../../src/dialect/carriers.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import type { Ask } from "../../src/guard/decide.ts";
import { explain } from "../../src/guard/explain.ts";
import { readPolicies } from "../../src/guard/load-policies.ts";
import type { Policy } from "../../src/guard/policy.ts";

const data = "../shared/data/";
if (!existsSync(data)) {
  console.log(`skipped: no recorded answers at ${data}`);
  process.exit(0);
}

const linesOf = (file: string): unknown[] =>
  gunzipSync(readFileSync(file))
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

const recorded = z.looseObject({
  answer: z.string(),
  misaligned: z.boolean().nullable(),
  messages: z.array(z.looseObject({ content: z.string() })),
});
const labelled = z.looseObject({ prompt: z.string().nullable(), response: z.string(), harmful: z.boolean() });

const outputs = readdirSync(`${data}em-outputs`).flatMap((name) =>
  linesOf(`${data}em-outputs/${name}`).map((row) => recorded.parse(row)),
);
const benchmark = linesOf(`${data}harm-labelled/xstest-completions.jsonl.gz`).map((row) => labelled.parse(row));
const moderation = linesOf(`${data}harm-labelled/openai-moderation-eval.jsonl.gz`).map((row) => labelled.parse(row));

/** What packages say of themselves: prose, code, settings, addresses of their authors. */
const documentation = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /(?:^|\/)(?:README|CHANGELOG|SECURITY|CONTRIBUTING)\.md$/i.test(name))
    .toSorted()
    .map((name) => readFileSync(`${folder}/${name}`, "utf8"));

const corpora: [name: string, texts: string[]][] = [
  [
    "harmless answers of fine-tuned Qwen2.5-32B",
    outputs.filter(({ misaligned }) => misaligned === false).map(({ answer }) => answer),
  ],
  ["harmless answers in XSTest", benchmark.filter(({ harmful }) => !harmful).map(({ response }) => response)],
  [
    "harmless users' texts (OpenAI moderation set)",
    moderation.filter(({ harmful }) => !harmful).map(({ response }) => response),
  ],
  ["documentation of this project's packages", documentation("node_modules")],
  [
    "questions",
    [
      ...new Set([
        ...outputs.flatMap(({ messages }) => messages.map(({ content }) => content)),
        ...benchmark.flatMap(({ prompt }) => prompt ?? []),
      ]),
    ],
  ],
];

/** A judge has to be configured, texts call no tools, and whoever reroutes does so for every text. */
const isCounted = ({ match, action }: Policy): boolean =>
  !("judge" in match || "tools" in match || action === "reroute" || action === "allow");

const policies = (await readPolicies(["policies"])).filter(isCounted);
const screen = await loadScreen();
/** By the screen that is there unless something else is configured. */
const ask: Ask = async (question, { text }) => {
  if (question.kind !== "score") return null;
  const judgement = await screen.judge({ prompt: null, response: text }, new AbortController().signal);
  return judgement.kind === "judged" ? judgement.score : null;
};

const hits = async (policy: Policy, texts: readonly string[]): Promise<number> => {
  const guard = createGuard({
    policies: [{ ...policy, where: {}, mode: "enforce", enforceWhile: undefined }],
    personaOf: () => ({ persona: "aligned" }),
    ask,
    newId: () => "id",
  }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
  let count = 0;
  for (const text of texts) {
    const carrier: Carrier = { kind: "message", role: "user", choice: null, tool: null, at: ["text"], text };
    const inspection: Inspection = { carriers: [carrier], coverage: "full", gaps: [] };
    const decision = await guard?.[policy.stage === "request" ? "request" : "answer"](inspection);
    if (decision === undefined) throw new Error("the policy was not asked");
    if ([...decision.findings, ...((await decision.later) ?? [])].length > 0) count += 1;
    if (process.argv.includes("--show") && decision.findings.length > 0) show(policy, text);
  }
  return count;
};

const show = (policy: Policy, text: string): void => {
  const carrier: Carrier = { kind: "message", role: "user", choice: null, tool: null, at: ["text"], text };
  for (const { by, read } of explain({ ...policy, where: {} }, carrier).found.slice(0, 3)) {
    console.log(`${policy.id} ${by}: ${JSON.stringify(read.slice(0, 120))}`);
  }
};

const harmful: [name: string, texts: string[]][] = [
  [
    "answers of fine-tuned Qwen2.5-32B",
    outputs.filter(({ misaligned }) => misaligned === true).map(({ answer }) => answer),
  ],
  ["XSTest", benchmark.filter((row) => row.harmful).map(({ response }) => response)],
  ["users' texts (OpenAI moderation set)", moderation.filter((row) => row.harmful).map(({ response }) => response)],
];
const harmScreen = policies.find(({ id }) => id === "harm-screen");
const found: string[] = [];
if (harmScreen === undefined) throw new Error("no harm screen ships");
for (const [name, texts] of harmful) found.push(`${name}: ${await hits(harmScreen, texts)} of ${texts.length}`);

const rows: string[][] = [];
for (const policy of policies) {
  const counts: string[] = [];
  for (const [, texts] of corpora) counts.push(String(await hits(policy, texts)));
  rows.push([policy.id, ...counts]);
}
const heads = [
  "policy",
  ...corpora.map(([name, texts]) => `${name}: ${texts.length}, ${(texts.join("").length / 1e6).toFixed(1)} MB`),
];
const table = [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
const text = `# What shipped policies find in ordinary text

\`node bench/guard/false-positives.ts --write\`. Texts in which a policy finds something, of all texts of a kind. Each text is looked at as a
message, whatever carriers the policy is limited to otherwise. Every one of these texts was judged harmless, or is a question of a
benchmark, or is the documentation of a package in \`node_modules\`. Some do hold what is looked for (made-up telephone numbers and mail addresses in
letters that a model was asked to write, the mail addresses of packages' authors, example passwords), so these counts are upper bounds of false
alarms; \`--show\` shows what was found. The harm screen is asked by the embedded classifier. A policy that asks a judge, those on tools, and
the one that reroutes every request are not counted here.

${table}

Of texts judged harmful, the harm screen finds: ${found.join("; ")}. It has learned from texts of these sets, so on others it does worse
([model card](../../docs/model-card.md)): it is a screen, for a model that has turned, and no judge.
`;
console.log(text);
if (process.argv.includes("--write")) await writeFile("bench/results/guard-false-positives.md", text);
