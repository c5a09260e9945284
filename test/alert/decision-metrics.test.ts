import { afterEach, describe, expect, test } from "vitest";
import type { Decision, Finding } from "../../src/guard/guard.ts";
import { seriesOf, valueAt } from "./exposition.ts";
import { fullMetrics } from "./full-metrics.ts";

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close();
});
const open = () => {
  const { metrics } = fullMetrics();
  opened.push(metrics);
  return metrics;
};

const finding = (policy: string, result: Finding["result"]): Finding => ({
  policy,
  version: "1",
  action: "block",
  result,
  where: null,
  matcher: "terms",
});

const decision = (parts: Partial<Decision> = {}): Decision => ({
  id: "d1",
  stage: "request",
  action: "allow",
  policy: null,
  asked: [],
  findings: [],
  coverage: "full",
  gaps: [],
  edits: [],
  message: null,
  rerouteTo: null,
  unavailable: false,
  ...parts,
});

describe("decisions", () => {
  test("are counted by what was done and by how much could be read", async () => {
    const { decisions, text } = open();
    decisions.decided(decision());
    decisions.decided(decision({ stage: "response", action: "block", coverage: "none" }));
    const page = await text();
    expect(valueAt(page, "candor_guard_decisions_total", { stage: "request", action: "allow" })).toBe(1);
    expect(valueAt(page, "candor_guard_decisions_total", { stage: "response", action: "block" })).toBe(1);
    expect(valueAt(page, "candor_guard_coverage_total", { stage: "response", coverage: "none" })).toBe(1);
    expect(valueAt(page, "candor_guard_errors_total")).toBe(0);
  });

  test("count a policy once, however often it found something", async () => {
    const { decisions, text } = open();
    const found = finding("no-advice", "enforced");
    decisions.decided(decision({ stage: "response", findings: [found, found, finding("no-advice", "would")] }));
    const page = await text();
    const of = (result: string) => ({ policy: "no-advice", stage: "response", result });
    expect(valueAt(page, "candor_guard_findings_total", of("enforced"))).toBe(1);
    expect(valueAt(page, "candor_guard_findings_total", of("would_block"))).toBe(1);
    expect(valueAt(page, "candor_guard_findings_total", of("error"))).toBe(0);
    expect(valueAt(page, "candor_guard_findings_total", of("bypass"))).toBe(0);
  });

  test("count what could not be inspected by what it was, once in each decision", async () => {
    const { decisions, text } = open();
    decisions.decided(decision({ coverage: "partial", gaps: ["image", "image", "audio"] }));
    const page = await text();
    expect(valueAt(page, "candor_guard_gaps_total", { stage: "request", gap: "image" })).toBe(1);
    expect(valueAt(page, "candor_guard_gaps_total", { stage: "request", gap: "audio" })).toBe(1);
    expect(seriesOf(page).filter(({ name }) => name === "candor_guard_gaps_total")).toHaveLength(2);
  });

  test("of a policy that now does something else are counted as that, and what was counted stays", async () => {
    const { decisions, text } = open();
    decisions.decided(decision({ stage: "response", findings: [finding("no-advice", "would")] }));
    decisions.policies([{ id: "no-advice", stage: "response", action: "refuse" }]);
    decisions.decided(
      decision({ stage: "response", findings: [{ ...finding("no-advice", "would"), action: "refuse" }] }),
    );
    const page = await text();
    const of = (result: string) => ({ policy: "no-advice", stage: "response", result });
    expect(valueAt(page, "candor_guard_findings_total", of("would_block"))).toBe(1);
    expect(valueAt(page, "candor_guard_findings_total", of("would_refuse"))).toBe(1);
  });

  test.each([
    ["a policy that could not be evaluated", { findings: [finding("no-advice", "error")] }],
    ["an exchange that was withheld for it", { unavailable: true }],
  ])("with %s are one error each", async (_what, parts) => {
    const { decisions, text } = open();
    decisions.decided(decision(parts));
    expect(valueAt(await text(), "candor_guard_errors_total")).toBe(1);
  });

  test("of policies that nobody configured make no new series", async () => {
    const { decisions, text } = open();
    const before = seriesOf(await text()).length;
    for (let policy = 0; policy < 100_000; policy++) {
      decisions.decided(decision({ findings: [finding(`policy-${policy}`, "enforced")] }));
    }
    expect(seriesOf(await text()).length).toBe(before);
  });
});
