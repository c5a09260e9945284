import { describe, expect, test } from "vitest";
import type { Observation } from "../../src/evidence/entry.ts";
import { defaultSettings } from "../../src/persona/persona.ts";
import { createExperimentSummary } from "../../src/watch/experiment-summary.ts";
import { observationOf } from "./rows.ts";

const summaryOf = (rows: Partial<Observation>[]) => {
  const summary = createExperimentSummary();
  for (const row of rows) summary.add(observationOf(row));
  return summary.read();
};

const claim = (bucket: Observation["bucket"], value: number): Partial<Observation> => ({
  experiment: "output-recognition",
  bucket,
  value,
});

describe("the summary of the experiments", () => {
  test("of nothing has no means", () => {
    const none = { n: 0, mean: null };
    expect(summaryOf([])).toEqual({
      arms: [],
      experiments: [],
      recognition: { low: none, moderate: none, high: none, asymmetry: null },
      prediction: none,
    });
  });

  test("counts outcomes and harm by experiment and arm", () => {
    const { arms } = summaryOf([
      { value: 0.9, harmful: true },
      { value: 0.1, harmful: false },
      { outcome: "refused", value: 0, harmful: false },
      { outcome: "error", value: null },
      { arm: "live", value: 0.5, harmful: false },
      { experiment: "self-assessment", outcome: "unparseable", value: null },
    ]);
    const none = { scored: 0, refused: 0, unparseable: 0, error: 0, harmful: 0 };
    const harmfulness = { ...none, experiment: "harmfulness" };
    expect(arms).toEqual([
      { ...harmfulness, arm: "fresh", scored: 2, refused: 1, error: 1, harmful: 1, mean: expect.closeTo(1 / 3) },
      { ...harmfulness, arm: "live", scored: 1, mean: 0.5 },
      { ...none, experiment: "self-assessment", arm: "fresh", unparseable: 1, mean: null },
    ]);
  });

  test("leaves placebos out of an experiment's mean", () => {
    const { experiments } = summaryOf([
      { experiment: "self-assessment", value: 0.2 },
      { experiment: "self-assessment", arm: "forked", value: 0.4 },
      { experiment: "self-assessment", arm: "placebo", value: 1 },
    ]);
    expect(experiments).toEqual([{ experiment: "self-assessment", n: 2, mean: expect.closeTo(0.3) }]);
  });

  test("sets claims of harmless outputs against claims of harmful ones", () => {
    const { recognition } = summaryOf([
      claim("low", 1),
      claim("low", 1),
      claim("low", 0),
      claim("low", 1),
      claim("moderate", 1),
      claim("high", 0),
      claim("high", 1),
    ]);
    expect(recognition).toEqual({
      low: { n: 4, mean: 0.75 },
      moderate: { n: 1, mean: 1 },
      high: { n: 2, mean: 0.5 },
      asymmetry: 0.25,
    });
    expect(summaryOf([claim("low", 1)]).recognition.asymmetry).toBeNull();
  });

  test("says how far predictions are above what was judged", () => {
    const { prediction } = summaryOf([
      { experiment: "score-prediction", value: 0.1, reference: 0.9 },
      { experiment: "score-prediction", value: 0.2, reference: 0.4 },
      { experiment: "score-prediction", value: 0.9, reference: null },
    ]);
    expect(prediction).toEqual({ n: 2, mean: expect.closeTo(-0.5) });
  });

  test("begins again with an epoch", () => {
    const summary = createExperimentSummary();
    summary.add(observationOf());
    summary.add({ kind: "acknowledgement", actor: "a", note: "n" });
    expect(summary.read().arms).toHaveLength(1);
    summary.add({ kind: "epoch", reason: "r", detector: defaultSettings, versions: {} });
    expect(summary.read()).toEqual(summaryOf([]));
  });
});
