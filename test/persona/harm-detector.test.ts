import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { advance, createEDetector, logEvidence } from "../../src/persona/e-process.ts";
import { assess, createState, defaultSettings, type PersonaState, step } from "../../src/persona/persona.ts";
import { createRateBaseline, learnRate } from "../../src/persona/rate-baseline.ts";
import { rateStakes } from "../../src/persona/settings.ts";
import type { HarmArm } from "../../src/persona/verdict.ts";

const settings = { ...defaultSettings, calibration: { ...defaultSettings.calibration, harm: 300 } };

const judged = (state: PersonaState, stratum: string, harmful: boolean, arm: HarmArm = "fresh"): PersonaState =>
  step(state, { kind: "harm", arm, stratum, context: null, harmful, refused: false }, state.position + 1);

/** Clean answers until the stratum has its baseline. */
const calibrate = (state: PersonaState, stratum: string, arm: HarmArm = "fresh"): void => {
  for (let n = 0; n < settings.calibration.harm; n += 1) judged(state, stratum, false, arm);
};

describe("strata", () => {
  test("a stratum gives no evidence before it has a baseline of its own", () => {
    const state = createState(settings);
    calibrate(state, "fresh");
    judged(state, "fresh", false);
    const before = assess(state);
    for (let n = 0; n < 299; n += 1) judged(state, "forked", true);
    const after = assess(state);
    expect(after.evidence.harm).toEqual(before.evidence.harm);
    expect(after.severity).toBe("none");
    expect(after.baseline.map(({ stratum }) => stratum)).toEqual(["fresh"]);
    expect(after.missing.join()).toMatch(/1 more judged answer of stratum forked/);
  });

  test("those that have one go on while a new one learns", () => {
    const state = createState(settings);
    calibrate(state, "fresh");
    for (let n = 0; n < 12; n += 1) {
      judged(state, "forked", false);
      judged(state, "fresh", true);
    }
    expect(assess(state).severity).not.toBe("none");
  });

  test("a harmful stratum is harmless news to one whose baseline was as harmful", () => {
    const state = createState(settings);
    calibrate(state, "clean");
    for (let n = 0; n < 300; n += 1) judged(state, "rough", n % 3 === 0);
    const theta = Object.fromEntries(assess(state).baseline.map(({ stratum, nullMean }) => [stratum, nullMean]));
    expect(theta.clean).toBeLessThan(0.01);
    expect(theta.rough).toBeGreaterThan(0.33);
    for (let n = 0; n < 600; n += 1) judged(state, "rough", n % 3 === 0);
    expect(assess(state).severity).toBe("none");
  });

  test("with one stratum the mixture is the plain recursion", () => {
    const random = seededRandom(3);
    const state = createState(settings);
    const [baseline, plain] = [createRateBaseline(), createEDetector(rateStakes, null)];
    const rules = { need: 300, alpha: 0.05, ratchetEvery: 50, floor: 0.002 };
    for (let n = 0; n < 2000; n += 1) {
      const harmful = random() < 0.02;
      if (baseline.nullMean !== null) advance(plain, harmful ? 1 : 0, baseline.nullMean, null);
      learnRate(baseline, harmful, rules);
      judged(state, "only", harmful);
    }
    expect(assess(state).evidence.harm.logEvidence).toBeCloseTo(logEvidence(plain), 10);
  });

  test("harm in one of eight places is found sooner than by pooling all of them", () => {
    const state = createState(settings);
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (const name of names) calibrate(state, name);
    const random = seededRandom(11);
    let position = 0;
    while (assess(state).severity === "none") {
      position += 1;
      for (const name of names) judged(state, name, random() < (name === "c" ? 0.3 : 0.002));
    }
    expect(position).toBeLessThan(60);
    // All of them in one recursion have not seen it yet, and the verdict tells where it is.
    expect(logEvidence(state.harmAll)).toBeLessThan(Math.log(settings.thresholds.ticket));
    expect(assess(state).reasons.join(" ")).toMatch(/It shows most in stratum c/);
  });
});

describe("channels", () => {
  test("harm that only live answers show is told apart", () => {
    const state = createState(settings);
    calibrate(state, "live", "live");
    calibrate(state, "fresh");
    for (let n = 0; n < 40; n += 1) {
      judged(state, "live", n % 2 === 0, "live");
      judged(state, "fresh", false);
    }
    const { evidence, reasons } = assess(state);
    expect(evidence["harm-live"].logEvidence).toBeGreaterThan(evidence["harm-live"].logThreshold);
    expect(evidence["harm-probe"].logEvidence).toBeLessThan(evidence["harm-probe"].logThreshold);
    expect(reasons.join(" ")).toMatch(/Live answers show it and probes do not/);
  });
});

describe("tolerance", () => {
  test("harm below what the operator accepts is never an alarm", () => {
    const state = createState({ ...settings, tolerance: 0.1 });
    calibrate(state, "s");
    const random = seededRandom(5);
    for (let n = 0; n < 3000; n += 1) judged(state, "s", random() < 0.05);
    expect(assess(state).severity).toBe("none");
    expect(assess(state).baseline[0]?.nullMean).toBe(0.1);
  });
});

test("a baseline that is harmful itself is said aloud", () => {
  const state = createState(settings);
  for (let n = 0; n < 300; n += 1) judged(state, "s", n % 2 === 0);
  const { reasons, missing } = assess(state);
  expect(reasons.join(" ")).toMatch(/The baseline itself is harmful: in stratum s up to 5\d % counts as normal/);
  expect(missing.join(" ")).toMatch(/known to be good/);
});
