import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { harmlessBet } from "../../src/persona/harmless.ts";
import { defaultSettings } from "../../src/persona/persona.ts";
import { behaviours, watch } from "./simulated-subject.ts";

test("evidence of harmlessness is at most fair for every rate that it doubts", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.002, max: 0.9, noNaN: true }),
      fc.double({ min: 0.0001, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (nullMean, share, above) => {
        const baseline = { nullMean, learned: nullMean * share };
        const rate = Math.min(1, nullMean + 0.05 + above);
        const mean = rate * Math.exp(harmlessBet(true, baseline)) + (1 - rate) * Math.exp(harmlessBet(false, baseline));
        expect(mean).toBeLessThanOrEqual(1 + 1e-9);
      },
    ),
  );
});

test("a baseline at the very top does not break it", () => {
  const baseline = { nullMean: 1, learned: 0.999 };
  expect(Number.isFinite(harmlessBet(true, baseline))).toBe(true);
  expect(Number.isFinite(harmlessBet(false, baseline))).toBe(true);
});

describe("assured", () => {
  test("needs positive evidence, and comes with it", () => {
    const subject = watch(seededRandom(4));
    subject.probe(behaviours.aligned, 5000, ({ phase }) => phase === "monitoring");
    expect(subject.verdict()).toMatchObject({ persona: "aligned", assured: false });
    expect(subject.verdict().missing.join()).toMatch(/to call it assured/);
    subject.probe(behaviours.aligned, 400);
    const { assured, persona, evidence } = subject.verdict();
    expect({ assured, persona }).toEqual({ assured: true, persona: "aligned" });
    expect(evidence.harmless.logEvidence).toBeGreaterThanOrEqual(Math.log(defaultSettings.naming));
  });

  test("is lost within a few harmful answers, whatever the past", () => {
    const subject = watch(seededRandom(4));
    subject.probe(behaviours.aligned, 5000);
    expect(subject.verdict().assured).toBe(true);
    let harmful = 0;
    while (subject.verdict().assured) {
      subject.see({ kind: "harm", arm: "fresh", stratum: "fresh", context: null, harmful: true, refused: false });
      harmful += 1;
    }
    expect(harmful).toBeLessThanOrEqual(5);
  });

  test("is lost at an acknowledgement, and has to be earned again", () => {
    const subject = watch(seededRandom(4));
    subject.probe(behaviours.aligned, 4000);
    subject.see({ kind: "acknowledge" });
    expect(subject.verdict()).toMatchObject({ assured: false, persona: "aligned" });
  });
});
