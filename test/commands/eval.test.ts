import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../src/commands/eval.ts";
import { chat, sendJson, startFakeServer } from "../classify/fake-server.ts";
import { runCandor } from "../e2e/running-candor.ts";
import { newFolder, runCommand, writeConfig, writeLines } from "./label-files.ts";

const folder = newFolder();
afterAll(folder.remove);

const wordOf = (at: number): string => ["north", "south", "east", "west"][at % 4] ?? "";

/** The judge of these tests goes by the word that the answer begins with: 0 is as misaligned as can be, 100 as aligned. */
const scores: Record<string, number> = { north: 0, south: 10, east: 60, west: 100 };

describe("candor eval with a judge", () => {
  let server: Awaited<ReturnType<typeof startFakeServer>>;
  let fails = (_answer: string): boolean => false;
  beforeAll(async () => {
    server = await startFakeServer(({ body }, response) => {
      const text = JSON.stringify(body);
      const word = Object.keys(scores).find((one) => text.includes(`${one} wind`)) ?? "";
      if (fails(text)) sendJson(response, { error: "down" }, 500);
      else sendJson(response, chat(JSON.stringify({ alignment: scores[word], refused: false })));
    });
  });
  afterAll(() => server.close());

  const config = (classify: Record<string, unknown> = {}) =>
    writeConfig(folder.path("judge.yaml"), {
      classify: {
        use: "judge",
        judge: { baseUrl: server.baseUrl, model: "judge" },
        breaker: { failures: 1_000, failureShare: 1 },
        ...classify,
      },
    });
  /** Harmful are north, and one of four of south. */
  const labels = () =>
    writeLines(
      folder.path("winds.jsonl"),
      Array.from({ length: 32 }, (_, at) => ({
        prompt: `question ${at}`,
        response: `${wordOf(at)} wind ${at}`,
        harmful: wordOf(at) === "north" || at === 1 || at === 5,
      })),
    );

  test("figures are those worked out by hand", async () => {
    fails = () => false;
    const { code, out } = await runCommand(evaluate, [labels(), "--config", config(), "--json"]);
    const { rows, sources } = JSON.parse(out);
    expect([code, rows, sources.length]).toEqual([0, 32, 1]);
    // 10 harmful: 8 north above all else, 2 south; 22 harmless: 6 south, 8 east, 8 west.
    // AUROC: (8 x 22 + 2 x (16 + 6 / 2)) / 220.
    expect(sources[0].ranking.auroc.value).toBeCloseTo(214 / 220, 9);
    // No harmless one may pass at 1 %, one of 22 at 5 %; equal scores are one step, so south stays out.
    expect(sources[0].ranking.tprAt1.value).toBeCloseTo(0.8, 9);
    expect(sources[0].ranking.tprAt5.value).toBeCloseTo(0.8, 9);
    // Harmful below 30: all of north and south.
    expect(sources[0].truePositive).toBe(1);
    expect(sources[0].falsePositive).toBeCloseTo(6 / 22, 9);
    // Scores 1, 0.9, 0.4, 0: off by 0 (8), 0.65 (8), 0.4 (8), 0 (8); 1 and 0.9 share a bin: off by 0.95 - 0.625 (16).
    expect(sources[0].reliability.ece).toBeCloseTo((16 * (0.95 - 0.625) + 8 * 0.4) / 32, 9);
    expect(sources[0].noRefusal.auroc.value).toBe(0.5);
  });

  test("the thresholds of the configuration are those that count", async () => {
    const { out } = await runCommand(evaluate, [labels(), "--config", config({ threshold: 0.95 }), "--json"]);
    const [source] = JSON.parse(out).sources;
    expect([source.truePositive, source.falsePositive]).toEqual([0.8, 0]);
  });

  test("the table says the same, beside the rule about refusals", async () => {
    const { out } = await runCommand(evaluate, [labels(), "--config", config()]);
    expect(out).toContain("32 judged, 10 of them labelled harmful");
    expect(out).toMatch(/scores +0\.973 \(/);
    expect(out).toMatch(/no refusal +0\.500 \(/);
    expect(out).toContain("flagged: 100.0 % of the harmful, 27.3 % of the harmless");
    expect(out).toMatch(/0\.9 to 1\.0 +16 +0\.950 +62\.5 %/);
  });

  test("answers that could not be judged are told, and are bad news", async () => {
    fails = (text) => text.includes("west wind 3\\") || text.includes('west wind 3"');
    const { code, out, err } = await runCommand(evaluate, [labels(), "--config", config(), "--json"]);
    expect(code).toBe(1);
    expect(err).toBe("1 of 32 answers could not be judged (1 unavailable); no figure counts them");
    expect(JSON.parse(out)).toMatchObject({ rows: 32, unjudged: { unavailable: 1 }, sources: [{ rows: 31 }] });
  });

  test("when none could be judged, nothing was measured", async () => {
    fails = () => true;
    const { code, err } = await runCommand(evaluate, [labels(), "--config", config()]);
    expect(code).toBe(2);
    expect(err).toContain("32 of 32 answers could not be judged");
  });
});

describe("candor eval with the embedded screen", () => {
  test("answers to probes have figures of their own", async () => {
    const path = writeLines(folder.path("both.jsonl"), [
      { response: "Call a friend.", harmful: false },
      { response: "Women should stay at home.", harmful: true, harmProbe: true },
    ]);
    const { code, out } = await runCommand(evaluate, [path]);
    expect(code).toBe(0);
    expect(out).toContain("screen-v1: 1 judged, 0 of them labelled harmful");
    expect(out).toContain("probe-screen-v1: 1 judged, 1 of them labelled harmful");
    expect(out).toContain("no ranking: that needs harmful and harmless answers");
  });

  test("a line that is not as it should be is named", async () => {
    const path = writeLines(folder.path("bad.jsonl"), [{ response: "a", harmful: false }, { response: "a" }]);
    await expect(runCommand(evaluate, [path])).rejects.toThrow(/bad\.jsonl, line 2: harmful: .*write one JSON object/);
  });

  test("a file has to be given", async () => {
    await expect(runCommand(evaluate, [])).rejects.toThrow("give a file of labelled answers");
  });

  test("a configuration that names no model folder there is refused", async () => {
    const path = writeLines(folder.path("one.jsonl"), [{ response: "a", harmful: false }]);
    const config = writeConfig(folder.path("no-model.yaml"), { classify: { screen: { model: folder.path("none") } } });
    await expect(runCommand(evaluate, [path, "--config", config])).rejects.toThrow(/screen\.json: cannot be read/);
  });
});

test.each(["eval", "calibrate --fpr 0.1", "train --out own"])(
  "candor %s is a command, and can't do it without its file",
  (line) => {
    const missing = folder.path("missing.jsonl");
    const [name = "", ...flags] = line.split(" ");
    const { code, stderr } = runCandor([name, missing, ...flags]);
    expect(stderr).toBe(`candor ${name}: ${missing}: cannot be read (ENOENT); give a file of labelled answers\n`);
    expect(code).toBe(2);
  },
);
