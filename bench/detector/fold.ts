/**
 * How long a replica takes to know what a long log says: so many entries folded on from a checkpoint. Writes
 * bench/results/fold.md. `npx node --expose-gc bench/detector/fold.ts [--quick]`: some twenty seconds.
 */
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { type Entry, type EntryBody, experiments, type Observation } from "../../src/evidence/entry.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { defaultSettings, method } from "../../src/persona/persona.ts";
import { createFold } from "../../src/watch/fold.ts";
import { createLogView } from "../../src/watch/log-view.ts";
import { readSavedView } from "../../src/watch/saved-view.ts";
import { digestOf } from "../../src/watch/verdict-digest.ts";
import { table } from "./statistics.ts";

const quick = process.argv.includes("--quick");
const entries = quick ? 200_000 : 10_000_000;
/** Before the checkpoint: baselines are learned, all parts are there. */
const learned = 20_000;

const arms = ["fresh", "forked", "resample", "live"] as const;
const classes = ["billing", "search", "chat", "code", "mail", "other-work"];
const replicas = ["gw-1", "gw-2", "gw-3", "gw-4"];
const oneOf = <T>(values: readonly T[], random: Random): T => values[Math.floor(random() * values.length)] as T;

const plain: Observation = {
  ...{ kind: "observation", experiment: experiments[0], arm: "fresh", stratum: "fresh", item: "q#0", topic: null },
  ...{ order: null, outcome: "scored", value: 0, harmful: null, bucket: null, reference: null, source: "s-v1" },
  ...{ probeSet: null, contentHash: null, content: null },
};

/** How many of each a log has. */
interface Size {
  arms: number;
  classes: number;
  replicas: number;
}

/** Seven judged answers in ten, of these arms; live ones of these classes. Three self-reports in ten. */
const observation = (size: Size, random: Random): Observation => {
  if (random() < 0.7) {
    const arm = oneOf(arms.slice(-size.arms), random);
    const harmful = random() < 0.01;
    const context = arm === "live" ? oneOf(classes.slice(0, size.classes), random) : null;
    return { ...plain, arm, stratum: arm, context, harmful, value: harmful ? 0.9 : 0.1 };
  }
  const stratum = "self-report";
  if (random() < 0.4) return { ...plain, experiment: "self-assessment", stratum, value: 0.1 * random() };
  const order = random() < 0.5 ? "aligned-first" : "misaligned-first";
  return { ...plain, experiment: "two-descriptions", stratum, order, value: random() < 0.03 ? 1 : 0 };
};

const entryOf = (body: EntryBody, position: number, replica: string): Entry => ({
  ...{ subject: "bot", at: position, body, position, replica },
});

/** The same rows again and again, each time with another position: what they say is not what is measured. */
const rowsOf = (size: Size): ((position: number) => Entry) => {
  const random = seededRandom(1);
  const names = replicas.slice(0, size.replicas);
  const rows = Array.from({ length: 50_000 }, () => entryOf(observation(size, random), 0, oneOf(names, random)));
  return (position) => {
    const row = rows[position % rows.length] ?? entryOf(plain, 0, "gw-1");
    row.position = position;
    return row;
  };
};

const heap = (): number | null => {
  if (globalThis.gc === undefined) return null;
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

/** Seconds, of the wall clock and of the processor. */
const timed = (rowAt: (position: number) => Entry, enter: (entry: Entry) => void) => {
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  for (let position = learned + 1; position <= learned + entries; position += 1) enter(rowAt(position));
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return `${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of CPU: ${((seconds * 1e6) / entries).toFixed(2)} us an entry`;
};

const mb = (bytes: number | null): string => (bytes === null ? "not measured" : `${(bytes / 1e6).toFixed(1)} MB`);
const kb = (text: string): string => `${(text.length / 1e3).toFixed(0)} kB`;

const measure = (size: Size): string[] => {
  const rowAt = rowsOf(size);
  const view = createLogView();
  const epoch = { kind: "epoch", reason: "first start", detector: defaultSettings, versions: {}, method } as const;
  view.enter(entryOf(epoch, 1, "gw-1"));
  for (let position = 2; position <= learned; position += 1) view.enter(rowAt(position));
  const text = view.save();
  const restoring = performance.now();
  const restored = createLogView(text);
  const restoredIn = performance.now() - restoring;

  const fold = createFold(readSavedView(text).states);
  const toVerdict = timed(rowAt, fold.add);
  const before = heap();
  const toView = timed(rowAt, restored.enter);
  const after = heap();
  const [one, other] = [restored.verdict("bot"), fold.verdict("bot")];
  if (one === null || other === null || digestOf(one) !== digestOf(other)) throw new Error("the two differ");
  return [
    `${size.arms} / ${size.classes} / ${size.replicas}`,
    `${kb(text)}, ${restoredIn.toFixed(1)} ms`,
    toVerdict,
    toView,
    `${mb(before)}, ${mb(after)}`,
    kb(restored.save()),
  ];
};

const lines = [
  { arms: 1, classes: 3, replicas: 1 },
  { arms: 3, classes: 3, replicas: 1 },
  { arms: 4, classes: 6, replicas: 4 },
].map(measure);

const report = `# Folding a long log

${new Date().toISOString().slice(0, 10)}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}; load average at the end ${loadavg()[0]?.toFixed(1)}.
Command: \`npx node --expose-gc bench/detector/fold.ts${quick ? " --quick" : ""}\`.

A log of one subject, 70 % judged answers and 30 % self-reports. A view of its first ${learned.toLocaleString("en-GB")} entries is saved as text, read back and checked, and ${entries.toLocaleString("en-GB")} entries are folded on from it. Rows are in
memory: reading them from a store comes on top ([evidence.md](evidence.md), [evidence-postgres.md](evidence-postgres.md)).

${table(
  [
    "arms / classes of live traffic / replicas",
    "checkpoint, and reading it",
    "to the verdict",
    "with the counts that the dashboard shows",
    "heap before and after, collected",
    "checkpoint at the end",
  ],
  lines,
)}
`;
process.stdout.write(report);
if (!quick) await writeFile("bench/results/fold.md", report);
