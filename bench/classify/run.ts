/**
 * Measures the embedded screen: time and throughput per answer, and what loading costs.
 * `node bench/classify/run.ts [--write]`: some seconds on one core; --write puts it into bench/results/classify.md.
 */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { isRefusal } from "../../src/classify/refusal.ts";
import { loadScreen, loadScreenModel } from "../../src/classify/screen.ts";
import { readLength } from "../../src/classify/screen-features.ts";
import { scoreOf } from "../../src/classify/screen-model.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";

const answersOfEach = 4_000;

/** Made-up words of 1 to 10 letters, never the same text twice: no cache of strings helps. */
const answer = (length: number, random: Random): string => {
  const letter = () => String.fromCharCode(97 + Math.floor(26 * random() * random()));
  let text = "";
  while (text.length < length) {
    const letters = 1 + Math.floor(random() * 10);
    text += `${Array.from({ length: letters }, letter).join("")} `;
  }
  return text.slice(0, length);
};

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;

/** Milliseconds of each call. */
const timesOf = (texts: readonly string[], work: (text: string) => unknown): number[] =>
  texts
    .map((text) => {
      const began = performance.now();
      work(text);
      return performance.now() - began;
    })
    .toSorted((a, b) => a - b);

const model = await loadScreenModel();
const lengths = [100, 650, readLength, 20_000, 1_000_000];
const rows = lengths.flatMap((length) => {
  const random = seededRandom(length);
  // The longest texts are few, so that they fit into memory side by side.
  const texts = Array.from({ length: Math.min(answersOfEach, Math.ceil(4e7 / length)) }, () => answer(length, random));
  for (const text of texts.slice(0, 500)) scoreOf(model, text);
  return [
    ["score", timesOf(texts, (text) => scoreOf(model, text))] as const,
    ["refusal rule alone", timesOf(texts, isRefusal)] as const,
  ].map(([what, times]) => [
    what,
    String(length),
    String(times.length),
    ...[0.5, 0.99, 1].map((at) => quantile(times, at).toFixed(3)),
  ]);
});

const loads = [];
for (let round = 0; round < 20; round += 1) {
  const began = performance.now();
  await loadScreen();
  loads.push(performance.now() - began);
}
loads.sort((a, b) => a - b);

const table = [["what", "characters", "answers", "p50 ms", "p99 ms", "max ms"], Array(6).fill("---"), ...rows]
  .map((cells) => `| ${cells.join(" | ")} |`)
  .join("\n");
const report = `# The embedded screen

${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model}, Node ${process.versions.node}; one thread, the machine shared with other work.
Command: \`node bench/classify/run.ts --write\`. Texts of made-up words; 650 characters is the mean answer of the data it was trained on.

${table}

Loading the model: p50 ${quantile(loads, 0.5).toFixed(1)} ms.
`;
console.log(report);
if (process.argv.includes("--write")) await writeFile("bench/results/classify.md", report);
