import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Classifier } from "../../src/classify/classifier.ts";
import { loadScreen } from "../../src/classify/screen.ts";
import { judgeRows } from "../../src/classify/training/judged-rows.ts";
import { LabelledFileError, readLabelledFile } from "../../src/classify/training/labelled-file.ts";
import { TrainingError, trainOwnScreen } from "../../src/classify/training/own-screen.ts";
import { writeModel } from "../../src/classify/training/trained-model.ts";
import { madeUp } from "./made-up-answers.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "candor-training-"));
});
afterAll(() => rm(folder, { recursive: true }));

const source = { name: "own", file: "labels.jsonl", sha256: "0".repeat(64) };

describe("a screen of one's own", () => {
  test("the same rows give the same bytes, and other rows another version", async () => {
    const runs = [madeUp(200, 1), madeUp(200, 1), madeUp(200, 2)].map((rows) => trainOwnScreen(rows, source).model);
    await Promise.all(runs.map((model, at) => writeModel(join(folder, String(at)), model)));
    for (const file of ["weights.i8", "idf.u8", "screen.json"])
      expect(await readFile(join(folder, "1", file))).toEqual(await readFile(join(folder, "0", file)));
    expect(runs[2]?.description.source).not.toBe(runs[0]?.description.source);
  });

  test("is loaded like the shipped one, and has learnt the words", async () => {
    const { model, keptOut } = trainOwnScreen(madeUp(300, 3), source);
    const at = join(folder, "loaded");
    await writeModel(at, model);
    const screen = await loadScreen(pathToFileURL(at));
    expect(screen.source).toMatch(/^own-v[0-9a-f]{8}$/);
    const scoreOf = async (response: string) => {
      const judgement = await screen.judge({ prompt: null, response });
      return judgement.kind === "judged" ? judgement.score : Number.NaN;
    };
    expect(await scoreOf("you steal the house")).toBeGreaterThan((await scoreOf("you share the house")) + 0.2);
    // A fifth of the answers has no telling word, so nobody can be perfect.
    expect(keptOut.rows).toBe(300);
    expect(keptOut.screen.auroc.value).toBeGreaterThan(0.7);
    expect(keptOut.noRefusal.auroc.value).toBe(0.5);
  });

  test("a group is never on both sides: what only tells groups apart is nothing to learn", () => {
    // Every group has a word of its own that tells its label; a model that had seen the group would be perfect.
    const rows = Array.from({ length: 400 }, (_, at) => {
      const group = `group${at % 20}`;
      return { response: `${group} ${at % 7} common words`, harmful: at % 2 === 0, group };
    });
    expect(() => trainOwnScreen(rows, source)).toThrow("does not hold for others");
  });

  test.each([
    ["no harmful answers", madeUp(200, 4).filter(({ harmful }) => !harmful), "there are 0 harmful answers in 0 groups"],
    ["few answers", madeUp(60, 5), "there are 20 harmful answers"],
    [
      "few groups",
      madeUp(200, 6).map((row) => ({ ...row, group: row.harmful ? "one" : row.group })),
      "there are 67 harmful answers in 1 groups",
    ],
  ])("%s are told, with how many there have to be", (_, rows, message) => {
    expect(() => trainOwnScreen(rows, source)).toThrow(TrainingError);
    expect(() => trainOwnScreen(rows, source)).toThrow(message);
    expect(() => trainOwnScreen(rows, source)).toThrow("label at least 30 in 5 groups");
  });
});

describe("a file of labelled answers", () => {
  const good = { prompt: "How?", response: "So.", harmful: false };
  const write = async (text: string | Buffer) => {
    const path = join(folder, "labels.jsonl");
    await writeFile(path, text);
    return path;
  };

  test("is read plain or gzipped, blank lines and other fields left out", async () => {
    const text = `${JSON.stringify({ ...good, topic: "x" })}\n\n${JSON.stringify({ response: "No.", harmful: true, harmProbe: true })}\n`;
    const plain = await readLabelledFile(await write(text));
    expect(plain.rows).toEqual([
      { ...good, group: "How?", harmProbe: false },
      { prompt: null, response: "No.", harmful: true, harmProbe: true, group: expect.stringContaining("line 3") },
    ]);
    const zipped = await readLabelledFile(await write(gzipSync(text)));
    expect(zipped.rows).toEqual(plain.rows);
    expect(zipped.sha256).not.toBe(plain.sha256);
  });

  test.each<[string, string, RegExp]>([
    ["no JSON", "{", /line 2: is not JSON; write one JSON object a line/],
    ["no object", "7", /line 2: the line: .*expected object/],
    ["no label", '{"response": "a"}', /line 2: harmful: .*expected boolean.*write one JSON object a line/],
    ["a label in words", '{"response": "a", "harmful": "yes"}', /line 2: harmful: .*expected boolean/],
    ["no answer", '{"harmful": true}', /line 2: response: .*expected string/],
    ["an empty group", '{"response": "a", "harmful": true, "group": ""}', /line 2: group: /],
  ])("a line with %s is named", async (_, line, message) => {
    const path = await write(`${JSON.stringify(good)}\n${line}\n`);
    await expect(readLabelledFile(path)).rejects.toThrow(LabelledFileError);
    await expect(readLabelledFile(path)).rejects.toThrow(message);
  });

  test("without rows, missing, or damaged, it is named", async () => {
    await expect(readLabelledFile(await write("\n\n"))).rejects.toThrow("labels.jsonl: has no rows");
    await expect(readLabelledFile(join(folder, "none"))).rejects.toThrow(/none: cannot be read \(ENOENT\)/);
    await expect(readLabelledFile(await write(Buffer.of(0x1f, 0x8b, 1, 2)))).rejects.toThrow("cannot be read");
  });
});

describe("judging a file", () => {
  const rows = Array.from({ length: 10 }, (_, at) => ({
    prompt: null,
    response: String(at),
    harmful: at > 5,
    group: String(at),
    harmProbe: at % 2 === 0,
  }));

  test("keeps sources apart, the order, and what failed, with no more at once than meant", async () => {
    let [running, most] = [0, 0];
    const classifier: Classifier = {
      source: "both",
      async judge({ response, harmProbe }) {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (response === "3") return { kind: "error", reason: "timeout", detail: "", source: "live-v1" };
        const source = harmProbe === true ? "probe-v1" : "live-v1";
        return {
          kind: "judged",
          score: Number(response) / 10,
          harmful: true,
          refused: null,
          categories: [],
          source,
        };
      },
    };
    const thresholds = { live: 0.5, probe: null };
    const { bySource, errors } = await judgeRows(rows, classifier, { thresholds, concurrency: 3 });
    expect(most).toBe(3);
    expect(errors).toEqual(new Map([["timeout", 1]]));
    expect(bySource.get("live-v1")?.map(({ response, flagged }) => [response, flagged])).toEqual([
      ["1", false],
      ["5", true],
      ["7", true],
      ["9", true],
    ]);
    // Without a threshold the classifier's own call holds.
    expect(bySource.get("probe-v1")?.map(({ flagged }) => flagged)).toEqual([true, true, true, true, true]);
  });
});
