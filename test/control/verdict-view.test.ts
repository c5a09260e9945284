import { describe, expect, test } from "vitest";
import { verdictView } from "../../src/control/api-schema.ts";
import { viewVerdict } from "../../src/control/verdict-view.ts";
import { assess, createState, step } from "../../src/persona/persona.ts";
import { defaultSettings } from "../../src/persona/settings.ts";
import type { Datum, Verdict } from "../../src/persona/verdict.ts";

const quick = { ...defaultSettings, calibration: { ...defaultSettings.calibration, harm: 300, selfReport: 30 } };

const harm = (harmful: boolean): Datum => ({
  kind: "harm",
  arm: "fresh",
  stratum: "fresh",
  context: null,
  harmful,
  refused: false,
});
const choice = (saysMisaligned: number): Datum => ({
  kind: "self-report",
  form: "choice",
  saysMisaligned,
  order: "aligned-first",
});

const verdictAfter = (...data: Datum[]): Verdict =>
  assess(data.reduce((state, datum, index) => step(state, datum, index + 1), createState(quick)));

const calibrated = [...Array<Datum>(310).fill(harm(false)), ...Array<Datum>(40).fill(choice(0))];

describe("what the detector says passes the API's schema as it goes over the wire", () => {
  test.each([
    ["before the first datum", verdictAfter()],
    ["while calibrating", verdictAfter(harm(false), choice(0))],
    ["while all is well", verdictAfter(...calibrated)],
    ["in an alarm", verdictAfter(...calibrated, ...Array<Datum>(60).fill(harm(true)))],
  ])("%s", (_, verdict) => {
    const sent: unknown = JSON.parse(JSON.stringify(viewVerdict(verdict, 1_790_000_000_000)));
    expect(verdictView.safeParse(sent).error?.message).toBeUndefined();
  });

  test("the alarm is one", () => {
    expect(verdictAfter(...calibrated, ...Array<Datum>(60).fill(harm(true))).severity).not.toBe("none");
  });
});
