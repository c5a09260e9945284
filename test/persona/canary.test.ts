import { describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { createCanary, foldCanary, logEvidenceOf, viewCanary } from "../../src/persona/canary.ts";
import { assess, createState, defaultSettings, type PersonaState, probeMix, step } from "../../src/persona/persona.ts";
import { canaryThreshold } from "../../src/persona/settings.ts";
import type { Datum } from "../../src/persona/verdict.ts";

const questions = ["one", "two", "three", "four", "five", "six", "seven", "eight"];

/** How the served model answers: the share of answers that are another one than usual, by question. */
type Manner = (item: string) => number;

const steady =
  (share: number): Manner =>
  () =>
    share;
/** One question of eight has another answer. */
const changed =
  (share: number): Manner =>
  (item) =>
    item === "three" ? 1 : share;

const canary = (item: string, answer: string, fields: Partial<Extract<Datum, { kind: "canary" }>> = {}): Datum => ({
  kind: "canary",
  item,
  isBorder: false,
  answer,
  probability: null,
  version: "v1",
  ...fields,
});

/** Answers to every question in turn, so many times, from the position after the last. */
const ask = (state: PersonaState, times: number, manner: Manner, random: Random): void => {
  for (let time = 0; time < times; time += 1) {
    for (const item of questions) {
      step(state, canary(item, random() < manner(item) ? "another" : "usual"), state.position + 1);
    }
  }
};

const learned = (share: number, random: Random): PersonaState => {
  const state = createState(defaultSettings);
  ask(state, 50, steady(share), random);
  return state;
};

describe("the canary", () => {
  it("says how far its reference is, and nothing of a change before it is whole", () => {
    const state = createState(defaultSettings);
    expect(assess(state).canary).toBeNull();
    ask(state, 30, changed(0), seededRandom(1));
    expect(assess(state).canary).toMatchObject({ have: 240, need: 400, rounds: 0, last: null });
    expect(assess(state).reasons.at(-1)).toBe("Canary questions: 240 of 400 reference answers.");
  });

  it.each([0, 0.05, 0.1])(
    "tells that one question of eight is answered otherwise, with %f of answers unsteady",
    (share) => {
      const random = seededRandom(11);
      const state = learned(share, random);
      ask(state, 80, steady(share), random);
      expect(assess(state).canary).toMatchObject({ rounds: 10, last: null });
      const before = state.position;
      ask(state, 80, changed(share), random);
      const { canary: seen, changePoint, persona, severity, reasons } = assess(state);
      expect(seen?.last?.from).toBeGreaterThan(before - 200);
      expect(seen?.last?.logEvidence).toBeGreaterThanOrEqual(Math.log(canaryThreshold));
      expect(changePoint).toBe(seen?.last?.from);
      expect({ persona, severity }).toEqual({ persona: "undetermined", severity: "none" });
      expect(reasons.join(" ")).toMatch(
        /The served model seems to have changed at about position .* smallest p .* of \d+ rounds?/,
      );
    },
  );

  it("names nothing and alarms about nothing, whatever changes", () => {
    const random = seededRandom(5);
    const state = learned(0, random);
    ask(state, 400, steady(1), random);
    const { persona, severity, alarms } = assess(state);
    expect({ persona, severity, alarms }).toEqual({ persona: "undetermined", severity: "none", alarms: [] });
  });

  it("makes probes come ten times as fast until 300 answers have been judged since", () => {
    const random = seededRandom(5);
    const state = learned(0, random);
    expect(probeMix(assess(state)).rateFactor).toBe(1);
    ask(state, 8, changed(0), random);
    expect(assess(state).canary?.seen).toBe(1);
    expect(probeMix(assess(state)).rateFactor).toBe(10);
    const harmless = {
      kind: "harm",
      arm: "live",
      stratum: "live",
      context: null,
      harmful: false,
      refused: false,
    } as const;
    for (let n = 0; n < 299; n += 1) step(state, harmless, state.position + 1);
    expect(probeMix(assess(state)).rateFactor).toBe(10);
    step(state, harmless, state.position + 1);
    expect(probeMix(assess(state)).rateFactor).toBe(1);
  });

  it("learns what is served now, so that the next change is seen too", () => {
    const random = seededRandom(5);
    const state = learned(0, random);
    ask(state, 60, changed(0), random);
    expect(assess(state).canary).toMatchObject({ seen: 1 });
    ask(state, 60, steady(0), random);
    expect(assess(state).canary).toMatchObject({ seen: 2 });
    expect(assess(state).reasons.join(" ")).toContain("change number 2");
  });

  it("forgets what was seen at an acknowledgement, and keeps its reference", () => {
    const random = seededRandom(5);
    const state = learned(0, random);
    ask(state, 58, changed(0), random);
    expect(assess(state).canary).toMatchObject({ seen: 1, have: 400 });
    step(state, { kind: "acknowledge" }, state.position + 1);
    expect(assess(state).canary).toMatchObject({ seen: 0, last: null, have: 400 });
    expect(assess(state).changePoint).toBeNull();
  });

  it("begins anew with other questions and with a new epoch", () => {
    const state = learned(0, seededRandom(5));
    step(state, canary("one", "usual", { version: "v2" }), state.position + 1);
    expect(assess(state).canary).toMatchObject({ questions: ["one"], have: 1 });
    step(state, { kind: "epoch" }, state.position + 1);
    expect(assess(state).canary).toBeNull();
  });

  it("leaves questions alone that the model never answers alike, and border questions that it always does", () => {
    const state = createState(defaultSettings);
    for (let n = 0; n < 60; n += 1) {
      for (const [item, answer, isBorder] of [
        ["scattered", String(n), false],
        ["same", "usual", false],
        ["near", n % 2 === 0 ? "heads" : "tails", true],
        ["far", "heads", true],
      ] as const) {
        step(state, canary(item, answer, { isBorder }), state.position + 1);
      }
    }
    expect(assess(state).canary?.questions).toEqual(["same", "near"]);
    expect(probeMix(assess(state)).uselessCanaries).toEqual(["scattered", "far"]);
  });

  it("sees the first token's probability move where the answer stays", () => {
    const state = createState(defaultSettings);
    const random = seededRandom(8);
    const say = (times: number, probability: number): void => {
      for (let time = 0; time < times; time += 1) {
        for (const item of questions) {
          const shaken = probability + 0.01 * random();
          step(state, canary(item, "usual", { probability: shaken }), state.position + 1);
        }
      }
    };
    say(130, 0.9);
    expect(assess(state).canary).toMatchObject({ rounds: 10, seen: 0 });
    say(12, 0.7);
    expect(assess(state).canary).toMatchObject({ seen: 1 });
  });

  it("is not held up by a question that is no longer answered", () => {
    const state = learned(0, seededRandom(3));
    const rest = questions.slice(1);
    for (let n = 0; n < 40; n += 1) for (const item of rest) step(state, canary(item, "usual"), state.position + 1);
    expect(assess(state).canary?.rounds).toBeGreaterThanOrEqual(2);
  });

  it("promises no more false ones than its threshold, whatever share of answers is unsteady", () => {
    const rounds = 40;
    const subjects = 50;
    for (const share of [0.02, 0.2]) {
      const random = seededRandom(4_711);
      let seen = 0;
      for (let subject = 0; subject < subjects; subject += 1) {
        const watch = createCanary<{ position: number }>();
        for (let n = 0; n < (50 + 8 * rounds) * questions.length; n += 1) {
          const item = questions[n % questions.length] ?? "";
          const answer = random() < share ? "another" : "usual";
          foldCanary(watch, { item, isBorder: false, answer, probability: null, version: "v" }, { position: n }, 0);
        }
        seen += viewCanary(watch, 0)?.seen === 0 ? 0 : 1;
      }
      // Within n rounds a false one comes with a chance of at most about n / A: 2 of 50, and 8 is four deviations off.
      expect(seen).toBeLessThan(8);
    }
  });
});

describe("the bet on a p-value", () => {
  it("wins nothing in the mean from p-values that are uniform, and loses from those that are 1", () => {
    const steps = 200_000;
    let sum = 0;
    for (let n = 0; n < steps; n += 1) sum += Math.exp(logEvidenceOf((n + 0.5) / steps));
    expect(sum / steps).toBeLessThanOrEqual(1);
    expect(sum / steps).toBeGreaterThan(0.9);
    expect(Math.exp(logEvidenceOf(1))).toBeCloseTo(0.4);
  });
});
