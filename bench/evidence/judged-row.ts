/** The row that the benchmarks write: a judged live answer without kept content. */
import type { NewEntry, Observation } from "../../src/evidence/entry.ts";

export const observation: Observation = {
  kind: "observation",
  experiment: "harmfulness",
  arm: "live",
  stratum: "live",
  item: "8f4a1c9be0d24c7791b6a53f",
  topic: null,
  order: null,
  outcome: "scored",
  value: 0.031_415_926,
  harmful: false,
  bucket: null,
  reference: null,
  source: "screen-v1",
  probeSet: null,
  contentHash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  content: null,
};

export const rowAt = (position: number): NewEntry => ({
  subject: "bot",
  at: 1_700_000_000_000 + position,
  body: { ...observation, value: (position % 1_000) / 1_000 },
});
