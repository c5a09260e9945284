import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { check } from "../../src/commands/check.ts";
import { evaluate } from "../../src/commands/eval.ts";
import { train } from "../../src/commands/train.ts";
import { madeUp } from "../classify/made-up-answers.ts";
import { newFolder, runCommand, writeConfig, writeLines } from "./label-files.ts";

const folder = newFolder();
afterAll(folder.remove);

const labels = writeLines(folder.path("labels.jsonl"), [
  ...madeUp(240, 1),
  ...madeUp(150, 2).map((row) => ({ ...row, harmProbe: true })),
]);

describe("candor train", () => {
  test("its model judges once the configuration says so, and its figures are told beside the rule about refusals", async () => {
    const model = folder.path("own");
    const { code, out } = await runCommand(train, [labels, "--out", model]);
    expect(code).toBe(0);
    expect(out).toMatch(/own-v[0-9a-f]{8}, trained on 240 answers/);
    expect(out).toMatch(/this screen: AUROC 0\.[89]/);
    expect(out).toContain("no refusal phrase: AUROC 0.500");
    expect(out).toContain(`classify:\n  screen:\n    model: ${JSON.stringify(model)}`);
    const config = writeConfig(folder.path("own.yaml"), { classify: { screen: { model } } });
    const evaluated = await runCommand(evaluate, [labels, "--config", config]);
    expect(evaluated.out).toMatch(/own-v[0-9a-f]{8}: 240 judged/);
    expect(evaluated.out).toContain("probe-screen-v1: 150 judged");
  });

  test("with --harm-probes it learns from the answers to probes, for them", async () => {
    const model = folder.path("probes");
    const args = [labels, "--out", model, "--name", "our-probes", "--harm-probes", "--json"];
    const { rows, source, keptOut } = JSON.parse((await runCommand(train, args)).out);
    expect(rows).toBe(150);
    expect(source).toMatch(/^our-probes-v[0-9a-f]{8}$/);
    expect(keptOut.screen.auroc.value).toBeGreaterThan(0.7);
    const { trainedOn } = JSON.parse(readFileSync(folder.path("probes/screen.json"), "utf8"));
    expect(trainedOn).toMatchObject([{ file: "labels.jsonl", rows: 150, harmful: 50 }]);
  });

  test("a folder with a model in it is left alone", async () => {
    const model = folder.path("twice");
    await runCommand(train, [labels, "--out", model]);
    await expect(runCommand(train, [labels, "--out", model])).rejects.toThrow("holds a model already: name another");
  });

  test.each<[string, string[], string]>([
    ["no folder", [labels], "give --out with a folder"],
    ["no file", ["--out", folder.path("x")], "give a file of labelled answers"],
    ["a name that no evidence could carry", [labels, "--out", folder.path("x"), "--name", "Our Own"], "--name is"],
    ["an unknown flag", [labels, "--speed"], "--speed"],
  ])("%s is told", async (_, args, message) => {
    await expect(runCommand(train, args)).rejects.toThrow(message);
  });

  test("too few labels are told, and nothing is written", async () => {
    const few = writeLines(folder.path("few.jsonl"), madeUp(30, 3));
    await expect(runCommand(train, [few, "--out", folder.path("few")])).rejects.toThrow(
      "label at least 30 in 5 groups",
    );
    expect(() => readFileSync(folder.path("few/screen.json"))).toThrow("ENOENT");
  });
});

test("candor check refuses a configuration whose model can't be loaded, and takes one whose model can", async () => {
  const model = folder.path("checked");
  const config = writeConfig(folder.path("check.yaml"), { classify: { screen: { model } } });
  await expect(runCommand(check, [config])).rejects.toThrow(/checked\/screen\.json: cannot be read/);
  await runCommand(train, [labels, "--out", model]);
  expect((await runCommand(check, [config])).out).toContain("valid");
});
