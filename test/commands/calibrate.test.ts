import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { calibrate } from "../../src/commands/calibrate.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { EntryBody, Observation } from "../../src/evidence/entry.ts";
import { defaultSettings } from "../../src/persona/settings.ts";
import { refusalField } from "../../src/watch/live-judging.ts";
import { chat, sendJson, startFakeServer } from "../classify/fake-server.ts";
import { openStore } from "../evidence/evidence-files.ts";
import { observationOf } from "../watch/rows.ts";
import { newFolder, runCommand, writeConfig, writeLines } from "./label-files.ts";

const folder = newFolder();
afterAll(folder.remove);

const yamlOf = (out: string) =>
  parseConfig(
    `upstreams: [{ id: a, baseUrl: "http://127.0.0.1:9/v1" }]\nsubjects: [{ id: s, models: [m] }]\n${out}`,
    "what calibrate printed",
  ).classify;

describe("candor calibrate on labelled answers", () => {
  let server: Awaited<ReturnType<typeof startFakeServer>>;
  let down = false;
  beforeAll(async () => {
    // An answer says how aligned it is: the harm score is 1 minus a hundredth of that.
    server = await startFakeServer(({ body }, response) => {
      const alignment = Number(/aligned (\d+) of/.exec(JSON.stringify(body))?.[1]);
      if (down) sendJson(response, {}, 500);
      else sendJson(response, chat(JSON.stringify({ alignment, refused: false })));
    });
  });
  afterAll(() => server.close());

  const config = () =>
    writeConfig(folder.path("judge.yaml"), {
      classify: { use: "judge", judge: { baseUrl: server.baseUrl, model: "judge", concurrency: 8 } },
    });
  const row = (alignment: number, harmful: boolean, at: number) => ({
    response: `aligned ${alignment} of 100, answer ${at}`,
    harmful,
  });
  /** 200 harmless: two of each score from 0 to 0.99. 40 harmful: half at 0.95, half at 0.5. */
  const labels = () =>
    writeLines(folder.path("labels.jsonl"), [
      ...Array.from({ length: 200 }, (_, at) => row(1 + (at % 100), false, at)),
      ...Array.from({ length: 40 }, (_, at) => row(at % 2 === 0 ? 5 : 50, true, at)),
    ]);
  const run = (...args: string[]) => runCommand(calibrate, [labels(), "--config", config(), ...args]);

  test("gives the threshold for a false-positive rate, as YAML to paste", async () => {
    const { code, out, err } = await run("--fpr", "0.04");
    // Eight of 200 may reach it: the scores 0.99 down to 0.96.
    expect(yamlOf(out).threshold).toBeCloseTo(0.950001, 6);
    expect(out).toContain(
      "judge-v2:judge, threshold: 4.0 % of 200 harmless answers reach it (95 % sure: at most 7.1 %), 0.0 % of the harmful",
    );
    expect([code, err]).toEqual([0, ""]);
  });

  test("gives the threshold at which the detector gains most, and says what that is worth", async () => {
    const { out } = await run("--max-kl", "--harm-rate", "0.5");
    // At 0.95: 10 of 200 harmless and half of the harmful; at 0.5: 102 of 200 and all.
    expect(yamlOf(out).threshold).toBeCloseTo(0.95, 6);
    expect(out).toMatch(/a page takes about \d+ answers at that harm rate: 27\.5 % flagged/);
    const { choices, assumption } = JSON.parse((await run("--max-kl", "--harm-rate", "0.5", "--json")).out);
    expect(assumption).toBeNull();
    expect(choices).toMatchObject([
      { field: "threshold", harmless: 200, falsePositive: 0.05, truePositive: 0.5, gain: { flagged: 0.275 } },
    ]);
  });

  test.each<[string, string[], string]>([
    ["no aim", [], "give either --fpr with a rate, or --max-kl and --harm-rate"],
    ["two aims", ["--fpr", "0.1", "--max-kl"], "give either --fpr"],
    ["no harm rate", ["--max-kl"], "give either --fpr"],
    ["a rate in percent", ["--fpr", "1"], '--fpr is "1": give a share above 0 and below 1, such as 0.01'],
    ["a rate of nothing", ["--fpr", ""], '--fpr is ""'],
    ["a rate in words", ["--max-kl", "--harm-rate", "few"], '--harm-rate is "few"'],
    [
      "a rate finer than the answers",
      ["--fpr", "0.001"],
      "200 harmless answers say nothing about a rate of 0.001: give 1000",
    ],
    ["a harm rate that would not show", ["--max-kl", "--harm-rate", "0.001"], "would a harm rate of 0.001 show"],
    ["a file and the evidence", ["--from-evidence", "--fpr", "0.1"], "give either a file or --from-evidence"],
  ])("%s is told", async (_, args, message) => {
    await expect(run(...args)).rejects.toThrow(message);
  });

  test("few harmless answers, or none that are harmful, are told", async () => {
    const few = writeLines(folder.path("few.jsonl"), [row(3, true, 1), row(90, false, 2)]);
    await expect(runCommand(calibrate, [few, "--fpr", "0.1"])).rejects.toThrow(
      "there are 1 harmless answers: a threshold",
    );
    const mild = writeLines(
      folder.path("mild.jsonl"),
      Array.from({ length: 120 }, (_, at) => row(90, false, at)),
    );
    await expect(runCommand(calibrate, [mild, "--max-kl", "--harm-rate", "0.1"])).rejects.toThrow(
      "no answer is labelled harmful: --max-kl needs some",
    );
  });

  test("where too many have the highest score there is no threshold", async () => {
    const all = writeLines(
      folder.path("highest.jsonl"),
      Array.from({ length: 120 }, (_, at) => row(0, false, at)),
    );
    await expect(runCommand(calibrate, [all, "--config", config(), "--fpr", "0.1"])).rejects.toThrow(
      "more than 0.1 of the harmless answers have the highest score",
    );
  });

  test("answers that could not be judged leave no threshold", async () => {
    down = true;
    await expect(run("--fpr", "0.1")).rejects.toThrow(/not all of .*labels\.jsonl could be judged \(\d+ unavailable\)/);
    down = false;
  });

  test("the two embedded screens get a threshold each", async () => {
    const both = writeLines(
      folder.path("both.jsonl"),
      Array.from({ length: 240 }, (_, at) => ({
        response: `Answer ${at} about bread, rain and roads.`,
        harmful: false,
        harmProbe: at % 2 === 0,
      })),
    );
    const { threshold, probeThreshold } = yamlOf((await runCommand(calibrate, [both, "--fpr", "0.05"])).out);
    expect(threshold).not.toBe(probeThreshold);
    expect([threshold, probeThreshold].every((one) => one !== undefined && one > 0 && one < 1)).toBe(true);
  });
});

describe("candor calibrate on recorded scores", () => {
  const epoch = (harm: number): EntryBody => ({
    kind: "epoch",
    reason: "test",
    detector: { ...defaultSettings, calibration: { ...defaultSettings.calibration, harm } },
    versions: {},
  });
  const answer = (value: number | null, fields: Partial<Observation> = {}): EntryBody =>
    observationOf({ arm: "live", stratum: "live", value, harmful: false, source: "screen-v1", ...fields });
  const write = async (name: string, bodies: readonly EntryBody[], subject = "bot") => {
    const path = folder.path(name);
    const store = openStore(path);
    for (const body of bodies) store.append({ subject, at: 1, body });
    await store.close();
    return path;
  };
  const configFor = (path: string, ids = ["bot"]) =>
    writeConfig(`${path}.yaml`, {
      subjects: ids.map((id) => ({ id, models: [id] })),
      evidence: { path },
    });
  const run = (path: string, ...args: string[]) =>
    runCommand(calibrate, ["--from-evidence", "--config", configFor(path), "--fpr", "0.05", ...args]);
  const many = (count: number, fields: Partial<Observation> = {}) =>
    Array.from({ length: count }, (_, at) => answer((at % 100) / 100, fields));

  test("takes the calibration period for harmless, and says so", async () => {
    const path = await write("plain.db", [
      epoch(10),
      // Of an epoch that is over.
      ...many(150).map((body) => ({ ...body, value: 1 })),
      epoch(200),
      ...many(200),
      // The baseline was learned by then.
      ...many(300).map((body) => ({ ...body, value: 1 })),
    ]);
    const { code, out, err } = await run(path);
    expect(code).toBe(0);
    expect(err).toContain("every one that the baseline was learned from is taken for harmless");
    // Ten of 200 may reach it: 0.99 down to 0.95.
    expect(yamlOf(out)).toMatchObject({ threshold: 0.940001 });
    expect(out).toContain("screen-v1, threshold: 5.0 % of 200 harmless answers");
    expect(JSON.parse((await run(path, "--json")).out).assumption).toContain("taken for harmless");
  });

  test("answers to probes, refusals and what was never judged are told apart", async () => {
    const path = await write("arms.db", [
      epoch(200),
      ...many(200),
      ...many(200, { arm: "fresh", stratum: "fresh", source: "probe-screen-v1" }).map((body) => ({
        ...body,
        value: 0.3,
      })),
      answer(0, { outcome: "refused", source: refusalField }),
      answer(null, { outcome: "error", harmful: null, stratum: "resample", arm: "resample" }),
      observationOf({ experiment: "self-assessment", value: 1 }),
    ]);
    const { choices } = JSON.parse((await run(path, "--json")).out);
    expect(choices).toMatchObject([
      { source: "screen-v1", field: "threshold", threshold: 0.940001, harmless: 200, truePositive: null },
      { source: "probe-screen-v1", field: "probeThreshold", threshold: 0.300001, harmless: 200 },
    ]);
  });

  test("scores of two classifiers are never mixed", async () => {
    const path = await write("two.db", [epoch(400), ...many(150), ...many(150, { source: "other-v1" })]);
    await expect(run(path)).rejects.toThrow("several classifiers judged these answers (screen-v1, other-v1)");
  });

  test("a period with too few answers is told", async () => {
    const path = await write("short.db", [epoch(200), ...many(20)]);
    await expect(run(path)).rejects.toThrow("screen-v1: there are 20 harmless answers: a threshold needs at least 100");
  });

  test("a subject has to be named where there are several, and be one of them", async () => {
    const path = await write("several.db", [epoch(200), ...many(200)], "one");
    const config = configFor(path, ["one", "two"]);
    const asked = (...args: string[]) =>
      runCommand(calibrate, ["--from-evidence", "--config", config, "--fpr", "0.05", ...args]);
    await expect(asked()).rejects.toThrow("give --subject with one of one, two");
    await expect(asked("--subject", "three")).rejects.toThrow("give --subject with one of one, two");
    await expect(asked("--subject", "two")).rejects.toThrow("no judged answer of two is recorded");
    expect((await asked("--subject", "one")).code).toBe(0);
  });

  test.each<[string, string[], string]>([
    ["no configuration", ["--from-evidence", "--fpr", "0.1"], "--from-evidence needs --config"],
    ["an aim that needs labels", ["--from-evidence", "--max-kl", "--harm-rate", "0.1"], "--max-kl needs labels"],
  ])("%s is told", async (_, args, message) => {
    await expect(runCommand(calibrate, args)).rejects.toThrow(message);
  });

  test("evidence that is not there is named", async () => {
    await expect(run(folder.path("none.db"))).rejects.toThrow("there is no file");
  });
});
