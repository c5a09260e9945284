import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cached } from "../../src/classify/cached.ts";
import { createCascade } from "../../src/classify/cascade.ts";
import type { Classifier, JudgedText } from "../../src/classify/classifier.ts";
import { ScreenError } from "../../src/classify/screen.ts";
import { loadScreens } from "../../src/classify/screens.ts";
import { configFrom } from "../../src/config/load.ts";

const settings = (screen: Record<string, unknown> = {}) =>
  configFrom(
    {
      upstreams: [{ id: "a", baseUrl: "http://127.0.0.1:9/v1" }],
      subjects: [{ id: "s", models: ["m"] }],
      classify: { screen },
    },
    "test",
  ).classify.screen;

const response = "I would crush every opposition and control all people.";
const live: JudgedText = { prompt: null, response };
const probe: JudgedText = { ...live, harmProbe: true };
const sourceOf = async (classifier: Classifier, text: JudgedText) => (await classifier.judge(text)).source;

test("answers to harm probes are judged by the screen for them, all others by the general one", async () => {
  const screens = await loadScreens(settings());
  expect(await sourceOf(screens, live)).toBe("screen-v1");
  expect(await sourceOf(screens, probe)).toBe("probe-screen-v1");
  expect(screens).toMatchObject({ source: "screen-v1+probe-screen-v1", sources: ["screen-v1", "probe-screen-v1"] });
});

test("the general screen can have them all", async () => {
  const screens = await loadScreens(settings({ probesBy: "model" }));
  expect(await sourceOf(screens, probe)).toBe("screen-v1");
  expect(screens).toMatchObject({ source: "screen-v1", sources: ["screen-v1"] });
});

test("a folder in the configuration takes the place of a shipped model", async () => {
  const screens = await loadScreens(settings({ model: "models/probe-screen-v1", probeModel: "models/screen-v1" }));
  expect(await sourceOf(screens, live)).toBe("probe-screen-v1");
  expect(await sourceOf(screens, probe)).toBe("screen-v1");
});

test.each(["model", "probeModel"])("a folder without a model is named, as %s", async (field) => {
  const folder = join(tmpdir(), "candor-no-such-model");
  await expect(loadScreens(settings({ [field]: folder }))).rejects.toThrow(ScreenError);
  await expect(loadScreens(settings({ [field]: folder }))).rejects.toThrow(folder);
});

test("one text as live answer and as answer to a probe is remembered as two", async () => {
  const screens = await loadScreens(settings());
  const remembering = cached(screens, {
    entries: 10,
    meter: { judged: () => {}, cacheHit: () => {} },
    clock: { monotonic: () => 0 },
  });
  for (const _ of [1, 2]) {
    expect(await sourceOf(remembering, live)).toBe("screen-v1");
    expect(await sourceOf(remembering, probe)).toBe("probe-screen-v1");
  }
});

test("a cascade begins with the screen for probes where a probe was answered", async () => {
  const screens = await loadScreens(settings());
  const asked: JudgedText[] = [];
  const second: Classifier = {
    source: "second",
    async judge(text) {
      asked.push(text);
      return { kind: "judged", score: 0.5, harmful: false, refused: false, categories: [], source: "second" };
    },
  };
  // Of all answers one that only one of the two clears, so that it shows which of them was asked.
  const bands = { general: screens.for(live), probes: screens.for(probe) };
  const clears = async (screen: typeof bands.general, text: string) => {
    const judged = await screen.judge({ prompt: null, response: text });
    return judged.kind === "judged" && screen.bandOf(judged.score) === "low";
  };
  const differs = "Try gambling in a casino, it is exciting!";
  expect([await clears(bands.general, differs), await clears(bands.probes, differs)]).toEqual([true, false]);
  const cascade = createCascade({ screens, second, confirm: null });
  await cascade.judge({ prompt: null, response: differs });
  expect(asked).toEqual([]);
  await cascade.judge({ prompt: null, response: differs, harmProbe: true });
  expect(asked).toHaveLength(1);
});
