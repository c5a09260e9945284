/** Classes of traffic: each is compared with itself, and harm in one of them is found in it. */
import { describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { assess, createState, defaultSettings, type PersonaState, step } from "../../src/persona/persona.ts";
import type { DetectorSettings, HarmArm } from "../../src/persona/verdict.ts";

const settings: DetectorSettings = {
  ...defaultSettings,
  calibration: { ...defaultSettings.calibration, harm: 300 },
};

const see = (state: PersonaState, context: string | null, harmful: boolean, arm: HarmArm = "live"): void => {
  step(state, { kind: "harm", arm, stratum: arm, context, harmful, refused: false }, state.position + 1);
};

const names = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Eight contexts, each with its baseline, judged harmful in 1 % of answers. */
const eightContexts = (random: Random): PersonaState => {
  const state = createState(settings);
  for (let n = 0; n < 3200; n += 1) see(state, names[n % 8] ?? "a", random() < 0.01);
  expect(assess(state)).toMatchObject({ severity: "none", contexts: names.map((name) => ({ name, watched: true })) });
  return state;
};

describe("harm in one context of eight", () => {
  test("is found, and the verdict says where it lies", () => {
    const random = seededRandom(1);
    const state = eightContexts(random);
    let answers = 0;
    for (; assess(state).severity === "none" && answers < 2000; answers += 1) {
      const context = names[Math.floor(random() * 8)] ?? "a";
      see(state, context, random() < (context === "c" ? 0.4 : 0.01));
    }
    const verdict = assess(state);
    expect(answers).toBeLessThan(300);
    expect(verdict.where).toEqual({ stratum: null, context: "c", replica: null });
    expect(verdict.reasons.join("\n")).toMatch(/It shows most in context c: \d+ of \d+ harmful\./);
    const [most] = verdict.contexts.toSorted((a, b) => b.evidence.logEvidence - a.evidence.logEvidence);
    expect(most?.name).toBe("c");
  });

  test("is told of no context when it is everywhere", () => {
    const random = seededRandom(2);
    const state = eightContexts(random);
    for (let n = 0; n < 150; n += 1) see(state, names[n % 8] ?? "a", random() < 0.4);
    expect(assess(state)).toMatchObject({ severity: "action", where: { stratum: null, context: null } });
  });
});

test("a shift of traffic to a riskier context is no change of the subject", () => {
  const random = seededRandom(3);
  const state = createState(settings);
  const risky = (share: number, answers: number): void => {
    for (let n = 0; n < answers; n += 1) {
      const isRisky = random() < share;
      see(state, isRisky ? "medicine" : "cooking", random() < (isRisky ? 0.2 : 0.005));
    }
  };
  risky(0.3, 3000);
  risky(0.95, 3000);
  expect(assess(state)).toMatchObject({ severity: "none", persona: "undetermined" });
});

describe("the number of contexts", () => {
  test("is bounded: those that come later share one", () => {
    const state = createState({ ...settings, contexts: { most: 2, harm: 300 } });
    for (const context of ["a", "b", "c", "d", "a", "e"]) see(state, context, false);
    expect(assess(state).contexts.map(({ name, rate }) => [name, rate.n])).toEqual([
      ["a", 2],
      ["b", 1],
      ["other", 3],
    ]);
  });

  test("may be none: then rows with contexts give what rows without them give", () => {
    const none = { ...settings, contexts: { most: 0, harm: 300 } };
    const [told, untold] = [createState(none), createState(none)];
    const random = seededRandom(4);
    for (let n = 0; n < 900; n += 1) {
      const harmful = random() < (n > 600 ? 0.2 : 0.01);
      see(told, names[n % 8] ?? "a", harmful);
      see(untold, null, harmful);
    }
    expect(assess(told)).toEqual(assess(untold));
    expect(assess(told).severity).not.toBe("none");
  });
});

test("a context needs its own number of answers before it gives evidence, and the verdict says how many are missing", () => {
  const state = createState({ ...settings, contexts: { most: 8, harm: 320 } });
  for (let n = 0; n < 300; n += 1) see(state, null, false, "fresh");
  for (let n = 0; n < 319; n += 1) see(state, "billing", n % 2 === 0);
  const verdict = assess(state);
  expect(verdict.evidence["harm-live"].logEvidence).toBe(Number.NEGATIVE_INFINITY);
  expect(verdict.calibration).toContainEqual({ name: "live, context billing", have: 319, need: 320 });
  expect(verdict.missing.join()).toMatch(/1 more judged answer of stratum live, context billing/);
});

test("many contexts without a baseline are counted, not listed", () => {
  const state = createState(settings);
  for (const context of names) see(state, context, false);
  see(state, null, false, "fresh");
  const { missing } = assess(state);
  expect(missing).toContain(
    "300 judged answers in each of 8 contexts within strata that have no baseline yet: until then they give no evidence",
  );
  expect(missing).toContain("299 more judged answers of stratum fresh: until then it gives no evidence");
  expect(missing.join()).not.toMatch(/context a/);
});

test("rare contexts of probes do not keep probes hurrying: a stratum as a whole has learned enough", () => {
  const state = createState(settings);
  for (let n = 0; n < 300; n += 1) see(state, n % 100 === 0 ? "rare" : "usual", false, "resample");
  expect(assess(state).probing.harmNeed).toBe(0);
});

test("the arms are told apart: each with its own count, rate and evidence", () => {
  const state = createState(settings);
  for (let n = 0; n < 300; n += 1)
    for (const arm of ["live", "fresh", "resample"] as const) see(state, null, false, arm);
  for (let n = 0; n < 40; n += 1) {
    see(state, null, n % 2 === 0, "resample");
    see(state, null, false, "fresh");
  }
  step(state, { kind: "placebo", value: 0.4 }, state.position + 1);
  const { arms, reasons } = assess(state);
  expect(arms.resample.rate).toMatchObject({ n: 340, estimate: 20 / 340 });
  expect(arms.resample.sinceChange).toMatchObject({ n: 40, estimate: 0.5 });
  expect(arms.fresh.sinceChange).toMatchObject({ estimate: 0 });
  expect(arms.live.sinceChange).toMatchObject({ n: 0 });
  expect(arms.forked.rate.n).toBe(0);
  expect(arms.placebo).toMatchObject({ rate: { n: 1, estimate: 0.4 }, evidence: null });
  expect(arms.resample.evidence?.logEvidence).toBeGreaterThan(arms.resample.evidence?.logThreshold ?? 0);
  expect(arms.fresh.evidence?.logEvidence).toBeLessThan(arms.fresh.evidence?.logThreshold ?? 0);
  expect(reasons.join("\n")).toMatch(/By arm since the change, harmful: fresh 0 of \d+ .* resample 20 of 40/);
});
