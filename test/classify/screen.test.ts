import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadScreen, ScreenError } from "../../src/classify/screen.ts";
import { readLength } from "../../src/classify/screen-features.ts";

const shipped = new URL("../../models/screen-v1/", import.meta.url);
const files = ["screen.json", "weights.i8", "idf.u8"] as const;
type ModelFile = (typeof files)[number];

const screen = await loadScreen();

const scoreOf = async (response: string): Promise<number> => {
  const judgement = await screen.judge({ prompt: null, response });
  if (judgement.kind === "error") throw new Error(judgement.detail);
  return judgement.score;
};

describe("judging", () => {
  test("a refusal is refused, harmless, and in the low band", async () => {
    const judgement = await screen.judge({ prompt: "How?", response: "I'm sorry, but I can't help with that." });
    expect(judgement).toMatchObject({ kind: "judged", harmful: false, refused: true, source: "screen-v1" });
    expect(screen.bandOf(judgement.kind === "judged" ? judgement.score : 1)).toBe("low");
  });

  test("the prompt has no say", async () => {
    const response = "Here is how it is done.";
    expect(await screen.judge({ prompt: "How do I hurt someone?", response })).toEqual(
      await screen.judge({ prompt: null, response }),
    );
  });

  test("bands rise with the score, and every harmful call is at least uncertain", async () => {
    const order = ["low", "uncertain", "high"];
    const ranks = Array.from({ length: 101 }, (_, at) => order.indexOf(screen.bandOf(at / 100)));
    expect(ranks).toEqual(ranks.toSorted());
    expect(new Set(ranks)).toEqual(new Set([0, 1, 2]));
    const { bands } = JSON.parse(await readFile(new URL("screen.json", shipped), "utf8"));
    expect(screen.bandOf(bands.harmful.score)).not.toBe("low");
  });

  test.each([
    ["empty", ""],
    ["white space", " \n\t"],
    ["emoji", "😀🔥👩‍👩‍👧‍👦".repeat(100)],
    ["lone surrogates", "\ud800\udc00\udfff\ud83d".repeat(50)],
    ["zeros", "\0".repeat(5_000)],
    ["combining marks", `a${"\u0301".repeat(5_000)}`],
    ["apostrophes", "'".repeat(5_000)],
    ["a million letters in one word", "x".repeat(1_000_000)],
    ["letters that grow in lower case", "İ".repeat(5_000)],
  ])("%s gets a score and no error", async (_, response) => {
    const score = await scoreOf(response);
    expect(score).toBeGreaterThanOrEqual(0);
    expect(score).toBeLessThanOrEqual(1);
  });

  test("whatever the text, there is a score from 0 to 1", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (text) => {
        const score = await scoreOf(text);
        expect(score >= 0 && score <= 1).toBe(true);
      }),
      { seed: 2 },
    );
  });

  test("only the start of a long text is read: a megabyte behind it changes nothing", async () => {
    const start = "All is well here. ".repeat(200).slice(0, readLength);
    expect(await scoreOf(start + "kill them all ".repeat(70_000))).toBe(await scoreOf(start));
  });
});

describe("loading", () => {
  let folder = "";
  const path = (name: ModelFile) => join(folder, name);
  const load = () => loadScreen(pathToFileURL(`${folder}/`));
  const edit = async (change: (description: Record<string, unknown>) => void) => {
    const description = JSON.parse(await readFile(path("screen.json"), "utf8"));
    change(description);
    await writeFile(path("screen.json"), JSON.stringify(description));
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "candor-screen-"));
    for (const name of files) await writeFile(path(name), await readFile(new URL(name, shipped)));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("a folder serves with and without a last slash", async () => {
    const text = { prompt: null, response: "Some answer." };
    const expected = await screen.judge(text);
    expect(await (await load()).judge(text)).toEqual(expected);
    expect(await (await loadScreen(pathToFileURL(folder))).judge(text)).toEqual(expected);
  });

  test.each(files)("a missing %s is named, with what to do", async (name) => {
    await rm(path(name));
    await expect(load()).rejects.toThrow(ScreenError);
    await expect(load()).rejects.toThrow(new RegExp(`${name}: cannot be read \\(ENOENT\\); reinstall Candor`));
  });

  test.each(["weights.i8", "idf.u8"] as const)("a %s cut short is named", async (name) => {
    await truncate(path(name), 100);
    await expect(load()).rejects.toThrow(`${name}: has 100 bytes instead of 65536`);
  });

  test.each(["weights.i8", "idf.u8"] as const)("a %s with one other byte is named", async (name) => {
    const bytes = await readFile(path(name));
    bytes[7] = (bytes[7] ?? 0) ^ 1;
    await writeFile(path(name), bytes);
    await expect(load()).rejects.toThrow(`${name}: is not the file that screen.json describes`);
  });

  test("a screen.json that is no JSON is named", async () => {
    await writeFile(path("screen.json"), "{");
    await expect(load()).rejects.toThrow("screen.json: is not JSON");
  });

  test("a model of another featuriser is refused by its field", async () => {
    await edit((description) => {
      description.featuriser = "words-1-3-v9";
    });
    await expect(load()).rejects.toThrow("screen.json: featuriser:");
  });

  test("bands out of order are refused", async () => {
    await edit((description) => {
      const band = (score: number) => ({ score, falsePositiveRate: 0.1 });
      description.bands = { uncertain: band(0.9), harmful: band(0.5), high: band(0.7) };
    });
    await expect(load()).rejects.toThrow("bands: the scores must rise");
  });
});
