/**
 * Measures how often the canary cries wolf and how soon it sees another model, and writes bench/results/canary.md.
 * `npx node bench/detector/canary.ts [--quick]`: some minutes on one core; --quick: some seconds, to standard output only.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { type CanaryWatch, createCanary, foldCanary, viewCanary } from "../../src/persona/canary.ts";
import { canaryThreshold } from "../../src/persona/settings.ts";
import { middleAndTail, percent, table } from "./statistics.ts";

const quick = process.argv.includes("--quick");
const sizes = quick ? { healthy: 10, rounds: 300, changed: 20 } : { healthy: 200, rounds: 1_000, changed: 200 };
const seeds = { healthy: 80_000_000, changed: 81_000_000 };

const perRound = 8;
const learning = 50;
const before = 20;
const longest = 100;

type Watch = CanaryWatch<{ position: number }>;

/** How one question is answered: the share of answers that are not the usual one, and its first token's probability. */
interface Manner {
  other: number;
  sure: number;
}

type Model = readonly Manner[];

const eight = (manner: (place: number) => Manner): Model => Array.from({ length: 8 }, (_, place) => manner(place));

const steady = (other: number): Model => eight(() => ({ other, sure: 0.9 }));

/** Unsteady answers are spread over a few others, and probabilities over two points, as rounding spreads them. */
const askAll = (watch: Watch, model: Model, border: boolean, times: number, random: Random): void => {
  for (let time = 0; time < times; time += 1) {
    for (const [place, { other, sure }] of model.entries()) {
      const answer = random() < other ? `other ${Math.floor(random() * (border ? 1 : 3))}` : "usual";
      const probability = sure + 0.02 * (random() - 0.5);
      const isBorder = border && place >= 4;
      foldCanary(watch, { item: `${place}`, isBorder, answer, probability, version: "v" }, { position: 1 }, 0);
    }
  }
};

const seenIn = (watch: Watch): number => viewCanary(watch, 0)?.seen ?? 0;

interface Calm {
  name: string;
  /** Share of unsteady answers when every question has been asked so many times. */
  other(times: number): number;
}

const calms: Calm[] = [
  ...[0, 0.02, 0.05, 0.1, 0.2].map((other) => ({ name: `${percent(other)} %`, other: () => other })),
  {
    name: "2 and 18 %, in turns within each round",
    other: (times) => (times % perRound < perRound / 2 ? 0.02 : 0.18),
  },
  {
    name: "2 and 18 %, ten rounds each in turns",
    other: (times) => (times % (20 * perRound) < 10 * perRound ? 0.02 : 0.18),
  },
];

const falseOnes = ({ other }: Calm, seed: number): number[] =>
  Array.from({ length: sizes.healthy }, (_, run) => {
    const random = seededRandom(seed + run);
    const watch: Watch = createCanary();
    let [rounds, known, at] = [0, 0, 0];
    // Rounds while the reference is learned anew after a false one are none that could be false.
    for (let guard = 0; rounds < sizes.rounds && guard < 4 * sizes.rounds; guard += 1) {
      for (let part = 0; part < perRound; part += 1) {
        askAll(watch, steady(other(guard * perRound + part)), false, 1, random);
      }
      const now = viewCanary(watch, 0)?.rounds ?? 0;
      const seen = seenIn(watch);
      rounds += seen > known || now > at ? 1 : 0;
      [known, at] = [seen, seen > known ? 0 : now];
    }
    return known;
  });

interface Change {
  name: string;
  border?: boolean;
  healthy: Model;
  changed: Model;
}

/** Rounds until a change is seen, `longest` + 1 where none is. */
const delays = ({ border = false, healthy, changed }: Change, seed: number): number[] => {
  const found: number[] = [];
  for (let run = 0; found.length < sizes.changed; run += 1) {
    const random = seededRandom(seed + run);
    const watch: Watch = createCanary();
    askAll(watch, healthy, border, learning + before * perRound, random);
    // A false one before the change is drawn again.
    if (seenIn(watch) > 0) continue;
    let rounds = 0;
    while (seenIn(watch) === 0 && rounds <= longest) {
      askAll(watch, changed, border, perRound, random);
      rounds += 1;
    }
    found.push(rounds);
  }
  return found;
};

const first = (count: number, changed: Partial<Manner>, other: number): Model =>
  eight((place) => ({ other, sure: 0.9, ...(place < count ? changed : {}) }));

const coins = (share: number): Model => eight((place) => ({ other: place < 4 ? 0 : share, sure: 0.9 }));

const changes: Change[] = [
  ...[0, 0.02, 0.05, 0.1, 0.2].map((other) => ({
    name: `1 of 8 has another answer; ${percent(other)} % unsteady`,
    healthy: steady(other),
    changed: first(1, { other: 1 }, other),
  })),
  ...[0, 0.05, 0.2].map((other) => ({
    name: `1 of 8 has another answer half of the time; ${percent(other)} % unsteady`,
    healthy: steady(other),
    changed: first(1, { other: 0.5 }, other),
  })),
  ...[0, 0.05, 0.2].map((other) => ({
    name: `4 of 8 have another answer; ${percent(other)} % unsteady`,
    healthy: steady(other),
    changed: first(4, { other: 1 }, other),
  })),
  {
    name: "4 coin flips (of 4 exact and 4 border questions) go from 50 to 80 %",
    border: true,
    healthy: coins(0.5),
    changed: coins(0.8),
  },
  {
    name: "same answers, the first token's probability of 1 of 8 goes from 0.90 to 0.85",
    healthy: steady(0),
    changed: first(1, { sure: 0.85 }, 0),
  },
];

const begun = performance.now();
const healthyTable = table(
  ["unsteady answers", "rounds", "false ones", "in 1,000 rounds", "promised, at most"],
  calms.map((calm, row) => {
    const counts = falseOnes(calm, seeds.healthy + 10_000 * row);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const rounds = sizes.healthy * sizes.rounds;
    return [
      calm.name,
      rounds.toLocaleString("en-GB"),
      String(total),
      ((1_000 * total) / rounds).toFixed(2),
      (1_000 / canaryThreshold).toFixed(0),
    ];
  }),
);
const delayTable = table(
  ["change", "rounds, median/95 %", "canary calls, median", `seen within ${longest} rounds, %`],
  changes.map((change, row) => {
    const rounds = delays(change, seeds.changed + 10_000 * row);
    const seen = rounds.filter((n) => n <= longest).length / rounds.length;
    const middle = rounds.toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? longest + 1;
    const text = middleAndTail(rounds).replaceAll(String(longest + 1), `${longest}+`);
    return [change.name, text, middle > longest ? "-" : String(middle * perRound * 8), percent(seen)];
  }),
);
const seconds = (performance.now() - begun) / 1000;

const cpu = cpus();
const report = `# Canary: false changes, delays

${new Date().toISOString().slice(0, 10)}, ${cpu.length} x ${cpu[0]?.model.trim() ?? "unknown CPU"}, Node ${process.versions.node}.
Command: \`npx node bench/detector/canary.ts${quick ? " --quick" : ""}\` (${seconds.toFixed(0)} s on one core, the machine shared with other work).
Random numbers: mulberry32, seeds ${seeds.healthy} and ${seeds.changed} + 10,000 x row + run.

Eight questions, ${perRound} answers each in a round. "Unsteady": so many answers of every question are another one than usual, before and after, by independent draws. Real upstreams are unsteady with their load,
which is not independent: the last two rows show what that does. Threshold ${canaryThreshold.toLocaleString("en-GB")} rounds. Each run learns its own reference.

## Nothing changes

${sizes.healthy} runs of ${sizes.rounds.toLocaleString("en-GB")} rounds; after a false one the reference is learned anew. Load that swings
within a round does no harm (at 6 probes an hour, of which a fifth are canaries, a round takes two days); load that swings slower than rounds and the reference are looks like another model.

${healthyTable}

## Another model

${sizes.changed} runs in each row; the change comes ${before} rounds after the reference is whole. What comes after a change joins the reference, so a change that is not seen soon may never be.

${delayTable}
`;

if (quick) {
  console.log(report);
} else {
  const results = new URL("../results/", import.meta.url);
  await mkdir(results, { recursive: true });
  await writeFile(new URL("canary.md", results), report);
  console.log(`wrote bench/results/canary.md in ${seconds.toFixed(0)} s`);
}
