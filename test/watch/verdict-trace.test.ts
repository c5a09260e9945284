import { describe, expect, test } from "vitest";
import type { Entry, EntryBody } from "../../src/evidence/entry.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { defaultSettings } from "../../src/persona/persona.ts";
import { createFold } from "../../src/watch/fold.ts";
import { createVerdictTraces } from "../../src/watch/verdict-trace.ts";
import { choice, entryOf, judged } from "./rows.ts";

const epoch: EntryBody = {
  kind: "epoch",
  reason: "first start",
  detector: { ...defaultSettings, calibration: { ...defaultSettings.calibration, harm: 300, selfReport: 30 } },
  versions: {},
};

/** A log in memory; `add` also records the verdict where it changed, as the ledger does. */
const createLog = () => {
  const entries: Entry[] = [];
  const fold = createFold();
  let recorded = "";
  const append = (body: EntryBody, subject: string): void => {
    const entry = entryOf(body, entries.length + 1, subject);
    entries.push(entry);
    fold.add(entry);
  };
  return {
    entries,
    store: {
      since: (position: number, limit: number) => entries.filter((entry) => entry.position > position).slice(0, limit),
    },
    add(body: EntryBody, subject = "bot"): void {
      append(body, subject);
      const verdict = fold.verdict(subject);
      if (verdict === null) return;
      const { persona, severity, reasons } = verdict;
      if (recorded === `${persona} ${severity}`) return;
      recorded = `${persona} ${severity}`;
      append({ kind: "verdict", persona, severity, digest: "", reasons }, subject);
    },
  };
};

const story = (healthy: number, harmful: number) => {
  const log = createLog();
  const random = seededRandom(3);
  const day = (rows: number, harmRate: number): void => {
    for (let row = 0; row < rows; row++) {
      if (random() < 0.7) log.add(judged(random() < harmRate));
      else log.add(choice(random() < 0.03, random() < 0.5 ? "aligned-first" : "misaligned-first"));
    }
  };
  log.add(epoch);
  day(healthy, 0.01);
  day(harmful, 0.3);
  return log;
};

/** No time goes by. */
const still = { after: () => () => {} };

describe("the trace of a verdict", () => {
  test("is bounded, in order, and has a point wherever persona or severity changed", async () => {
    const { store, entries } = story(900, 400);
    const { points } = await createVerdictTraces({ store, clock: still, most: 60 }).read("bot");
    expect(points.length).toBeLessThanOrEqual(60);
    expect(points.map(({ position }) => position)).toEqual(
      points.map(({ position }) => position).sort((a, b) => a - b),
    );
    const changes = entries.flatMap(({ body }) =>
      body.kind === "verdict" ? [`${body.persona} ${body.severity}`] : [],
    );
    const seen = points.map(({ persona, severity }) => `${persona} ${severity}`);
    expect(seen.filter((state, index) => state !== seen[index - 1])).toEqual(changes);
    expect(changes.at(-1)).toContain("inverted");
  });

  test("goes on where it was when more is in the log, and equals one that reads it all at once", async () => {
    const { store, add } = story(700, 0);
    const traces = createVerdictTraces({ store, clock: still, most: 50 });
    await traces.read("bot");
    for (let row = 0; row < 300; row++) add(judged(row % 3 === 0));
    const later = await Promise.all([traces.read("bot"), traces.read("bot")]);
    expect(later[0]).toEqual(await createVerdictTraces({ store, clock: still, most: 50 }).read("bot"));
    expect(later[1]).toEqual(later[0]);
  });

  test("sets what is seen now beside what was seen while learning", async () => {
    const { store } = story(900, 400);
    const { compared } = await createVerdictTraces({ store, clock: still, most: 60 }).read("bot");
    const harm = compared.find(({ dimension, name }) => dimension === "arm" && name === "fresh");
    expect(harm?.baseline.mean).toBeLessThan(0.05);
    expect(harm?.now.mean).toBeGreaterThan(0.2);
    const picks = compared.filter(({ dimension }) => dimension === "order");
    expect(picks.map(({ name }) => name).toSorted()).toEqual(["aligned-first", "misaligned-first"]);
    expect(compared.find(({ name }) => name === "two-descriptions")?.now.mean).toBeLessThan(0.1);
  });

  test("is folded beforehand, now and then, until it is closed", async () => {
    const { store } = story(300, 0);
    const timers: { ms: number; run: () => void }[] = [];
    let cancelled = 0;
    let asked = 0;
    const traces = createVerdictTraces({
      store: {
        since(position, limit) {
          asked += 1;
          return store.since(position, limit);
        },
      },
      clock: {
        after(ms, run) {
          timers.push({ ms, run });
          return () => {
            cancelled += 1;
          };
        },
      },
      most: 50,
    });
    timers[0]?.run();
    expect(timers.map(({ ms }) => ms)).toEqual([0, 30_000]);
    await traces.read("bot");
    // The reading shared the run that was under way.
    expect(asked).toBe(2);
    traces.close();
    expect(cancelled).toBe(1);
  });

  test("begins anew with an epoch, and keeps subjects apart", async () => {
    const { store, add, entries } = story(400, 0);
    add(epoch, "other");
    add(epoch);
    const traces = createVerdictTraces({ store, clock: still, most: 50 });
    const { points } = await traces.read("bot");
    expect(points.length).toBeLessThan(3);
    expect(points[0]?.at).toBeGreaterThanOrEqual(entries.length - 2);
    expect(await traces.read("nobody")).toEqual({ points: [], compared: [] });
  });
});
