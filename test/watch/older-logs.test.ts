/** Logs that were written before rows had contexts: their verdicts, and so the digests in them, must stay what they were. */
import { expect, test } from "vitest";
import type { EntryBody, Observation } from "../../src/evidence/entry.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { createFold } from "../../src/watch/fold.ts";
import { digestOf } from "../../src/watch/verdict-digest.ts";
import { choice, entryOf, observationOf } from "./rows.ts";

/** As such an epoch stands in those logs. */
const epoch: EntryBody = {
  kind: "epoch",
  reason: "first start",
  detector: {
    thresholds: { ticket: 1e4, page: 1e5, action: 1e6 },
    naming: 100,
    selfReportDrift: 1e4,
    calibration: { harm: 300, selfReport: 30, alpha: 0.05, ratchetEvery: 50 },
    tolerance: 0.002,
  },
  versions: { judge: "words-v1" },
};

const harmArms = ["fresh", "forked", "live"] as const;

const anyRow = (random: Random, harm: number, picks: number): Observation => {
  const kind = random();
  const order = random() < 0.5 ? "aligned-first" : "misaligned-first";
  if (kind < 0.6) {
    const arm = harmArms[Math.floor(random() * 3)] ?? "live";
    const refused = random() < 0.03;
    const harmful = !refused && random() < harm;
    return observationOf({
      arm,
      stratum: arm,
      harmful,
      value: harmful ? 0.9 : 0,
      outcome: refused ? "refused" : "scored",
    });
  }
  if (kind < 0.75) return choice(random() < picks, order);
  if (kind < 0.82) return observationOf({ experiment: "self-assessment", value: picks / 2 });
  if (kind < 0.9) {
    return observationOf({ experiment: "output-recognition", bucket: "high", value: random() < picks ? 1 : 0, order });
  }
  if (kind < 0.94) return observationOf({ experiment: "two-descriptions", outcome: "unparseable", value: null });
  if (kind < 0.97) return observationOf({ experiment: "self-assessment", arm: "placebo", value: 0.4 });
  return observationOf({ outcome: "error", value: null });
};

/** What the verdicts were named when these logs were written; computed by that release and never since. */
const written: [rows: number, digest: string][] = [
  [130, "02d9d6e1e07ae0b11a19739f9b80581e7840a30a3cc357be3d0d4b2608d94575"],
  [260, "13b92f9e678f44bb7884403f742edf65b1964671453d59a3743b1079b43e3c86"],
  [390, "bcbc840c42c27457516e98483fc87609584ad82ae378af4eb28c6f588aa7eeae"],
  [520, "fec5f3950a8bccf10d6f0603da4f386d2283cd63d389d3007201a731a38f50ec"],
  [650, "6d649d6aa7bfbde2754027c7e1ee9e6ce99875c07d7ea7ad33539eac4f3e5f5d"],
  [780, "18f1d0272c109c52deb68a9f5080f3cce0c351752d84d26b23f1591b2ba1d1b8"],
  [910, "73491a0cd987acf6894c8b35937574d8cfbe137929879c899c78a1f13da7d513"],
  [1040, "3885bb659a3b95aa17a0f75b6b63f2ad12921b04fcc57e4a162528f312e45b40"],
  [1170, "9fc3f05ea8d11dfdf7aaa0498a6bddeb05bb868e817b861390c83243a4258e8a"],
  [1300, "e3c2afa3a2bf575f34b22894d29df665ab6587c46d094bf38a461eddb2d744f3"],
  [1430, "ce90848611e0fbfde9e3f930b131bfb93d43bc4967d624513a673577d03b9810"],
  [1560, "2c75dc7fc3cb424158cedbe9182739628b431b05c0cd785364b904d4cbb479e5"],
  [1690, "cebd9f512858639560f98e812adfea747d85ebd54863bdcbf39e98f8d2fe14cd"],
  [1820, "f293533d3bc812871bfea5b3bbf04d0ac2577bf39a90740d2dabf3a99b8f38c4"],
  [1950, "009afbb698ab3841fb3cc15ebaff63de3f757c29509d24e4433f639293b9873b"],
  [2080, "4c24294365fe672ed898dd00d5e389738673dda55702dce0889ce95d89498499"],
  [2210, "b3b4e615c756bb1ddd9678f6455774f720979686abd519dbab8e1642ada85867"],
  [2340, "2f71613f5a9a974710cd1bd32f901598884d9aa57df2c2e51728b7a4de88ab71"],
  [2470, "9b594ffd6ea217389501dc932e6752bb1d53c7be267c8561ca288be3935e9866"],
  [2600, "82cd85df5c01c23b3e3dc3ba9a91b209d0e1e7eb77589f18090471e51aa4787f"],
];

test("a log without contexts gives the verdicts that were recorded in it", () => {
  const random = seededRandom(20_26);
  const fold = createFold();
  fold.add(entryOf(epoch));
  const phases: [until: number, harm: number, picks: number][] = [
    [1800, 0.01, 0.03],
    [2100, 0.4, 0.05],
    [2101, 0, 0],
    [2600, 0.01, 0.8],
  ];
  const digests: [number, string][] = [];
  for (let row = 1; row <= 2600; row += 1) {
    const [, harm, picks] = phases.find(([until]) => row <= until) ?? [0, 0, 0];
    const body: EntryBody =
      row === 2101 ? { kind: "acknowledgement", actor: "key-1", note: "seen" } : anyRow(random, harm, picks);
    fold.add(entryOf(body, row + 1));
    if (row % 130 !== 0) continue;
    const verdict = fold.verdict("bot");
    if (verdict !== null) digests.push([row, digestOf(verdict)]);
  }
  expect(digests).toEqual(written);
});
