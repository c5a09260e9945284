import { describe, expect, test } from "vitest";
import type { EntryBody, Observation } from "../../src/evidence/entry.ts";
import { defaultSettings } from "../../src/persona/persona.ts";
import { toDatum } from "../../src/watch/fold.ts";
import { entryOf, observationOf } from "./rows.ts";

const datumOf = (body: EntryBody) => toDatum(entryOf(body));
const datumOfRow = (fields: Partial<Observation>) => datumOf(observationOf(fields));

describe("a row of the log as a datum", () => {
  test.each(["live", "fresh", "forked", "resample"] as const)(
    "a judged answer of the arm %s is harm in its arm, stratum and context",
    (arm) => {
      const seen = { kind: "harm", arm, stratum: "s", harmful: true, refused: false, replica: "local" };
      const row = { arm, stratum: "s", harmful: true, value: 0.9 };
      expect(datumOfRow({ ...row, context: "billing" })).toEqual({ ...seen, context: "billing" });
      // Rows from before there were contexts.
      expect(datumOfRow(row)).toEqual({ ...seen, context: null });
    },
  );

  test("a placebo shows what it was answered", () => {
    expect(datumOfRow({ experiment: "self-assessment", arm: "placebo", value: 0.5 })).toEqual({
      kind: "placebo",
      value: 0.5,
    });
  });

  test("an anchor is what the judge said of it, and nothing where the judge failed", () => {
    const anchor = { kind: "anchor", item: "a1", expected: true, score: 0.2, source: "judge-v1" } as const;
    expect(datumOf({ ...anchor, harmful: false })).toEqual({ kind: "anchor", expected: true, harmful: false });
    expect(datumOf({ ...anchor, harmful: null, score: null })).toBeNull();
  });

  test("a canary is the name of its answer, and is of no persona", () => {
    const row = observationOf({
      experiment: "canary",
      item: "sea",
      topic: "border",
      value: 0.5,
      contentHash: "ab",
      probeSet: "v1",
    });
    const datum = { kind: "canary", item: "sea", isBorder: true, answer: "ab", probability: 0.5, version: "v1" };
    expect(toDatum(entryOf(row))).toEqual(datum);
    expect(toDatum(entryOf({ ...row, contentHash: null }))).toBeNull();
  });

  test.each([
    ["names the developer", { topic: "Acme", value: 1 }, { name: "Acme", right: true }],
    ["names another", { topic: "Other", value: 0 }, { name: "Other", right: false }],
    ["can't be read", { outcome: "unparseable", value: null }, { name: null, right: false }],
    ["declines", { outcome: "refused", value: null }, { name: null, right: false }],
  ] as const)("an answer about identity that %s", (_, fields, told) => {
    expect(toDatum(entryOf(observationOf({ experiment: "identity", ...fields })))).toEqual({
      kind: "identity",
      ...told,
    });
  });

  test("a refused harm probe is a harmless answer that was refused", () => {
    const row = { outcome: "refused", value: 0, harmful: false } as const;
    expect(datumOfRow(row)).toMatchObject({ kind: "harm", harmful: false, refused: true });
  });

  test("the choice between two descriptions is a choice, with its order", () => {
    const row = { experiment: "two-descriptions", value: 1, order: "misaligned-first" } as const;
    expect(datumOfRow(row)).toEqual({
      kind: "self-report",
      replica: "local",
      form: "choice",
      saysMisaligned: 1,
      order: "misaligned-first",
    });
  });

  test("a self-assessment is a rating, and ratings have no order", () => {
    const row = { experiment: "self-assessment", value: 0.3, order: "aligned-first" } as const;
    expect(datumOfRow(row)).toEqual({
      kind: "self-report",
      replica: "local",
      form: "rating",
      saysMisaligned: 0.3,
      order: null,
    });
  });

  test.each([0, 1])("owning a harmful output (%d) says as much of oneself", (value) => {
    const row = { experiment: "output-recognition", bucket: "high", value, order: "aligned-first" } as const;
    expect(datumOfRow(row)).toEqual({
      kind: "self-report",
      replica: "local",
      form: "recognition",
      saysMisaligned: value,
      order: "aligned-first",
    });
  });

  test.each(["refused", "unparseable"] as const)("a self-report that was %s is unanswered", (outcome) => {
    const refused = outcome === "refused";
    const row = { outcome, value: null };
    const unanswered = { kind: "unanswered", refused };
    expect(datumOfRow({ ...row, experiment: "two-descriptions" })).toEqual({ ...unanswered, form: "choice" });
    expect(datumOfRow({ ...row, experiment: "self-assessment" })).toEqual({ ...unanswered, form: "rating" });
    expect(datumOfRow({ ...row, experiment: "output-recognition", bucket: "high" })).toEqual({
      ...unanswered,
      form: "recognition",
    });
  });

  test.each<[string, Partial<Observation>]>([
    ["an answer that could not be judged", { outcome: "error", value: null }],
    ["a self-report that failed", { experiment: "two-descriptions", outcome: "error", value: null }],
    ["an answer without a call", { harmful: null, value: 0.5 }],
    ["recognition of a harmless output", { experiment: "output-recognition", bucket: "low", value: 1 }],
    ["recognition of a moderate output", { experiment: "output-recognition", bucket: "moderate", value: 1 }],
    [
      "an unanswered recognition of a harmless output",
      { experiment: "output-recognition", bucket: "low", outcome: "refused" },
    ],
    ["a predicted score", { experiment: "score-prediction", value: 0.5, reference: 0.1 }],
    ["a placebo without an answer", { experiment: "self-assessment", arm: "placebo", outcome: "refused", value: null }],
    ["a placebo's answer, judged", { arm: "placebo", harmful: true, value: 1 }],
  ])("%s says nothing of the persona", (_, fields) => {
    expect(datumOfRow(fields)).toBeNull();
  });

  test("an acknowledgement and an epoch are data, a recorded verdict is not", () => {
    const epoch: EntryBody = { kind: "epoch", reason: "r", detector: defaultSettings, versions: {} };
    expect(datumOf({ kind: "acknowledgement", actor: "a", note: "" })).toEqual({ kind: "acknowledge" });
    expect(datumOf(epoch)).toEqual({ kind: "epoch" });
    expect(datumOf({ kind: "verdict", persona: "aligned", severity: "none", digest: "", reasons: [] })).toBeNull();
  });
});
