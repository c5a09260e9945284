/**
 * Counts what the shipped policies find in ordinary text: answers of real models that were judged harmless, and the questions
 * that they were given to. `node bench/guard/false-positives.ts [--write]`; --write puts it into bench/results.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import type { Carrier } from "../../src/dialect/carriers.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
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

const isDeterministic = ({ match }: Policy): boolean =>
  !("score" in match || "judge" in match || "tools" in match || "size" in match);

const policies = (await readPolicies(["policies"])).filter(isDeterministic);

const hits = (policy: Policy, texts: readonly string[]): number => {
  const guard = createGuard({
    policies: [{ ...policy, where: {}, mode: "enforce", enforceWhile: undefined }],
    personaOf: () => ({ persona: "aligned" }),
    ask: async () => null,
    newId: () => "id",
  }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
  return texts.filter((text) => {
    const carrier: Carrier = { kind: "message", role: "user", choice: null, tool: null, at: ["text"], text };
    const decision = guard?.[policy.stage === "request" ? "request" : "answer"]({
      carriers: [carrier],
      coverage: "full",
      gaps: [],
    });
    if (decision === undefined || decision instanceof Promise) throw new Error("deterministic policies decide at once");
    return decision.findings.length > 0;
  }).length;
};

const rows = policies.map((policy) => [policy.id, ...corpora.map(([, texts]) => String(hits(policy, texts)))]);
const heads = [
  "policy",
  ...corpora.map(([name, texts]) => `${name}: ${texts.length}, ${(texts.join("").length / 1e6).toFixed(1)} MB`),
];
const table = [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
const text = `# What shipped policies find in ordinary text

\`node bench/guard/false-positives.ts --write\`. Texts in which a policy finds something, of all texts of a kind. Each text is looked at as a
message, whatever carriers the policy is limited to otherwise. Every one of these texts was judged harmless, or is a question of a
benchmark; some do hold what is looked for (made-up telephone numbers and mail addresses in letters that a model was asked to write), so these
counts are upper bounds of false alarms. Policies that ask a model, and those on tools and sizes, are not counted here.

${table}
`;
console.log(text);
if (process.argv.includes("--write")) await writeFile("bench/results/guard-false-positives.md", text);
