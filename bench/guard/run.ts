/**
 * Measures what policies cost: deciding on an exchange of 2 KB under 20 deterministic policies, and each piece of a stream.
 * `node bench/guard/run.ts [--write]`: some seconds on one core; --write puts it into bench/results/guard.md.
 */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { inspectAnswer, inspectRequest } from "../../src/dialect/inspection.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import type { ExchangeGuard, StreamedCarrier } from "../../src/guard/guard.ts";
import { policySchema } from "../../src/guard/policy.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";

const common =
  "the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not what all were we when your can said there use an each which she do how their if will up other about out many then them these so some her would make like him into time has look two more write go see number no way could people my than first water been call who oil its now find long down day did get come made may part".split(
    " ",
  );

/** Ordinary words, never the same text twice. */
const prose = (length: number, random: Random): string => {
  let text = "";
  while (text.length < length) {
    text += `${common[Math.floor(random() * common.length)]}${random() < 0.1 ? ".\n" : " "}`;
  }
  return text.slice(0, length);
};

const expressions = [
  String.raw`sk-ant-[a-z0-9-]{20,90}`,
  String.raw`\bAKIA[0-9A-Z]{16}\b`,
  String.raw`(?i)\b(ignore|disregard) (all )?(previous|earlier) (instructions|rules)\b`,
  String.raw`\bgh[pousr]_[A-Za-z0-9]{36}\b`,
  String.raw`(?i)\bsystem prompt\b.{0,40}\b(is|reads|says)\b`,
  String.raw`\b[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){3,7}\b`,
  String.raw`xox[baprs]-[A-Za-z0-9-]{10,80}`,
  String.raw`(?i)\bproject[- ]bluebird\b`,
  String.raw`-----BEGIN [A-Z ]{3,30}PRIVATE KEY-----`,
  String.raw`(?i)password\s{0,3}[:=]\s{0,3}\S{6,64}`,
];
/** Ten lists of ten phrases, and ten expressions, on requests and on answers. */
const policies = (["request", "response"] as const).flatMap((stage) =>
  [
    ...Array.from({ length: 10 }, (_, list) => ({
      id: `${stage}-terms-${list}`,
      match: { terms: Array.from({ length: 10 }, (_, term) => `forbidden phrase ${list} ${term}`) },
    })),
    ...expressions.map((regex, index) => ({ id: `${stage}-expression-${index}`, match: { regex } })),
  ].map((policy) => policySchema.parse({ ...policy, description: "for the measurement", stage, action: "block" })),
);

const begin = (): ExchangeGuard => {
  const guard = createGuard({
    policies,
    personaOf: () => ({ persona: "aligned" }),
    ask: async () => null,
    newId: () => "id",
  }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
  if (guard === null) throw new Error("the policies concern every exchange");
  return guard;
};

const guard = begin();
const random = seededRandom(1);
const path = "/chat/completions";
const body = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const exchanges = Array.from({ length: 4_000 }, () => ({
  request: body({
    model: "m",
    messages: [
      { role: "system", content: prose(300, random) },
      { role: "user", content: prose(300, random) },
      { role: "assistant", content: prose(300, random) },
      { role: "user", content: prose(124, random) },
    ],
  }),
  answer: body({ choices: [{ index: 0, message: { role: "assistant", content: prose(1_024, random) } }] }),
}));

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;

/** Microseconds: mean, median, 99th percentile. The first tenth warms up. */
const timed = (name: string, runs: (() => unknown)[]): string[] => {
  const times: number[] = [];
  for (const [index, run] of runs.entries()) {
    const began = performance.now();
    run();
    if (index >= runs.length / 10) times.push((performance.now() - began) * 1000);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return [
    name,
    String(times.length),
    ...[mean, quantile(sorted, 0.5), quantile(sorted, 0.99)].map((us) => us.toFixed(1)),
  ];
};

const inspected = exchanges.map(({ request, answer }) => ({
  request: inspectRequest(path, request),
  answer: inspectAnswer(path, answer),
}));
const rows = [
  timed(
    "deciding on request and answer of 2 KB together",
    inspected.map(({ request, answer }) => () => [guard.request(request), guard.answer(answer)]),
  ),
  timed(
    "finding the texts in both bodies",
    exchanges.map(({ request, answer }) => () => [inspectRequest(path, request), inspectAnswer(path, answer)]),
  ),
];

const place: StreamedCarrier = { kind: "message", choice: 0, index: 0, tool: null };
const chunkRuns: (() => unknown)[] = [];
for (let stream = 0; stream < 60; stream += 1) {
  const held = guard.stream(() => {});
  const text = prose(2_048, random);
  for (let at = 0; at < text.length; at += 4) {
    chunkRuns.push(() => {
      held.push(place, text.slice(at, at + 4));
      held.advance();
      return held.released(place);
    });
  }
}
rows.push(timed("a piece of 4 characters of a streamed answer", chunkRuns));
const ends = Array.from({ length: 600 }, () => {
  const held = guard.stream(() => {});
  held.push(place, prose(2_048, random));
  held.advance();
  return () => held.end([]);
});
rows.push(timed("the end of a streamed answer of 2 KB", ends));

const heads = ["what", "runs", "mean us", "median us", "p99 us"];
const table = [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
const text = `# What policies cost

\`node bench/guard/run.ts --write\` on ${cpus()[0]?.model.trim()}, one core, Node ${process.versions.node}.
Twenty deterministic policies on requests and twenty on answers: ten lists of ten phrases and ten expressions each, none of which
matches. Texts are made of common words, none twice.

${table}
`;
console.log(text);
if (process.argv.includes("--write")) await writeFile("bench/results/guard.md", text);
