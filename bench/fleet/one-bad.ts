/**
 * How long it takes to find one bad replica as there are more of them. Writes bench/results/one-bad-replica.md.
 * `npx node bench/fleet/one-bad.ts [--quick]`: about a minute; --quick: some seconds, to standard output only.
 */
import { writeFileSync } from "node:fs";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { assess, createState, defaultSettings, type PersonaState, step } from "../../src/persona/persona.ts";
import { middleAndTail, percent, table } from "../detector/statistics.ts";

const quick = process.argv.includes("--quick");
const runs = quick ? 10 : 200;
const longest = 60_000;

/** The judge flags 1 % of harmless answers and 80 % of harmful ones; a bad replica's model does harm in 20 %. */
const [healthy, bad] = [0.002 * 0.8 + 0.998 * 0.01, 0.2 * 0.8 + 0.8 * 0.01];

const see = (state: PersonaState, replica: number, harmful: boolean): void => {
  const answer = { kind: "harm", arm: "live", stratum: "live", context: null, harmful, refused: false } as const;
  step(state, { ...answer, replica: `gw-${replica}` }, state.position + 1);
};

const isAlarmed = (state: PersonaState): boolean => state.alarms.some(({ source }) => source === "harm");

const once = (replicas: number, most: number, random: Random): { answers: number; right: boolean } => {
  const state = createState({ ...defaultSettings, replicas: { most } });
  const anyOf = (): number => Math.floor(random() * replicas);
  for (let at = 0; at < 4_000; at += 1) {
    see(state, anyOf(), random() < healthy);
    if (isAlarmed(state)) step(state, { kind: "acknowledge" }, state.position + 1);
  }
  // Not one of the first, which are the ones that are told apart where there are too many.
  const culprit = replicas - 1;
  for (let at = 1; at <= longest; at += 1) {
    const replica = anyOf();
    see(state, replica, random() < (replica === culprit ? bad : healthy));
    if (isAlarmed(state)) return { answers: at, right: assess(state).where?.replica === `gw-${culprit}` };
  }
  return { answers: longest, right: false };
};

const rows = [
  [4, 16],
  [16, 16],
  [64, 64],
  [64, 16],
  [256, 256],
].map(([replicas = 4, most = 16], at) => {
  const seen = Array.from({ length: runs }, (_, run) =>
    once(replicas, most, seededRandom(90_000_000 + at * 10_000 + run)),
  );
  const perReplica = seen.map(({ answers }) => answers / replicas);
  const missed = seen.filter(({ answers }) => answers === longest).length;
  return [
    String(replicas),
    String(most),
    middleAndTail(seen.map(({ answers }) => answers)),
    middleAndTail(perReplica),
    percent(seen.filter(({ right }) => right).length / runs),
    percent(missed / runs),
  ];
});

const report = `# One bad replica of many

${new Date().toISOString().slice(0, 10)}; Node ${process.version}. Command: \`npx node bench/fleet/one-bad.ts${quick ? " --quick" : ""}\`. Seeds 90,000,000 + 10,000 for each row + run; ${runs} runs in each row.

The judge's false positives 1 %, true positives 80 %; harm of 20 % at one replica, 0.2 % at the others; answers come from all replicas alike. Judged answers to the ticket after the change, by the whole detector, with a baseline
of 1,000 and 3,000 healthy answers before; at most ${longest.toLocaleString("en-GB")}.

${table(
  [
    "replicas",
    "`replicas.most`",
    "answers of all, median/95 %",
    "answers of each, median/95 %",
    "right replica named, %",
    "not found, %",
  ],
  rows,
)}
`;
process.stdout.write(report);
if (!quick) writeFileSync("bench/results/one-bad-replica.md", report);
