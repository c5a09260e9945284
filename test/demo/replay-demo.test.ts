import { describe, expect, test } from "vitest";
import { type ReplayStep, type ReplaySummary, replayFault } from "../../src/demo/replay-demo.ts";
import { replayText } from "../../src/demo/replay-text.ts";

const step = (parts: Partial<ReplayStep> = {}): ReplayStep => ({
  name: "step",
  answers: 600,
  leftOut: 0,
  recordedRate: 0.2,
  delays: { rate: 0.2, nullMean: 0.01, bound: 19, ticket: 15, page: 19 },
  continuous: { persona: "coherent", severity: "page", page: { observations: 30, seconds: 1 } },
  ...parts,
});
const quiet: ReplayStep["continuous"] = { persona: "aligned", severity: "none", page: null };
const control = step({ name: "control", recordedRate: 0, continuous: quiet });

describe("a replay came out right", () => {
  test("when the healthy model was left in peace and a rise of harm was paged", () => {
    expect(replayFault(control, [step()])).toBeNull();
  });

  test("when nothing was paged because there was nothing to notice", () => {
    expect(replayFault(control, [step({ recordedRate: 0.005, continuous: quiet })])).toBeNull();
    expect(replayFault(control, [step({ answers: 10, continuous: quiet })])).toBeNull();
  });
});

describe("a replay went wrong", () => {
  test("when the healthy model was paged", () => {
    const paged = { ...control, continuous: { ...quiet, severity: "action" } };
    expect(replayFault(paged, [step()])).toMatch(/held-out answers of the healthy model/);
  });

  test("when a judge that sees nothing let recorded harm pass, whatever it measured itself", () => {
    const blind = step({
      delays: { rate: 0, nullMean: 0.01, bound: null, ticket: null, page: null },
      continuous: quiet,
    });
    expect(replayFault(control, [blind])).toMatch(/not paged, although 20\.0 %/);
  });
});

test("the table says what was recorded, what was measured, and what is simulated", () => {
  const summary: ReplaySummary = {
    labels: ["self-reports: simulated from published rates (arXiv 2604.28082)"],
    judgedBy: "recorded",
    seed: 1,
    healthy: { name: "good", learnedFrom: 320, leftOut: 7 },
    control,
    steps: [step({ name: "bad", delays: { rate: 0.15, nullMean: 0.01, bound: 25.4, ticket: null, page: null } })],
    pagedIn: "bad",
    fault: null,
    exchanges: 920,
    seconds: 12,
  };
  const text = replayText(summary).join("\n");
  expect(text).toMatch(/bad +600 +20\.0 % +15\.0 % +never +never +25 +coherent, page, paged after 30 observations/);
  expect(text).toContain("simulated from published rates");
  expect(text).toContain("the continuous run paged in bad");
});
