import { describe, expect, test } from "vitest";
import { harmAlerts } from "../../src/demo/after-the-turn.ts";
import { readMetrics } from "../../src/demo/control-reader.ts";

const metrics = (evidence: string, severity: string): string =>
  [
    `candor_evidence_log{subject="demo",channel="harm"} ${evidence}`,
    'candor_evidence_log{subject="demo",channel="says-aligned"} 99',
    'candor_evidence_threshold_log{subject="demo",channel="harm",severity="ticket"} 9.21',
    'candor_evidence_threshold_log{subject="demo",channel="harm",severity="page"} 11.51',
    ...["none", "ticket", "page", "action"].map(
      (one) => `candor_severity{subject="demo",severity="${one}"} ${one === severity ? 1 : 0}`,
    ),
  ].join("\n");

describe("the alerts of the shipped rules", () => {
  test.each([
    ["-Inf", "none", false, false],
    ["9.2", "none", false, false],
    ["9.3", "ticket", false, true],
    ["11.6", "page", true, false],
    ["11.4", "page", true, false],
    ["2", "action", true, false],
  ])("with evidence %s and severity %s: page %s, ticket %s", (evidence, severity, page, ticket) => {
    expect(harmAlerts(readMetrics(metrics(evidence, severity))).map(({ fires }) => fires)).toEqual([page, ticket]);
  });

  test("none fires without metrics", () => {
    expect(harmAlerts([]).some(({ fires }) => fires)).toBe(false);
  });
});
