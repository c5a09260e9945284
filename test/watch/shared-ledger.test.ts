import { describe, expect, test } from "vitest";
import { UnreachableLogError } from "../../src/evidence/store.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { defaultSettings } from "../../src/persona/persona.ts";
import type { DetectorSettings } from "../../src/persona/verdict.ts";
import type { DeclaredSubject } from "../../src/watch/declared-subject.ts";
import { replay } from "../../src/watch/replay.ts";
import { createSharedLedger, type SharedLedger } from "../../src/watch/shared-ledger.ts";
import { digestOf } from "../../src/watch/verdict-digest.ts";
import { createHandClock } from "../probe/hand-clock.ts";
import { choice, decisionOf, judged } from "./rows.ts";
import { scriptedLog } from "./scripted-log.ts";

const detector: DetectorSettings = {
  ...defaultSettings,
  calibration: { harm: 300, selfReport: 30, alpha: 0.05, ratchetEvery: 50 },
};
const bot: DeclaredSubject = { id: "bot", detector, versions: { judge: "words-v1" } };

const fleet = () => {
  const log = scriptedLog();
  const clock = createHandClock();
  const errors: unknown[] = [];
  const ledgers = new Map<string, SharedLedger>();
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 4; round += 1) {
      await log.settle();
      await clock.advance(500);
    }
    await log.settle();
  };
  return {
    log,
    clock,
    errors,
    settle,
    cut: log.cut,
    start(replica: string, subjects: readonly DeclaredSubject[] = [bot], told: string[] = []): SharedLedger {
      const ledger = createSharedLedger({
        store: log.open(replica),
        clock,
        subjects,
        onVerdict: (_, { persona, severity }) => told.push(`${persona} ${severity}`),
        onListenerError: (error) => errors.push(error),
        onError: (error) => errors.push(error),
      });
      ledgers.set(replica, ledger);
      return ledger;
    },
  };
};

const live = (ledger: SharedLedger, random: Random, rows: number, harmRate: number): void => {
  for (let row = 0; row < rows; row += 1) {
    if (random() < 0.7) ledger.record("bot", judged(random() < harmRate));
    else ledger.record("bot", choice(random() < 0.03, random() < 0.5 ? "aligned-first" : "misaligned-first"));
  }
};

const digests = (...ledgers: SharedLedger[]): string[] => [
  ...new Set(ledgers.map((ledger) => digestOf(ledger.verdict("bot")))),
];

describe("replicas that share a log", () => {
  test("say the same, of what all of them saw, and begin one epoch", async () => {
    const { log, start, settle, errors } = fleet();
    const [a, b, c] = [start("a"), start("b"), start("c")];
    await settle();
    expect(log.kinds("epoch")).toHaveLength(1);
    const random = seededRandom(1);
    for (let round = 0; round < 30; round += 1) {
      for (const ledger of [a, b, c]) live(ledger, random, 10, 0.01);
      await settle();
      expect(digests(a, b, c)).toHaveLength(1);
    }
    expect(a.verdict("bot")).toMatchObject({ phase: "monitoring", severity: "none" });
    expect([a, b, c].map((ledger) => ledger.scope())).toEqual(["fleet", "fleet", "fleet"]);
    expect(errors).toEqual([]);
  });

  test("record verdicts that the log alone gives again, and name the subject together", async () => {
    const told: string[] = [];
    const { log, start, settle } = fleet();
    const [a, b] = [start("a"), start("b", [bot], told)];
    await settle();
    const random = seededRandom(2);
    for (let round = 0; round < 50; round += 1) {
      for (const ledger of [a, b]) live(ledger, random, 9, 0.01);
      await settle();
    }
    for (let round = 0; round < 20; round += 1) {
      for (const ledger of [a, b]) live(ledger, random, 9, 0.4);
      await settle();
    }
    expect(a.verdict("bot")).toMatchObject({ persona: "inverted", severity: "action" });
    expect(told).toContain("inverted action");
    const { checked, mismatches } = await replay(() => log.entries);
    expect(mismatches).toEqual([]);
    expect(checked).toBeGreaterThan(4);
    // Who entered what changed a verdict records it, not each of them.
    const after = log.kinds("verdict").map(({ body }) => (body.kind === "verdict" ? body.after : null));
    expect(new Set(after).size).toBe(checked);
    expect(checked).toBeLessThan(30);
  });

  test("tell their listeners of each other's entries, each once and of their own as such", async () => {
    const { start, settle } = fleet();
    const [a, b] = [start("a"), start("b")];
    await settle();
    const heard: string[] = [];
    a.subscribe(({ replica, body }, { own }) => heard.push(`${replica} ${body.kind} ${own}`));
    a.record("bot", judged(false));
    b.record("bot", judged(false));
    await settle();
    await settle();
    expect(heard).toEqual(["a observation true", "b observation false"]);
  });

  test("hear of a pause and of an acknowledgement at another replica", async () => {
    const { start, settle } = fleet();
    const [a, b] = [start("a"), start("b")];
    await settle();
    const paused = a.operation("bot", "key-1", "pause-probes", "");
    await settle();
    expect((await paused).position).toBeGreaterThan(1);
    expect(b.probesPaused("bot")).toBe(true);
  });
});

describe("a replica that is cut off", () => {
  test("goes on by itself, says so, and joins again with nothing lost or twice", async () => {
    const { log, start, settle, cut } = fleet();
    const [a, b] = [start("a"), start("b")];
    await settle();
    const random = seededRandom(3);
    live(a, random, 600, 0.01);
    await settle();
    cut("a", true);
    live(a, random, 300, 0.5);
    live(b, random, 100, 0.01);
    await settle();
    expect(a.scope()).toBe("local");
    expect(a.verdict("bot").severity).toBe("action");
    expect(b.scope()).toBe("fleet");
    expect(b.verdict("bot").severity).toBe("none");
    cut("a", false);
    await settle();
    await settle();
    expect(a.scope()).toBe("fleet");
    expect(digests(a, b)).toHaveLength(1);
    expect(b.verdict("bot").severity).toBe("action");
    expect(log.kinds("observation")).toHaveLength(1_000);
    expect((await replay(() => log.entries)).mismatches).toEqual([]);
  });

  test("counts what it saw just before it was cut off", async () => {
    const { start, settle, cut } = fleet();
    const a = start("a");
    await settle();
    a.record("bot", judged(false));
    cut("a", true);
    await settle();
    a.record("bot", judged(false));
    expect(a.experiments("bot").arms[0]?.scored).toBe(2);
  });

  test("refuses what others must learn of, and takes it once they can", async () => {
    const { log, start, settle, cut } = fleet();
    const a = start("a");
    await settle();
    cut("a", true);
    await expect(async () => a.acknowledge("bot", "key-1", "seen")).rejects.toThrow(UnreachableLogError);
    cut("a", false);
    const done = a.acknowledge("bot", "key-1", "seen");
    await settle();
    expect(await done).toMatchObject({ body: { kind: "acknowledgement" } });
    expect(log.kinds("acknowledgement")).toHaveLength(1);
  });

  test("keeps decisions for the log without a verdict of its own resting on them", async () => {
    const { log, start, settle, cut } = fleet();
    const a = start("a");
    await settle();
    cut("a", true);
    const heard: string[] = [];
    a.subscribe(({ subject, body }) => heard.push(`${subject} ${body.kind}`));
    a.decided("bot", decisionOf("one"));
    a.decided(null, decisionOf("one"));
    cut("a", false);
    await settle();
    expect(heard).toEqual(["bot decision", " decision"]);
    expect(log.kinds("decision").map(({ subject }) => subject)).toEqual(["bot", ""]);
    expect(a.scope()).toBe("fleet");
  });
});

describe("a replica that starts", () => {
  test("while the log can't be reached learns by itself, and joins without a second epoch", async () => {
    const { log, clock, start, settle, cut } = fleet();
    const a = start("a");
    await settle();
    live(a, seededRandom(5), 500, 0.01);
    await settle();
    cut("b", true);
    const b = start("b");
    await settle();
    expect(b.scope()).toBe("local");
    expect(b.verdict("bot")).toMatchObject({ persona: "undetermined", phase: "calibrating" });
    b.record("bot", judged(false));
    expect(b.experiments("bot").arms[0]?.scored).toBe(1);
    await clock.advance(10_000);
    cut("b", false);
    await settle();
    await settle();
    expect(b.scope()).toBe("fleet");
    expect(digests(a, b)).toHaveLength(1);
    expect(log.kinds("epoch")).toHaveLength(1);
    expect(log.kinds("observation")).toHaveLength(501);
  });

  test("with other settings begins an epoch for all", async () => {
    const { log, start, settle } = fleet();
    const a = start("a");
    await settle();
    const b = start("b", [{ ...bot, versions: { judge: "words-v2" } }]);
    await settle();
    expect(log.kinds("epoch").map(({ body }) => body.kind === "epoch" && body.reason)).toEqual([
      "first start",
      'declared settings changed: versions.judge "words-v1" -> "words-v2"',
    ]);
    expect(digests(a, b)).toHaveLength(1);
  });

  test("says when it has joined, and when it could not", async () => {
    const { clock, start, settle, cut } = fleet();
    const a = start("a");
    const joined = a.joined(5_000).then(() => a.scope());
    await settle();
    expect(await joined).toBe("fleet");
    cut("b", true);
    const b = start("b");
    const waited = b.joined(5_000).then(() => b.scope());
    await clock.advance(5_000);
    expect(await waited).toBe("local");
  });

  test("from a checkpoint says the same as those that read the whole log", async () => {
    const { log, start, settle } = fleet();
    const a = start("a");
    await settle();
    const random = seededRandom(6);
    for (let round = 0; round < 25; round += 1) {
      live(a, random, 1_000, 0.01);
      await settle();
    }
    const { position } = log.checkpoint() ?? { position: 0 };
    expect(position).toBe(20_000);
    // What the checkpoint covers is gone.
    for (const [at, entry] of log.entries.entries()) {
      if (entry.position < position && entry.body.kind !== "epoch") {
        log.entries[at] = { ...entry, body: { kind: "operation", actor: "", act: "resume-probes", note: "" } };
      }
    }
    const b = start("b");
    await settle();
    expect(digests(a, b)).toHaveLength(1);
    expect(b.experiments("bot")).toEqual(a.experiments("bot"));
  });
});
