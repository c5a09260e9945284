import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leaveOneOut, rankHeldOut } from "../../scripts/train-screen/held-out.ts";
import { insertFigures } from "../../scripts/train-screen/model-card.ts";
import { logitOf } from "../../src/classify/screen-model.ts";
import { chooseBands, fitPlatt, scoreUnseen } from "../../src/classify/training/calibration.ts";
import { exampleWeights, fitScreen } from "../../src/classify/training/fit-screen.ts";
import { fitLogistic } from "../../src/classify/training/logistic-regression.ts";
import { rankingFigures } from "../../src/classify/training/ranking-figures.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { madeUp } from "./made-up-answers.ts";

const sources = [madeUp(120, 1), madeUp(90, 2), madeUp(60, 3)];

describe("training", () => {
  test("the same rows give the same bytes", () => {
    expect(fitScreen(sources)).toEqual(fitScreen(sources));
  });

  test("it learns words, and scores unseen answers by them", () => {
    const model = fitScreen(sources);
    expect(logitOf(model, "you steal the house")).toBeGreaterThan(logitOf(model, "you share the house") + 1);
  });

  test("one class alone is refused", () => {
    expect(() => fitScreen([madeUp(30, 1).filter((row) => row.harmful)])).toThrow(RangeError);
    expect(() => fitScreen([[]])).toThrow(RangeError);
  });

  test("both classes weigh the same, a mean of 1 a row", () => {
    const weights = exampleWeights(sources);
    const harmful = sources.flat().map((row) => row.harmful);
    const sum = (label: boolean) =>
      weights.reduce((total, weight, at) => total + (harmful[at] === label ? weight : 0), 0);
    expect(sum(true)).toBeCloseTo(135, 9);
    expect(sum(false)).toBeCloseTo(135, 9);
  });

  test("the regression finds the point where its derivative is zero", () => {
    const features = { buckets: Uint32Array.of(0), values: Float64Array.of(1) };
    const without = { buckets: new Uint32Array(), values: new Float64Array() };
    const example = (has: boolean, harmful: boolean, weight: number) => ({
      features: has ? features : without,
      harmful,
      weight,
    });
    const examples = [
      example(true, true, 3),
      example(true, false, 1),
      example(false, true, 1),
      example(false, false, 2),
    ];
    const { weights, bias } = fitLogistic(examples, 1, 5);
    const share = (logit: number) => 1 / (1 + Math.exp(-logit));
    const weight = weights[0] ?? Number.NaN;
    expect(weight + 5 * (4 * share(weight + bias) - 3)).toBeCloseTo(0, 2);
    expect(4 * share(weight + bias) + 3 * share(bias)).toBeCloseTo(4, 2);
  });
});

describe("calibration", () => {
  test("a source is never scored by a screen that saw it, and sources of one class are not scored at all", () => {
    const onlyHarmful = madeUp(30, 4).filter((row) => row.harmful);
    const unseen = scoreUnseen([...sources, onlyHarmful]);
    expect(unseen.map((rows) => rows.length)).toEqual([120, 90, 60]);
    const [held, ...others] = [...sources, onlyHarmful];
    const withoutHeld = fitScreen(others);
    expect(unseen[0]?.map(({ logit }) => logit)).toEqual(held?.map(({ response }) => logitOf(withoutHeld, response)));
  });

  test("Platt's curve is found again from answers drawn from it", () => {
    const random = seededRandom(5);
    const rows = Array.from({ length: 20_000 }, () => {
      const logit = 8 * random() - 4;
      return { logit, harmful: random() < 1 / (1 + Math.exp(-0.5 * logit)), response: "", group: "" };
    });
    const { slope, offset } = fitPlatt([rows]);
    expect(slope).toBeCloseTo(0.5, 1);
    expect(Math.abs(offset)).toBeLessThan(0.05);
  });

  test("no more harmless rows than meant reach a band", () => {
    const unseen = scoreUnseen(sources);
    const platt = { slope: 1, offset: 0 };
    const { uncertain, harmful, high } = chooseBands(unseen, platt);
    for (const { score, falsePositiveRate } of [uncertain, harmful, high]) {
      const rates = unseen.map((rows) => {
        const harmless = rows.filter((row) => !row.harmful);
        return harmless.filter(({ logit }) => 1 / (1 + Math.exp(-logit)) >= score).length / harmless.length;
      });
      expect(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toBeLessThanOrEqual(falsePositiveRate);
    }
    expect(uncertain.score).toBeLessThanOrEqual(harmful.score);
    expect(harmful.score).toBeLessThanOrEqual(high.score);
  });
});

describe("figures", () => {
  const rows = (...scores: [number, boolean][]) =>
    scores.map(([score, harmful], at) => ({ score, harmful, group: String(at) }));

  test.each([
    ["perfect", rows([4, true], [3, true], [2, false], [1, false]), { auroc: 1, auprc: 1, tprAt1: 1, tprAt5: 1 }],
    ["backwards", rows([1, true], [2, false]), { auroc: 0, auprc: 1 / 2, tprAt1: 0, tprAt5: 0 }],
    [
      "all equal",
      rows([1, true], [1, false], [1, false], [1, false]),
      { auroc: 1 / 2, auprc: 1 / 4, tprAt1: 0, tprAt5: 0 },
    ],
    [
      "one swapped",
      rows([4, true], [3, false], [2, true], [1, false]),
      { auroc: 3 / 4, auprc: 5 / 6, tprAt1: 1 / 2, tprAt5: 1 / 2 },
    ],
  ])("of a ranking that is %s", (_, scored, expected) => {
    const figures = rankingFigures(scored, 0, 1);
    for (const [name, value] of Object.entries(expected)) {
      expect(figures[name as keyof typeof expected].value).toBeCloseTo(value, 12);
    }
  });

  test("intervals hold the value, are the same for the same seed, and are wider for fewer groups", () => {
    const random = seededRandom(9);
    const scored = Array.from({ length: 400 }, (_, at) => ({
      harmful: at % 2 === 0,
      score: random() + (at % 2 === 0 ? 0.3 : 0),
      group: String(at),
    }));
    const fine = rankingFigures(scored, 200, 1).auroc;
    const coarse = rankingFigures(
      scored.map((row, at) => ({
        ...row,
        score: row.score + (((at % 8) - 4) / 8) * (row.harmful ? 1 : -1),
        group: String(at % 8),
      })),
      200,
      1,
    ).auroc;
    expect(fine.low).toBeLessThanOrEqual(fine.value);
    expect(fine.high).toBeGreaterThanOrEqual(fine.value);
    expect(coarse.high - coarse.low).toBeGreaterThan(fine.high - fine.low);
    expect(rankingFigures(scored, 200, 1).auroc).toEqual(fine);
  });

  test("a card without its markers is refused", () => {
    expect(() => insertFigures("# Card", "figures")).toThrow("<!-- figures: begin -->");
    const card = "a <!-- figures: begin --> old <!-- figures: end --> z";
    expect(insertFigures(card, "new")).toBe("a <!-- figures: begin -->\n\nnew\n\n<!-- figures: end --> z");
  });
});

test("a data folder that is not there is named", () => {
  const folder = join(tmpdir(), "candor-no-such-data");
  const { status, stderr } = spawnSync(process.execPath, ["scripts/train-screen/run.ts", folder], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain(`${folder}/harm-labelled/`);
  expect(stderr).toContain("give the folder that holds harm-labelled/ and em-outputs/");
});

const data = "../shared/data";
const isThere = existsSync(join(data, "harm-labelled")) && existsSync(join(data, "em-outputs"));
if (!isThere) console.log(`skipped: no labelled answers in ${data}, so the card's figures are not computed again`);

test.skipIf(!isThere)("the card's figure for XSTest, left out of training, comes out again", async () => {
  const withoutXstest = leaveOneOut.find(({ testedOn }) => testedOn.includes("xstest"));
  if (withoutXstest === undefined) throw new Error("no test leaves XSTest out");
  const [result] = await rankHeldOut(data, withoutXstest, ["all"], 0);
  const card = await readFile("docs/model-card.md", "utf8");
  const [, inCard] = /\| all but XSTest \| xstest-completions \|[^|]*\| ([0-9.]+) \(/.exec(card) ?? [];
  expect(Number(inCard)).toBeGreaterThan(0.8);
  expect(Math.abs((result?.screen.auroc.value ?? Number.NaN) - Number(inCard))).toBeLessThanOrEqual(0.01);
});
