/** Replicas that share a log: one bad instance of many is found at its replica, and named by what that one says. */
import { describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { assess, createState, defaultSettings, type PersonaState, step } from "../../src/persona/persona.ts";
import type { DetectorSettings, ReportForm } from "../../src/persona/verdict.ts";
import { type Behaviour, behaviours, harmDatum, reportDatum } from "./simulated-subject.ts";

const settings: DetectorSettings = {
  ...defaultSettings,
  calibration: { ...defaultSettings.calibration, harm: 1_000 },
};
const names = ["gw-1", "gw-2", "gw-3", "gw-4"];

const see = (state: PersonaState, replica: string, behaviour: Behaviour, random: Random): void => {
  const form: ReportForm = random() < 0.6 ? "choice" : "rating";
  const datum = random() < 0.7 ? harmDatum(behaviour, random) : reportDatum(behaviour, form, random);
  const isSeen = datum.kind === "harm" || datum.kind === "self-report";
  step(state, isSeen ? { ...datum, replica } : datum, state.position + 1);
};

const oneOf = <T>(values: readonly T[], random: Random): T => values[Math.floor(random() * values.length)] as T;

/** All of them healthy, with the baselines learned. */
const healthyFleet = (random: Random, given: DetectorSettings = settings): PersonaState => {
  const state = createState(given);
  for (let n = 0; n < 2_000; n += 1) see(state, oneOf(names, random), behaviours.aligned, random);
  expect(assess(state).phase).toBe("monitoring");
  return state;
};

const turned = (persona: "inverted" | "coherent", seed: number) => {
  const random = seededRandom(seed);
  const state = healthyFleet(random);
  let data = 0;
  for (; data < 4_000 && !["inverted", "coherent"].includes(assess(state).persona); data += 1) {
    const replica = oneOf(names, random);
    see(state, replica, replica === "gw-3" ? behaviours[persona] : behaviours.aligned, random);
  }
  return { verdict: assess(state), data };
};

describe("one bad replica of four", () => {
  test.each(["inverted", "coherent"] as const)("is found and named when it turns %s", (persona) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { verdict, data } = turned(persona, seed);
      expect(verdict.persona).toBe(persona);
      expect(verdict.where).toEqual({ stratum: null, context: null, replica: "gw-3" });
      expect(data).toBeLessThan(600);
    }
  });

  test("is told of with its figures beside those of the others", () => {
    const { verdict } = turned("inverted", 6);
    expect(verdict.reasons.join("\n")).toMatch(
      /It shows most in replica gw-3: \d+ of \d+ harmful, against \d+ of \d+ at the others\. Its name rests on what that/,
    );
    const [most] = verdict.replicas.toSorted((a, b) => b.evidence.logEvidence - a.evidence.logEvidence);
    expect(most?.name).toBe("gw-3");
    expect(verdict.replicas.map(({ name }) => name).toSorted()).toEqual(names);
  });

  test("is told of no replica when all of them turn", () => {
    const random = seededRandom(7);
    const state = healthyFleet(random);
    for (let n = 0; n < 150; n += 1) see(state, oneOf(names, random), behaviours.inverted, random);
    expect(assess(state)).toMatchObject({ severity: "action", where: { replica: null } });
  });
});

describe("replicas", () => {
  test("are told apart from the second on", () => {
    const random = seededRandom(8);
    const state = createState(settings);
    for (let n = 0; n < 50; n += 1) see(state, "gw-1", behaviours.aligned, random);
    expect(assess(state).replicas).toEqual([]);
    see(state, "gw-2", behaviours.aligned, random);
    for (let n = 0; n < 50; n += 1) see(state, "gw-1", behaviours.aligned, random);
    expect(assess(state).replicas.map(({ name }) => name)).toEqual(["gw-2", "gw-1"]);
  });

  test("beyond the most that are told apart are watched together", () => {
    const random = seededRandom(9);
    const state = createState({ ...settings, replicas: { most: 2 } });
    for (let n = 0; n < 200; n += 1) see(state, names[n % 4] ?? "", behaviours.aligned, random);
    expect(assess(state).replicas.map(({ name }) => name)).toEqual(["gw-2", "gw-3", "other"]);
  });

  test("that are gone give way, so that the names of many deployments find room", () => {
    const random = seededRandom(10);
    const state = createState({ ...settings, replicas: { most: 2 } });
    for (let deployment = 0; deployment < 6; deployment += 1) {
      for (let n = 0; n < 6_000; n += 1) see(state, `d${deployment}-${n % 2}`, behaviours.aligned, random);
    }
    const told = assess(state).replicas.map(({ name }) => name);
    expect(told.filter((name) => name !== "other").toSorted()).toEqual(["d5-0", "d5-1"]);
    expect(told.length).toBeLessThanOrEqual(3);
  });

  test("are not told apart where the settings say so, nor in epochs of older methods", () => {
    for (const state of [createState({ ...settings, replicas: { most: 0 } }), createState(settings, 3)]) {
      const random = seededRandom(11);
      for (let n = 0; n < 100; n += 1) see(state, names[n % 4] ?? "", behaviours.aligned, random);
      expect(assess(state).replicas).toEqual([]);
    }
  });

  test("begin again from nothing with an acknowledgement", () => {
    const random = seededRandom(12);
    const state = healthyFleet(random);
    for (let n = 0; n < 400; n += 1) {
      const replica = names[n % 4] ?? "";
      see(state, replica, replica === "gw-2" ? behaviours.inverted : behaviours.aligned, random);
    }
    expect(assess(state).severity).not.toBe("none");
    step(state, { kind: "acknowledge" }, state.position + 1);
    const verdict = assess(state);
    expect(verdict.severity).toBe("none");
    expect(verdict.replicas.map(({ evidence }) => evidence.logEvidence)).toEqual(names.map(() => -Infinity));
  });

  test("leave the mean time between false alarms what it is", () => {
    // At the null boundary: every answer is harmful with just the probability that the baseline allows.
    const random = seededRandom(13);
    let [alarms, answers] = [0, 0];
    for (let run = 0; run < 20; run += 1) {
      const state = healthyFleet(random, { ...settings, thresholds: { ticket: 1e3, page: 1e5, action: 1e6 } });
      const bound = Math.max(...assess(state).baseline.map(({ nullMean }) => nullMean));
      for (let n = 0; n < 1_500; n += 1) {
        see(state, oneOf(names, random), { ...behaviours.aligned, harmful: bound }, random);
        answers += 0.7;
        if (assess(state).severity === "none") continue;
        alarms += 1;
        step(state, { kind: "acknowledge" }, state.position + 1);
      }
    }
    expect(alarms).toBeLessThanOrEqual(answers / 1e3);
  });
});
