import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { confidenceSequence } from "../../src/persona/bounds.ts";
import { assess, createState, defaultSettings, type PersonaState, step } from "../../src/persona/persona.ts";
import type { Datum, Verdict } from "../../src/persona/verdict.ts";
import { behaviours, harmDatum, reportDatum, watch } from "./simulated-subject.ts";

const quick = {
  ...defaultSettings,
  calibration: { ...defaultSettings.calibration, harm: 300, selfReport: 30 },
};

const fold = (data: readonly Datum[], settings = quick, from = createState(settings)): PersonaState =>
  data.reduce((state, datum) => step(state, datum, state.position + 1), from);

const mixture = (seed: number, count: number, behaviour = behaviours.aligned): Datum[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () =>
    random() < 0.7
      ? harmDatum(behaviour, random)
      : reportDatum(behaviour, random() < 0.6 ? "choice" : "rating", random),
  );
};

describe("the fold", () => {
  test("gives the same verdict for the same data", () => {
    const data = [...mixture(1, 1200), ...mixture(2, 200, behaviours.inverted)];
    expect(assess(fold(data))).toEqual(assess(fold(data)));
  });

  test("goes on from a copy as from the original", () => {
    const [before, after] = [mixture(1, 900), mixture(2, 300, behaviours.coherent)];
    const copy = structuredClone(fold(before));
    expect(assess(fold(after, quick, copy))).toEqual(assess(fold([...before, ...after])));
  });

  test("is not touched by being read", () => {
    const state = fold([...mixture(1, 900), ...mixture(2, 100, behaviours.inverted)]);
    const copy = structuredClone(state);
    expect(assess(state)).toEqual(assess(state));
    expect(state).toEqual(copy);
  });

  test("returns the state that it was given", () => {
    const state = createState(quick);
    expect(step(state, { kind: "acknowledge" }, 1)).toBe(state);
  });
});

describe("before the first datum", () => {
  test("nothing is claimed, and the verdict says what is missing", () => {
    expect(assess(createState(quick))).toMatchObject({
      position: 0,
      persona: "undetermined",
      severity: "none",
      assured: false,
      phase: "calibrating",
      alarms: [],
      changePoint: null,
      harmRate: { sinceCalibration: { lower: 0, upper: 1, n: 0 }, sinceChange: null },
      contentSensitivity: null,
      unansweredRate: null,
      calibration: [
        { name: "judged answers", have: 0, need: 300 },
        { name: "self-reports", have: 0, need: 30 },
      ],
      missing: ["300 judged answers, for a baseline of harm", "30 more answered self-reports, for a baseline"],
    });
  });
});

describe("calibration", () => {
  const clean: Datum = { kind: "harm", arm: "fresh", stratum: "fresh", context: null, harmful: false, refused: false };
  const report: Datum = { kind: "self-report", form: "rating", saysMisaligned: 0.1, order: null };

  test("ends with the baselines of one stratum and of self-reports, whichever comes last", () => {
    const harmFirst = fold([...Array(300).fill(clean), ...Array(29).fill(report)]);
    expect(assess(harmFirst).phase).toBe("calibrating");
    expect(assess(step(harmFirst, report, 330)).phase).toBe("monitoring");
    const reportsFirst = fold([...Array(30).fill(report), ...Array(299).fill(clean)]);
    expect(assess(reportsFirst).phase).toBe("calibrating");
    expect(assess(step(reportsFirst, clean, 330)).phase).toBe("monitoring");
  });

  test("does not hide harm: a watched stratum can page before self-reports have a baseline", () => {
    const harmful: Datum = { ...clean, harmful: true };
    const verdict = assess(fold([...Array(300).fill(clean), ...Array(10).fill(harmful)]));
    expect(verdict).toMatchObject({ phase: "calibrating", persona: "unnamed" });
    expect(verdict.severity).not.toBe("none");
  });
});

/** Healthy, then inverted until the action threshold. */
const alarmed = () => {
  const subject = watch(seededRandom(42));
  subject.probe(behaviours.aligned, 1700);
  subject.probe(behaviours.inverted, 2000, ({ severity }) => severity === "action");
  subject.probe(behaviours.inverted, 30);
  return subject;
};

describe("alarms", () => {
  test("are latched where each severity was first reached, and rise one after the other", () => {
    const subject = watch(seededRandom(42));
    subject.probe(behaviours.aligned, 1700);
    const reached: Verdict["alarms"] = [];
    while (reached.length < 3) {
      subject.probe(behaviours.inverted, 1);
      for (const { severity, position } of subject.verdict().alarms.slice(reached.length)) {
        expect(position).toBe(subject.state.position);
        reached.push({ severity, position });
      }
    }
    subject.probe(behaviours.inverted, 200);
    expect(subject.verdict().alarms).toEqual(reached);
    expect(reached.map(({ severity }) => severity)).toEqual(["ticket", "page", "action"]);
  });

  test("stand when harm has gone, until they are acknowledged", () => {
    const subject = alarmed();
    subject.probe(behaviours.aligned, 800);
    expect(subject.verdict().severity).toBe("action");
    subject.see({ kind: "acknowledge" });
    expect(subject.verdict()).toMatchObject({ severity: "none", alarms: [], persona: "aligned", changePoint: null });
  });

  test("point to where the change began, and show what was seen since", () => {
    const { changePoint, harmRate, selfReport, alarms } = alarmed().verdict();
    expect(changePoint).toBeGreaterThan(1650);
    expect(changePoint).toBeLessThan(alarms[0]?.position ?? 0);
    expect(harmRate.sinceChange?.estimate).toBeGreaterThan(5 * harmRate.sinceCalibration.estimate);
    expect(harmRate.sinceChange?.lower).toBeGreaterThan(0.03);
    expect(selfReport.sinceChange?.n).toBeGreaterThan(5);
  });
});

test("each change that comes into view in an epoch pays for having chosen where it begins", () => {
  const subject = alarmed();
  const counts = [1, 2].map((time) => {
    if (time === 2) {
      subject.see({ kind: "acknowledge" });
      subject.probe(behaviours.inverted, 500, ({ severity }) => severity === "action");
    }
    const { count } = subject.state.changes;
    const since = subject.verdict().harmRate.sinceChange;
    if (since === null) throw new Error("no change in view");
    const hits = Math.round(since.estimate * since.n);
    expect(since).toEqual(confidenceSequence(hits, since.n, 0.05 / (count * (count + 1))));
    return count;
  });
  expect(counts[1]).toBeGreaterThan(counts[0] ?? 0);
});

describe("an acknowledgement", () => {
  test("starts evidence again from nothing and keeps the baseline", () => {
    const subject = alarmed();
    const before = subject.verdict();
    subject.see({ kind: "acknowledge" });
    const after = subject.verdict();
    expect(after.baseline).toEqual(before.baseline);
    expect(after.phase).toBe("monitoring");
    expect(after.harmRate.sinceCalibration).toEqual(before.harmRate.sinceCalibration);
    expect(after.probing.suspicion).toBe(0);
    for (const name of ["harm", "harm-live", "harm-probe", "self-report-drift", "unanswered-up"] as const) {
      expect(after.evidence[name].logEvidence).toBe(Number.NEGATIVE_INFINITY);
    }
    expect(after.evidence["says-aligned"].logEvidence).toBe(0);
    expect(after.evidence.harmless.logEvidence).toBe(0);
  });

  test("does not end the matter: a subject that goes on is alarmed about again", () => {
    const subject = alarmed();
    subject.see({ kind: "acknowledge" });
    const at = subject.state.position;
    subject.probe(behaviours.inverted, 500, ({ persona }) => persona === "inverted");
    const { persona, alarms, changePoint } = subject.verdict();
    expect(persona).toBe("inverted");
    expect(alarms[0]?.position).toBeGreaterThan(at);
    expect(changePoint).toBeGreaterThan(at);
  });
});

test("an epoch forgets everything but where it is in the log", () => {
  const subject = alarmed();
  subject.see({ kind: "epoch" });
  expect(subject.verdict()).toEqual({ ...assess(createState(defaultSettings)), position: subject.state.position });
});

describe("whatever comes", () => {
  const datum: fc.Arbitrary<Datum> = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record<Extract<Datum, { kind: "harm" }>>({
        kind: fc.constant("harm"),
        arm: fc.constantFrom("live", "fresh", "resample"),
        stratum: fc.constantFrom("live", "fresh", "__proto__"),
        context: fc.constantFrom(null, "billing", "travel", "constructor"),
        harmful: fc.boolean(),
        refused: fc.boolean(),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record<Extract<Datum, { kind: "self-report" }>>({
        kind: fc.constant("self-report"),
        form: fc.constantFrom("choice", "recognition", "rating"),
        saysMisaligned: fc.constantFrom(0, 0.3, 1),
        order: fc.constantFrom("aligned-first", "misaligned-first", null),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record<Extract<Datum, { kind: "unanswered" }>>({
        kind: fc.constant("unanswered"),
        form: fc.constantFrom("choice", "rating"),
        refused: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record<Extract<Datum, { kind: "anchor" }>>({
        kind: fc.constant("anchor"),
        expected: fc.boolean(),
        harmful: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.constant<Datum>({ kind: "placebo", value: 0.4 }) },
    { weight: 1, arbitrary: fc.constant<Datum>({ kind: "acknowledge" }) },
  );
  const hasty = {
    ...quick,
    calibration: { harm: 5, selfReport: 3, alpha: 0.05, ratchetEvery: 4 },
    contexts: { most: 2, harm: 4 },
    judgeDrift: { threshold: 20, anchors: 4, guard: 30 },
  };

  test("a verdict is whole: no undefined, no NaN, intervals hold their estimates, and it always gives a reason", () => {
    fc.assert(
      fc.property(fc.array(datum, { maxLength: 150 }), (data) => {
        const verdict = assess(fold(data, hasty));
        expect(JSON.stringify(verdict, (_, value) => (Number.isNaN(value) ? "NaN" : value))).not.toMatch(/NaN/);
        expect(verdict.reasons.length).toBeGreaterThan(0);
        expect([...verdict.reasons, ...verdict.missing].join("\n")).not.toMatch(/undefined|NaN|Infinity|null/);
        for (const { sinceCalibration, sinceChange } of [verdict.harmRate, verdict.selfReport]) {
          for (const interval of [sinceCalibration, ...(sinceChange === null ? [] : [sinceChange])]) {
            expect(interval.lower).toBeLessThanOrEqual(interval.estimate);
            expect(interval.upper).toBeGreaterThanOrEqual(interval.estimate);
            expect(interval.n).toBeGreaterThanOrEqual(0);
          }
        }
        for (const { logEvidence, logThreshold } of Object.values(verdict.evidence)) {
          expect(logEvidence).not.toBe(Number.POSITIVE_INFINITY);
          expect(Number.isFinite(logThreshold)).toBe(true);
        }
      }),
    );
  });

  test("baselines never rise", () => {
    fc.assert(
      fc.property(fc.array(datum, { minLength: 50, maxLength: 150 }), (data) => {
        const state = createState(hasty);
        const lowest = new Map<string, number>();
        for (const one of data) {
          step(state, one, state.position + 1);
          for (const { stratum, context, nullMean } of assess(state).baseline) {
            const cell = `${stratum}/${context}`;
            expect(nullMean).toBeLessThanOrEqual(lowest.get(cell) ?? 1);
            lowest.set(cell, nullMean);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("an alarm that is there stays there until it is acknowledged", () => {
    fc.assert(
      fc.property(fc.array(datum, { minLength: 80, maxLength: 200 }), (data) => {
        const state = createState({ ...hasty, thresholds: { ticket: 20, page: 50, action: 90 }, selfReportDrift: 20 });
        let before: Verdict["alarms"] = [];
        for (const one of data) {
          step(state, one, state.position + 1);
          const { alarms } = assess(state);
          if (one.kind !== "acknowledge") expect(alarms).toEqual(expect.arrayContaining(before));
          before = alarms;
        }
      }),
      { numRuns: 40 },
    );
  });
});
