import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Entry, EntryBody } from "../../src/evidence/entry.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { defaultSettings, method } from "../../src/persona/persona.ts";
import { createLogView, type LogView } from "../../src/watch/log-view.ts";
import { digestOf } from "../../src/watch/verdict-digest.ts";
import { choice, entryOf, judged } from "./rows.ts";

const detector = { ...defaultSettings, calibration: { harm: 300, selfReport: 30, alpha: 0.05, ratchetEvery: 50 } };

/** A subject that turns, with all kinds of entries; positions from 1. */
const log = (): Entry[] => {
  const random = seededRandom(1);
  const bodies: EntryBody[] = [
    { kind: "epoch", reason: "first start", detector, versions: {}, method },
    { kind: "operation", actor: "key-1", act: "pause-probes", note: "" },
  ];
  for (let row = 0; row < 900; row += 1) {
    const harm = row < 600 ? 0.01 : 0.4;
    bodies.push(random() < 0.7 ? judged(random() < harm) : choice(random() < 0.05, "aligned-first"));
  }
  bodies.push({ kind: "verdict", persona: "inverted", severity: "page", digest: "", reasons: [] });
  return bodies.map((body, index) => entryOf(body, index + 1, index % 7 === 3 ? "other" : "bot"));
};

const told = (view: LogView) => {
  const verdict = view.verdict("bot");
  return {
    digest: verdict === null ? null : digestOf(verdict),
    experiments: view.experiments("bot"),
    paused: view.probesPaused("bot"),
    at: view.verdictAt("bot"),
    due: view.verdictIsDue("bot"),
    epoch: view.epoch("bot"),
  };
};

const enter = (view: LogView, entries: readonly Entry[]): LogView => {
  for (const entry of entries) view.enter(entry);
  return view;
};

/** Without the hash that stands before it. */
const body = (text: string): string => text.slice(text.indexOf("\n") + 1);

describe("a saved view", () => {
  test.each([0, 1, 2, 300, 650, 903])("of %i entries goes on to say what the whole log says", (saved) => {
    const entries = log();
    const restored = createLogView(enter(createLogView(), entries.slice(0, saved)).save());
    expect(told(enter(restored, entries.slice(saved)))).toEqual(told(enter(createLogView(), entries)));
  });

  const rehashed = (saved: string): string => `${createHash("sha256").update(saved).digest("hex")}\n${saved}`;

  test.each<[string, (text: string) => string, string | RegExp]>([
    ["cut off", (text) => text.slice(0, -10), "damaged"],
    ["changed by one number", (text) => text.replace('"probesPaused":true', '"probesPaused":false'), "damaged"],
    ["of a Candor that has other states", (text) => body(text).replaceAll('"harmAll"', '"harmOf"'), "no state of this"],
    [
      "of a Candor that says something else of the same",
      (text) => body(text).replaceAll(/(?<="digests":.*)"[0-9a-f]{64}"/g, `"${"0".repeat(64)}"`),
      "does not give the verdicts",
    ],
    ["something else", () => '{"states":[]}', /expected/],
  ])("is not believed where it is %s", (_, spoil, why) => {
    const text = enter(createLogView(), log()).save();
    const spoilt = spoil(text);
    expect(spoilt).not.toBe(text);
    expect(() => createLogView(why === "damaged" ? spoilt : rehashed(spoilt))).toThrow(why);
  });
});

test("a copy goes on by itself", () => {
  const entries = log();
  const view = enter(createLogView(), entries.slice(0, 620));
  const before = told(view);
  const copy = view.copy();
  enter(copy, entries.slice(620));
  expect(told(view)).toEqual(before);
  expect(told(copy)).toEqual(told(enter(createLogView(), entries)));
});
