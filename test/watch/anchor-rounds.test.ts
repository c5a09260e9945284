/** Frozen answers among judged ones, through the real log and the real fold: a judge that moves is told from a model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { loadAnchors } from "../../src/classify/anchors.ts";
import type { JudgedText, Judgement } from "../../src/classify/classifier.ts";
import { configFrom } from "../../src/config/load.ts";
import { openSqliteStore } from "../../src/evidence/sqlite-store.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createLog } from "../../src/kernel/log.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { createAnchorRounds } from "../../src/watch/anchor-rounds.ts";
import { createLedger } from "../../src/watch/ledger.ts";
import { observationOf } from "./rows.ts";

const set = await loadAnchors("builtin");
const known = new Map([...set.harmful, ...set.harmless].map(({ answer, harmful }) => [answer, harmful]));

const endings: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A judge that is wrong about these shares of harmless and harmful answers. */
const judgeWith = (random: Random) => {
  const errors = { falseAlarms: 0.01, misses: 0.05 };
  const isWrong = (harmful: boolean): boolean => random() < (harmful ? errors.misses : errors.falseAlarms);
  return { errors, calls: (harmful: boolean): boolean => harmful !== isWrong(harmful) };
};

const watch = (share = 0.3) => {
  const folder = mkdtempSync(join(tmpdir(), "candor-anchors-"));
  endings.push(() => rmSync(folder, { recursive: true }));
  const log = createLog("silent");
  const random = seededRandom(5);
  const [subject] = configFrom(
    { upstreams: [{ id: "u", baseUrl: "http://127.0.0.1:9/v1" }], subjects: [{ id: "bot", models: ["m"] }] },
    "the test",
  ).subjects;
  if (subject === undefined) throw new Error("there is one");
  const store = openSqliteStore({
    path: join(folder, "evidence.db"),
    replica: "r",
    maxPendingRows: 1e6,
    clock: systemClock,
    log,
  });
  endings.push(store.close);
  const ledger = createLedger({
    store,
    clock: systemClock,
    subjects: [{ id: "bot", detector: subject.detector, versions: {} }],
    onListenerError(error) {
      throw error;
    },
  });
  const judge = judgeWith(random);
  const asked: JudgedText[] = [];
  const counted = { agreed: 0, disagreed: 0, error: 0 };
  const rounds = createAnchorRounds({
    set,
    async judge(text): Promise<Judgement> {
      asked.push(text);
      const harmful = judge.calls(known.get(text.response) ?? false);
      return { kind: "judged", score: harmful ? 0.9 : 0.1, harmful, refused: null, categories: [], source: "judge" };
    },
    threshold: null,
    subjects: ["bot"],
    record: ledger.record,
    share,
    learningShare: share,
    isLearned: () => ledger.verdict("bot").judge.guard !== "unwatched",
    meter: {
      anchored(outcome) {
        counted[outcome] += 1;
      },
    },
    random,
  });
  ledger.subscribe(({ body }) => {
    if (body.kind === "observation") rounds.observed(body);
  });
  /** So many live answers of which this share is harmful in truth, as the judge sees them. */
  const live = async (count: number, harm: number): Promise<void> => {
    for (let answer = 0; answer < count; answer += 1) {
      const harmful = judge.calls(random() < harm);
      ledger.record("bot", observationOf({ arm: "live", stratum: "live", harmful, value: harmful ? 0.9 : 0.1 }));
      await rounds.settled();
    }
  };
  return { ledger, judge, live, asked, counted, verdict: () => ledger.verdict("bot") };
};

describe("an alarm for harm", { timeout: 30_000 }, () => {
  test("that a judge raises by getting stricter is told as that, and names no persona", async () => {
    const { judge, live, verdict } = watch();
    await live(1_500, 0);
    expect(verdict().judge.guard).toBe("steady");
    expect(verdict().severity).toBe("none");
    judge.errors.falseAlarms = 0.15;
    const severities = new Set<string>();
    for (let step = 0; step < 60; step += 1) {
      await live(10, 0);
      severities.add(verdict().severity);
    }
    // Not for a moment, also before the anchors had told.
    expect(severities).not.toContain("action");
    expect(verdict().judge.guard).toBe("moved");
    expect(verdict().persona).toBe("undetermined");
    expect(verdict().reasons.join(" ")).toContain("The judge moved, not (only) the model");
  });

  test("that the model raises stands, as the judge is as it was", async () => {
    const { live, verdict } = watch();
    await live(1_500, 0);
    await live(1_200, 0.15);
    expect(["page", "action"]).toContain(verdict().severity);
    expect(verdict().judge.guard).toBe("steady");
    expect(verdict().reasons.join(" ")).not.toContain("The judge moved");
  });
});

test("so many are judged for so many answers, most of them harmless ones, each before any of its kind comes again", async () => {
  const { live, asked, counted } = watch(0.25);
  await live(144, 0);
  expect(asked).toHaveLength(36);
  expect(new Set(asked.map(({ response }) => response)).size).toBe(36);
  expect(asked.every(({ anew }) => anew === true)).toBe(true);
  const kinds = asked.map(({ response }) => known.get(response));
  expect(kinds.slice(0, 4)).toEqual([false, false, true, false]);
  expect(counted.agreed + counted.disagreed).toBe(36);
});

test("a judge that fails is entered as that, and one that is busy is not waited for", async () => {
  const recorded: unknown[] = [];
  const answers: (Promise<Judgement> | "dropped")[] = [
    Promise.resolve({ kind: "error", reason: "timeout", detail: "", source: "judge" }),
    "dropped",
  ];
  const outcomes: string[] = [];
  const rounds = createAnchorRounds({
    set,
    judge: () => answers.shift() ?? "dropped",
    threshold: 0.5,
    subjects: ["one", "two"],
    record: (subject, { harmful, score, item }) => void recorded.push([subject, harmful, score, item.split("@")[1]]),
    share: 1,
    learningShare: 1,
    isLearned: () => true,
    meter: { anchored: (outcome) => void outcomes.push(outcome) },
    random: seededRandom(1),
  });
  rounds.observed(observationOf({ harmful: false, value: 0 }));
  await rounds.settled();
  rounds.observed(observationOf({ harmful: false, value: 0 }));
  await rounds.settled();
  rounds.observed(observationOf({ experiment: "two-descriptions" }));
  await rounds.settled();
  expect(recorded).toEqual([
    ["one", null, null, set.version],
    ["two", null, null, set.version],
  ]);
  expect(outcomes).toEqual(["error", "error"]);
});
