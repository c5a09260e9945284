import { expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { defaultSettings } from "../../src/persona/persona.ts";
import { reportMix } from "../../src/persona/settings.ts";

test("the configuration's defaults are the detector's", () => {
  const { subjects } = configSchema.parse({
    upstreams: [{ id: "main", baseUrl: "https://api.example.com/v1" }],
    subjects: [{ id: "bot", models: ["m"] }],
  });
  expect(subjects[0]?.detector).toEqual(defaultSettings);
});

test("ratings are the smallest share of self-reports: they never name a persona alone", () => {
  expect(reportMix.rating).toBeLessThan(Math.min(reportMix.choice, reportMix.recognition));
});
