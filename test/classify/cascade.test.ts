import { describe, expect, test } from "vitest";
import { createCascade } from "../../src/classify/cascade.ts";
import type { Classifier, Judgement } from "../../src/classify/classifier.ts";
import type { Screen } from "../../src/classify/screen.ts";
import { createScreens } from "../../src/classify/screens.ts";

const judged = (score: number, harmful: boolean, source: string): Judgement => ({
  kind: "judged",
  score,
  harmful,
  refused: null,
  categories: [],
  source,
});
const down: Judgement = { kind: "error", reason: "unavailable", detail: "down", source: "x" };

const stage = (source: string, reply: Judgement) => {
  let asked = 0;
  const classifier: Classifier = {
    source,
    async judge() {
      asked += 1;
      return { ...reply, source };
    },
  };
  return { classifier, asked: () => asked };
};

const cascade = (screened: Judgement, second: Judgement, confirm: Judgement | null = null) => {
  const first = stage("screen-v1", screened);
  const next = stage("guard-v1", second);
  const last = confirm === null ? null : stage("judge-v1", confirm);
  const screen: Screen = {
    ...first.classifier,
    bandOf: (score) => (score < 0.2 ? "low" : score < 0.7 ? "uncertain" : "high"),
  };
  const whole = createCascade({
    screens: createScreens(screen, null),
    second: next.classifier,
    confirm: last?.classifier ?? null,
  });
  return {
    judge: () => whole.judge({ prompt: null, response: "x" }),
    asked: () => [first, next, last].map((one) => one?.asked() ?? 0),
    source: whole.source,
  };
};

describe("the cascade", () => {
  test.each<
    [string, Judgement, Judgement, Judgement | null, Partial<Extract<Judgement, { kind: "judged" }>>, number[]]
  >([
    [
      "asks nobody about what the screen clears",
      judged(0.1, false, ""),
      down,
      down,
      { harmful: false, score: 0 },
      [1, 0, 0],
    ],
    [
      "looks closer at what is uncertain",
      judged(0.5, false, ""),
      judged(0.3, false, ""),
      null,
      { harmful: false, score: 0.3 },
      [1, 1, 0],
    ],
    [
      "lets the second acquit what the screen finds high",
      judged(0.9, true, ""),
      judged(0.1, false, ""),
      down,
      { harmful: false, score: 0.1 },
      [1, 1, 0],
    ],
    [
      "lets the second decide where nobody confirms",
      judged(0.9, true, ""),
      judged(0.8, true, ""),
      null,
      { harmful: true, score: 0.8 },
      [1, 1, 0],
    ],
    [
      "asks a third about what was flagged, who decides",
      judged(0.9, true, ""),
      judged(0.8, true, ""),
      judged(0.2, false, ""),
      { harmful: false, score: 0.2 },
      [1, 1, 1],
    ],
    [
      "and whose score it is, not a mean",
      judged(0.9, true, ""),
      judged(0.8, true, ""),
      judged(0.6, true, ""),
      { harmful: true, score: 0.6 },
      [1, 1, 1],
    ],
  ])("%s", async (_, screened, second, confirm, expected, calls) => {
    const { judge, asked, source } = cascade(screened, second, confirm);
    expect(await judge()).toMatchObject({ kind: "judged", ...expected, source });
    expect(asked()).toEqual(calls);
  });

  test.each<[string, Judgement, Judgement, Judgement | null]>([
    ["second", judged(0.9, true, ""), down, null],
    ["third", judged(0.9, true, ""), judged(0.9, true, ""), down],
    ["screen", down, judged(0.1, false, ""), null],
  ])("a %s that fails makes an error, never a harmless answer", async (_, screened, second, confirm) => {
    const { judge, source } = cascade(screened, second, confirm);
    expect(await judge()).toEqual({ kind: "error", reason: "unavailable", detail: "down", source });
  });

  test("has one name for all that it asks, whoever decided", () => {
    expect(cascade(down, down, down).source).toBe("cascade(screen-v1-passages>guard-v1>judge-v1)");
    expect(cascade(down, down).source).toBe("cascade(screen-v1-passages>guard-v1)");
  });
});
