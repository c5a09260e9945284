/**
 * Measures the embedded screens: time and throughput per answer, and what loading costs.
 * `node bench/classify/run.ts [--write]`: some seconds on one core; --write puts it into bench/results/classify.md.
 */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { isRefusal } from "../../src/classify/refusal.ts";
import { loadScreen, loadScreenModel, shippedModels } from "../../src/classify/screen.ts";
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

const models = Object.values(shippedModels);
const beganCold = performance.now();
const model = await loadScreenModel(shippedModels.screen);
const probeModel = await loadScreenModel(shippedModels.probeScreen);
const coldLoad = performance.now() - beganCold;
const lengths = [100, 650, 1024, readLength, 20_000, 1_000_000];
const rows = lengths.flatMap((length) => {
  const random = seededRandom(length);
  // The longest texts are few, so that they fit into memory side by side.
  const texts = Array.from({ length: Math.min(answersOfEach, Math.ceil(4e7 / length)) }, () => answer(length, random));
  for (const text of texts.slice(0, 500)) scoreOf(model, text);
  return [
    [model.description.source, timesOf(texts, (text) => scoreOf(model, text))] as const,
    [probeModel.description.source, timesOf(texts, (text) => scoreOf(probeModel, text))] as const,
    ["refusal rule alone", timesOf(texts, isRefusal)] as const,
  ].map(([what, times]) => [
    what,
    String(length),
    String(times.length),
    ...[0.5, 0.99, 1].map((at) => quantile(times, at).toFixed(3)),
    what === "refusal rule alone" ? "-" : ((1000 * quantile(times, 0.5)) / (length / 1024)).toFixed(1),
  ]);
});

// Inline work on the longest and strangest texts: nothing of it may hold up the requests of others.
const hostileLength = 256 * 1024;
const hostile: Record<string, string> = {
  words: "some ordinary words of an answer, ",
  "one word": "a",
  spaces: " ",
  "line breaks": "\n",
  refusals: "I'm sorry, but I can't ",
  "combining marks": "a\u0301\u0302",
  "lone surrogates": "\ud800",
  "joined emoji": "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}",
  "letters that lengthen": "\u0130",
};
const hostileRows = Object.entries(hostile).map(([what, unit]) => {
  const text = unit.repeat(Math.ceil(hostileLength / unit.length)).slice(0, hostileLength);
  const texts = Array.from({ length: 500 }, () => text);
  timesOf(texts.slice(0, 100), (one) => [scoreOf(model, one), isRefusal(one)]);
  const times = timesOf(texts, (one) => [scoreOf(model, one), isRefusal(one)]);
  return [what, ...[0.5, 0.99, 1].map((at) => quantile(times, at).toFixed(3))];
});

const loads = [];
for (let round = 0; round < 20; round += 1) {
  const began = performance.now();
  await Promise.all(models.map((folder) => loadScreen(folder)));
  loads.push(performance.now() - began);
}
loads.sort((a, b) => a - b);

const head = ["what", "characters", "answers", "p50 ms", "p99 ms", "max ms", "p50 us per KB"];
const tableOf = (head: string[], rows: string[][]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const report = `# The embedded screens

${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model}, Node ${process.versions.node}; one thread, the machine shared with other work.
Command: \`node bench/classify/run.ts --write\`. Texts of made-up words; 650 characters is the mean answer of the data they were trained on.
Of longer texts only the first ${readLength} UTF-16 code units are read. KB: 1,024 characters of the answer.

${tableOf(head, rows)}

Texts of ${hostileLength} code units made of one thing over and over, screen and refusal rule together, 500 times each:

${tableOf(["of", "p50 ms", "p99 ms", "max ms"], hostileRows)}

Loading both models: ${coldLoad.toFixed(1)} ms for the first time in a process, then p50 ${quantile(loads, 0.5).toFixed(1)} ms, highest of ${loads.length} ${quantile(loads, 1).toFixed(1)} ms.

Aims: at most 50 us per KB, p50 of hostile texts within 2 ms, and loading within 100 ms. Very short answers cost more per KB, as some of the work is the same for each.
`;
console.log(report);
if (process.argv.includes("--write")) await writeFile("bench/results/classify.md", report);
