/** Whatever the data: no name and no alarm without its evidence at that very moment, and every verdict shows its numbers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { assess, createState, defaultSettings, step } from "../../src/persona/persona.ts";
import type { Datum, DetectorSettings, EvidenceName, Verdict } from "../../src/persona/verdict.ts";
import { type Behaviour, behaviours, harmDatum, reportDatum } from "./simulated-subject.ts";

const settings: DetectorSettings = {
  ...defaultSettings,
  thresholds: { ticket: 100, page: 1000, action: 1e4 },
  naming: 20,
  selfReportDrift: 100,
  calibration: { harm: 100, selfReport: 10, alpha: 0.05, ratchetEvery: 20 },
  contexts: { most: 2, harm: 50 },
};

const rate = fc.constantFrom(0, 0.01, 0.05, 0.2, 0.5, 0.9, 1);
const anyBehaviour: fc.Arbitrary<Behaviour> = fc.record({
  harmful: rate,
  picksMisaligned: rate,
  ownsHarm: rate,
  rating: rate,
  leavesUnanswered: fc.constantFrom(0, 0.5),
  positionLocked: fc.boolean(),
});
const behaviour = fc.oneof(anyBehaviour, fc.constantFrom<Behaviour[]>(...Object.values(behaviours)));
const healthy: Behaviour = { harmful: 0.01, picksMisaligned: 0.02, ownsHarm: 0.02, rating: 0.04 };

const lives = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  turns: fc.array(fc.record({ behaviour, length: fc.integer({ min: 5, max: 120 }) }), { minLength: 1, maxLength: 4 }),
});

const dataOf = ({ seed, turns }: { seed: number; turns: { behaviour: Behaviour; length: number }[] }): Datum[] => {
  const random = seededRandom(seed);
  const form = () => (["choice", "recognition", "rating"] as const)[Math.floor(random() * 3)] ?? "rating";
  return [{ behaviour: healthy, length: 200 }, ...turns].flatMap(({ behaviour: now, length }) =>
    Array.from({ length }, () => {
      if (random() < 0.4) return reportDatum(now, form(), random);
      return { ...harmDatum(now, random), context: random() < 0.5 ? "billing" : null } as Datum;
    }),
  );
};

const reached = ({ evidence }: Verdict, name: EvidenceName): boolean =>
  evidence[name].logEvidence >= evidence[name].logThreshold;

const halves: Partial<Record<Verdict["persona"], EvidenceName[]>> = {
  inverted: ["harm", "says-aligned"],
  coherent: ["harm", "says-misaligned"],
  ambivalent: ["harm", "says-aligned", "says-misaligned"],
  unnamed: ["harm"],
  "self-deprecating": ["self-report-drift", "says-misaligned", "harmless"],
  drifting: ["self-report-drift"],
};

test("nothing is named, or alarmed about, below its thresholds", () => {
  const seen = new Set<Verdict["persona"]>();
  fc.assert(
    fc.property(lives, (life) => {
      const state = createState(settings);
      let before = assess(state);
      for (const datum of dataOf(life)) {
        step(state, datum, state.position + 1);
        const verdict = assess(state);
        const { persona, alarms } = verdict;
        // A latched alarm that is named anew rests on what was reached before.
        const fallsBack = before.persona !== "aligned" && (persona === "unnamed" || persona === "drifting");
        if (persona !== before.persona && !fallsBack) {
          for (const name of halves[persona] ?? [])
            expect([persona, name, reached(verdict, name)]).toEqual([persona, name, true]);
        }
        for (const alarm of alarms.slice(before.alarms.length)) expect(alarm.position).toBe(verdict.position);
        if (before.severity === "none" && verdict.severity !== "none") {
          const sources = ["harm", "self-report-drift", "unanswered-up", "refusals-up", "refusals-down"] as const;
          expect(sources.some((source) => reached(verdict, source))).toBe(true);
        }
        seen.add(persona);
        before = verdict;
      }
    }),
    { numRuns: 50, seed: 7 },
  );
  // The property says something only if names were given.
  expect([...seen]).toEqual(expect.arrayContaining(["inverted", "coherent", "unnamed", "drifting"]));
});

test("every verdict gives its numbers: evidence against a threshold, an interval, a sample size", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const state = createState(settings);
      dataOf(life).forEach((datum, at) => {
        step(state, datum, state.position + 1);
        if (at % 20 !== 0) return;
        const { reasons, missing, persona } = assess(state);
        const text = reasons.join("\n");
        expect(text).toMatch(persona === "undetermined" ? /\d+ of \d+/ : /e\^-?[\d.]+|none yet/);
        expect(text).toMatch(/\d+ (?:of|judged|self-report)/);
        if (persona === "unnamed" || persona === "undetermined" || persona === "drifting") {
          expect(missing.length).toBeGreaterThan(0);
        }
        for (const sentence of reasons) expect(sentence).toMatch(/^[A-Z].*[.]$/s);
      });
    }),
    { numRuns: 30, seed: 8 },
  );
});
