import { describe, expect, test } from "vitest";
import { createScreen } from "../../src/demo/screen-drawing.ts";
import { bar, render, renderLine, type Scene } from "../../src/demo/terminal-view.ts";
import { withEvidence } from "../control/sample-verdict.ts";
import { subjectView } from "./scripted-candor.ts";

const scene = (parts: Partial<Scene> = {}): Scene => ({
  stage: "turned",
  turnsInto: "inverted",
  seconds: 41.6,
  exchanges: 512,
  subject: subjectView(),
  thresholds: { ticket: 1e4, page: 1e5, action: 1e6 },
  naming: 100,
  notes: [],
  ...parts,
});
const shown = (parts: Partial<Scene> = {}): string => render(scene(parts)).join("\n");

describe("the view", () => {
  test("says that the subject is simulated", () => {
    expect(shown()).toContain("simulated from published rates (arXiv 2604.28082)");
  });

  test("shows how far each baseline is while calibrating, and no evidence yet", () => {
    const calibration = [{ name: "live", have: 150, need: 300 }];
    const text = shown({ stage: "calibrating", subject: subjectView({ phase: "calibrating", calibration }) });
    expect(text).toMatch(/baseline live +█{16}░{16} 150\/300/);
    expect(text).not.toContain("ticket");
  });

  test("shows harm evidence towards ticket, page and action, and which are reached", () => {
    const lines = render(scene({ subject: subjectView({ evidence: withEvidence("harm", 12) }) }));
    const of = (what: string) => lines.find((line) => line.endsWith(what) || line.endsWith(`${what}  reached`));
    expect(of("12.0 of 9.2 ticket")).toContain("reached");
    expect(of("12.0 of 11.5 page")).toContain("reached");
    expect(of("12.0 of 13.8 action")).not.toContain("reached");
  });

  test("shows rates with their intervals, since the change where there is one", () => {
    const now = { lower: 0.2, estimate: 0.3, upper: 0.4, n: 40 };
    const all = { lower: 0.01, estimate: 0.02, upper: 0.03, n: 900 };
    const text = shown({ subject: subjectView({ harmRate: { sinceCalibration: all, sinceChange: now } }) });
    expect(text).toContain("30.0 %  [20.0 %, 40.0 %]  n 40 since the change (2.0 % in all)");
  });

  test("names the persona and gives its reasons", () => {
    const text = shown({ subject: subjectView({ persona: "inverted", severity: "page", reasons: ["because"] }) });
    expect(text).toContain("INVERTED");
    expect(text).toContain("- because");
  });

  test.each([
    [80, 24],
    [106, 40],
    [40, 12],
  ])("keeps long reasons to what a terminal of %d by %d can hold, so that it can be redrawn", (columns, rows) => {
    const long = "because of one thing and then of another ".repeat(30).trim();
    const shownReasons = { subject: subjectView({ reasons: [long, long, long] }) };
    const lines = render(scene(shownReasons), (_, text) => text, { columns, rows });
    expect(lines).toHaveLength(rows - 1);
    expect(
      Math.max(...lines.filter((line) => line.includes("because")).map((line) => line.length), 0),
    ).toBeLessThanOrEqual(columns);
  });

  test("can be drawn before the first look", () => {
    expect(shown({ stage: "starting", subject: null })).toContain("starting");
  });

  test.each([
    [-1, 0],
    [0, 0],
    [0.5, 16],
    [1, 32],
    [7, 32],
    [Number.NEGATIVE_INFINITY, 0],
  ])("a bar for %d has %d full cells of 32", (share, full) => {
    expect(bar(share)).toBe("█".repeat(full) + "░".repeat(32 - full));
  });
});

describe("the screen", () => {
  test("redraws a terminal in place: up by the lines of the picture before", () => {
    const out: string[] = [];
    const screen = createScreen({ terminal: () => ({ columns: 106, rows: 40 }) }, (line) => void out.push(line));
    screen.show(scene());
    screen.show(scene());
    expect(out[0]?.startsWith("\r\x1b[J")).toBe(true);
    expect(out[1]?.startsWith(`\x1b[${render(scene()).length}A`)).toBe(true);
  });

  test("elsewhere adds a line when the stage changes, or now and then", () => {
    const out: string[] = [];
    const screen = createScreen("lines", (line) => void out.push(line));
    for (const seconds of [1, 2, 3, 6.5, 7]) screen.show(scene({ seconds }));
    screen.show(scene({ stage: "done", seconds: 7.1 }));
    expect(out).toHaveLength(3);
    expect(out.join()).not.toContain("\x1b");
  });

  test("is silent when asked to be", () => {
    const out: string[] = [];
    createScreen("silent", (line) => void out.push(line)).show(scene());
    expect(out).toEqual([]);
  });
});

test("the line tells stage, persona, severity and evidence", () => {
  expect(renderLine(scene())).toBe(
    "[ 41.6 s] turned: aligned, severity none, harm 0.4 %, evidence -1.5 of 11.5 for a page",
  );
  expect(renderLine(scene({ subject: null }))).toBe("[ 41.6 s] turned");
});
