import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Entry } from "../../src/evidence/entry.ts";
import { openSqliteStore } from "../../src/evidence/sqlite-store.ts";
import type { SoleStore } from "../../src/evidence/store.ts";
import { canonicalJson } from "../../src/kernel/canonical-json.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { defaultSettings, method } from "../../src/persona/persona.ts";
import type { DetectorSettings, Verdict } from "../../src/persona/verdict.ts";
import type { DeclaredSubject } from "../../src/watch/declared-subject.ts";
import { createLedger, type Ledger } from "../../src/watch/ledger.ts";
import { replay } from "../../src/watch/replay.ts";
import { digestOf } from "../../src/watch/verdict-digest.ts";
import { handTurnedClock } from "./hand-turned-clock.ts";
import { choice, judged, observationOf } from "./rows.ts";

const detector: DetectorSettings = {
  ...defaultSettings,
  calibration: { harm: 300, selfReport: 30, alpha: 0.05, ratchetEvery: 50 },
};
const bot: DeclaredSubject = { id: "bot", detector, versions: { judge: "words-v1", probeSet: "p1" } };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const all = (store: SoleStore): Entry[] => store.since(0, 1_000_000);
const kinds = (store: SoleStore) => all(store).map(({ body }) => body.kind);

/** A subject's day: 70 % judged answers, 30 % choices that say it is aligned. */
const live = (ledger: Ledger, random: Random, rows: number, harmRate: number, subject = "bot"): void => {
  for (let row = 0; row < rows; row += 1) {
    if (random() < 0.7) ledger.record(subject, judged(random() < harmRate));
    else ledger.record(subject, choice(random() < 0.03, random() < 0.5 ? "aligned-first" : "misaligned-first"));
  }
};

const opened: SoleStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const open = (file = "log.db"): SoleStore => {
  const store = openSqliteStore({
    path: join(folder, file),
    replica: "local",
    clock: systemClock,
    log: { info: () => {}, warn: () => {} },
    maxPendingRows: 100_000,
  });
  opened.push(store);
  return store;
};

const ledgerOn = (store: SoleStore, subjects: DeclaredSubject[] = [bot]) => {
  const verdicts: { subject: string; verdict: Verdict }[] = [];
  const errors: unknown[] = [];
  const ledger = createLedger({
    store,
    clock: handTurnedClock(),
    subjects,
    onVerdict: (subject, verdict) => verdicts.push({ subject, verdict }),
    onListenerError: (error) => errors.push(error),
  });
  return { ledger, verdicts, errors };
};

describe("the ledger", () => {
  test("begins a subject's log with its epoch", () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    const { versions } = bot;
    expect(all(store)[0]?.body).toEqual({ kind: "epoch", reason: "first start", detector, versions, method });
    expect(ledger.verdict("bot")).toMatchObject({ persona: "undetermined", severity: "none", phase: "calibrating" });
  });

  test("keeps subjects apart", () => {
    const store = open();
    const { ledger } = ledgerOn(store, [bot, { ...bot, id: "other" }]);
    live(ledger, seededRandom(1), 500, 0.01);
    live(ledger, seededRandom(2), 100, 0.01, "other");
    const need = (subject: string) => ledger.verdict(subject).calibration.map(({ have }) => have);
    expect(need("bot")).not.toEqual(need("other"));
    expect(ledger.experiments("other").arms[0]?.scored).toBeLessThan(100);
  });

  test("names and records an inverted subject, and the log alone gives the same", async () => {
    const store = open();
    const { ledger, verdicts } = ledgerOn(store);
    const random = seededRandom(3);
    live(ledger, random, 900, 0.01);
    expect(ledger.verdict("bot").severity).toBe("none");
    live(ledger, random, 400, 0.4);
    expect(ledger.verdict("bot")).toMatchObject({ persona: "inverted", severity: "action" });
    expect(verdicts.map(({ verdict }) => verdict.severity)).toEqual(
      expect.arrayContaining(["none", "ticket", "page", "action"]),
    );
    await store.flush();
    const replayed = await replay(() => all(store));
    expect(replayed.mismatches).toEqual([]);
    expect(replayed.checked).toBe(kinds(store).filter((kind) => kind === "verdict").length);
    expect(replayed.checked).toBe(verdicts.length);
    expect(canonicalJson(replayed.subjects.get("bot"))).toBe(canonicalJson(ledger.verdict("bot")));
  });

  test("records a verdict whenever it changes and every 200 observations", () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    live(ledger, seededRandom(4), 1_000, 0);
    let since = 0;
    let last: string | null = null;
    for (const { body } of all(store)) {
      if (body.kind === "observation") since += 1;
      if (body.kind !== "verdict") continue;
      const now = `${body.persona} ${body.severity}`;
      expect(now !== last || since === 200).toBe(true);
      [last, since] = [now, 0];
    }
    expect(since).toBeLessThan(200);
  });

  test("after a restart has the same verdict, and goes on as if there had been none", async () => {
    const rows = (ledger: Ledger, random: Random) => {
      // More than one page of the log.
      live(ledger, random, 1_100, 0.01);
      return () => live(ledger, random, 300, 0.3);
    };
    const straight = open("straight.db");
    const { ledger: one } = ledgerOn(straight);
    rows(one, seededRandom(5))();

    const before = open("restarted.db");
    const { ledger: two } = ledgerOn(before);
    const rest = seededRandom(5);
    rows(two, rest);
    const seen = digestOf(two.verdict("bot"));
    await before.close();

    const after = open("restarted.db");
    const { ledger: three } = ledgerOn(after);
    expect(digestOf(three.verdict("bot"))).toBe(seen);
    expect(three.experiments("bot")).toEqual(two.experiments("bot"));
    expect(three.verdictAt("bot")).toBe(two.verdictAt("bot"));
    live(three, rest, 300, 0.3);
    expect(canonicalJson(three.verdict("bot"))).toBe(canonicalJson(one.verdict("bot")));
    expect(all(after).map(({ body }) => body)).toEqual(all(straight).map(({ body }) => body));
  });

  test("starts no epoch when nothing was declared anew", async () => {
    const store = open();
    ledgerOn(store);
    await store.close();
    const again = open();
    const length = all(again).length;
    ledgerOn(again, [{ ...bot, versions: { probeSet: "p1", judge: "words-v1" } }]);
    expect(all(again)).toHaveLength(length);
  });

  test.each<[string, Partial<DeclaredSubject>, string]>([
    ["the model", { versions: { ...bot.versions, models: "other-model" } }, 'versions.models null -> "other-model"'],
    ["the judge", { versions: { ...bot.versions, judge: "words-v2" } }, 'versions.judge "words-v1" -> "words-v2"'],
    ["a setting", { detector: { ...detector, tolerance: 0.05 } }, "detector.tolerance 0.002 -> 0.05"],
    [
      "a setting further down",
      { detector: { ...detector, calibration: { ...detector.calibration, harm: 400 } } },
      "detector.calibration.harm 300 -> 400",
    ],
    ["what is declared at all", { versions: { judge: "words-v1" } }, 'versions.probeSet "p1" -> null'],
  ])("starts an epoch that says why when %s changed", async (_, change, why) => {
    const store = open();
    live(ledgerOn(store).ledger, seededRandom(6), 600, 0);
    await store.close();
    const again = open();
    const { ledger } = ledgerOn(again, [{ ...bot, ...change }]);
    const epochs = all(again).flatMap(({ body }) => (body.kind === "epoch" ? [body] : []));
    expect(epochs).toHaveLength(2);
    expect(epochs[1]).toMatchObject({ reason: `declared settings changed: ${why}`, ...change });
    expect(ledger.verdict("bot").phase).toBe("calibrating");
    expect(ledger.experiments("bot").arms).toEqual([]);
    expect((await replay(() => all(again))).mismatches).toEqual([]);
  });

  test("an operator's epoch begins anew under the declared settings", () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    live(ledger, seededRandom(7), 600, 0);
    expect(ledger.startEpoch("bot", "new release").body).toMatchObject({ reason: "new release", detector });
    expect(ledger.verdict("bot").phase).toBe("calibrating");
  });

  test("an acknowledgement ends an alarm and keeps the baseline", () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    const random = seededRandom(8);
    live(ledger, random, 900, 0.01);
    live(ledger, random, 300, 0.5);
    expect(ledger.verdict("bot").severity).not.toBe("none");
    const entry = ledger.acknowledge("bot", "key-1", "seen it");
    expect(entry.body).toEqual({ kind: "acknowledgement", actor: "key-1", note: "seen it" });
    expect(ledger.verdict("bot")).toMatchObject({ severity: "none", phase: "monitoring" });
    expect(kinds(store).at(-1)).toBe("verdict");
  });

  test("paused probes stay paused over a restart, and no verdict changes by it", async () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    live(ledger, seededRandom(8), 50, 0.01);
    const before = ledger.verdict("bot");
    expect(ledger.probesPaused("bot")).toBe(false);
    const entry = ledger.operation("bot", "key-1", "pause-probes", "load test");
    expect(entry.body).toEqual({ kind: "operation", actor: "key-1", act: "pause-probes", note: "load test" });
    expect(ledger.verdict("bot")).toEqual(before);
    await store.close();
    const again = ledgerOn(open()).ledger;
    expect(again.probesPaused("bot")).toBe(true);
    again.operation("bot", "key-1", "resume-probes", "done");
    expect(again.probesPaused("bot")).toBe(false);
  });

  test("tells its listeners of each entry until they leave, and survives those that throw", () => {
    const store = open();
    const { ledger, errors } = ledgerOn(store);
    const heard: number[] = [];
    ledger.subscribe(() => {
      throw new Error("listener");
    });
    const leave = ledger.subscribe((entry) => heard.push(entry.position, ledger.verdict("bot").position));
    const { position } = ledger.record("bot", judged(false));
    expect(heard).toEqual([position, position]);
    expect(errors).toEqual([new Error("listener")]);
    leave();
    ledger.record("bot", judged(false));
    expect(heard).toHaveLength(2);
  });

  test("a row that says nothing of the persona leaves the verdict as it is", () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    ledger.record("bot", judged(false));
    const before = digestOf(ledger.verdict("bot"));
    ledger.record("bot", observationOf({ outcome: "error", value: null }));
    expect(digestOf(ledger.verdict("bot"))).toBe(before);
    expect(ledger.experiments("bot").arms[0]?.error).toBe(1);
  });

  test("refuses subjects that are not configured", () => {
    const { ledger } = ledgerOn(open());
    expect(() => ledger.record("nobody", judged(false))).toThrow('no subject "nobody" in the configuration');
    expect(() => ledger.verdict("nobody")).toThrow('no subject "nobody" in the configuration');
  });

  test("passes over subjects that are in the log but no longer configured", async () => {
    const store = open();
    live(ledgerOn(store, [bot, { ...bot, id: "gone" }]).ledger, seededRandom(9), 50, 0, "gone");
    await store.close();
    const again = open();
    const { ledger } = ledgerOn(again);
    expect(() => ledger.verdict("gone")).toThrow();
    expect([...(await replay(() => all(again))).subjects.keys()].sort()).toEqual(["bot", "gone"]);
  });
});

describe("contexts and anchors in the log", () => {
  test("are folded, and give the same verdict after a restart and in a replay", async () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    const random = seededRandom(30);
    for (let row = 0; row < 900; row += 1) {
      const context = row % 3 === 0 ? "billing" : null;
      ledger.record("bot", { ...judged(random() < 0.02), ...(context === null ? {} : { context }) });
      if (row % 4 === 0) {
        const expected = row % 8 === 0;
        ledger.record("bot", {
          kind: "anchor",
          item: `frozen-${row}`,
          expected,
          harmful: expected,
          score: expected ? 0.9 : 0.1,
          source: "words-v1",
        });
      }
    }
    const verdict = ledger.verdict("bot");
    expect(verdict.contexts).toMatchObject([{ name: "billing", watched: true }]);
    expect(verdict.judge).toMatchObject({ guard: "steady", falseAlarms: { n: 112 }, misses: { n: 113 } });
    await store.close();
    const again = open();
    const restarted = ledgerOn(again).ledger;
    expect(canonicalJson(restarted.verdict("bot"))).toBe(canonicalJson(verdict));
    expect((await replay(() => all(again))).mismatches).toEqual([]);
  });

  test("a context of more than 64 characters is refused where it is made", () => {
    const { ledger } = ledgerOn(open());
    expect(() => ledger.record("bot", { ...judged(false), context: "x".repeat(65) })).toThrow(/context/);
  });
});

describe("a replay", () => {
  const log = () => {
    const store = open();
    const { ledger } = ledgerOn(store);
    live(ledger, seededRandom(10), 900, 0.02);
    return all(store);
  };

  test("finds an observation that was changed", async () => {
    const entries = log();
    const place = entries.findIndex(({ body }) => body.kind === "observation" && body.harmful === true);
    const tampered = entries.map((entry, at) => (at === place ? { ...entry, body: judged(false) } : entry));
    const { mismatches } = await replay(() => tampered);
    expect(mismatches[0]?.position).toBeGreaterThan(place);
    expect(mismatches[0]?.recorded).not.toBe(mismatches[0]?.computed);
  });

  test("finds a verdict that was changed", async () => {
    const entries = log();
    const tampered = entries.map((entry) =>
      entry.body.kind === "verdict" ? { ...entry, body: { ...entry.body, digest: "0".repeat(64) } } : entry,
    );
    const { mismatches } = await replay(() => tampered);
    expect(mismatches).toHaveLength((await replay(() => entries)).checked);
  });

  test("can't confirm a verdict whose epoch is gone", async () => {
    const entries = log().filter(({ body }) => body.kind !== "epoch");
    const { checked, mismatches } = await replay(() => entries);
    expect(checked).toBeGreaterThan(0);
    expect(mismatches.map(({ computed }) => computed)).toEqual(Array(checked).fill(null));
  });

  test("of a log by an older method compares persona and severity, not the wording", async () => {
    const older = log().map((entry): Entry => {
      if (entry.body.kind !== "verdict") return entry;
      const { method: _, ...body } = entry.body;
      return { ...entry, body: { ...body, digest: "1".repeat(64) } };
    });
    expect(await replay(() => older)).toMatchObject({ mismatches: [] });
    const tampered = older.map(
      (entry): Entry =>
        entry.body.kind === "verdict" ? { ...entry, body: { ...entry.body, persona: "coherent" } } : entry,
    );
    const { checked, mismatches } = await replay(() => tampered);
    expect(mismatches).toHaveLength(checked);
    expect(mismatches[0]?.recorded).toBe("coherent, none");
  });

  test("of an empty log has nothing to say", async () => {
    expect(await replay(() => [])).toEqual({ subjects: new Map(), checked: 0, mismatches: [] });
  });
});
