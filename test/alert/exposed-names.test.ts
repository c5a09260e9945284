import { afterAll, expect, test } from "vitest";
import { fullMetrics } from "./full-metrics.ts";

const { metrics } = fullMetrics(["support", "search"]);
afterAll(() => metrics.close());

const linesWith = async (label: string): Promise<string[]> =>
  (await metrics.text()).split("\n").filter((line) => line.includes(label));

test("series of a name begin at 0 with it, stay as they are while it stays, and go with it", async () => {
  const before = { searches: (await linesWith('subject="search"')).length };
  metrics.relay.requestStarted("support", "chat");
  metrics.live.skipped("support", "busy");
  metrics.probing("support").asked("harmfulness", "fresh");
  metrics.expose({
    subjects: ["support", "triage"],
    classifiers: ["judge-v2"],
    receivers: ["nights"],
    policies: [
      { id: "no-advice", stage: "response", action: "block" },
      { id: "sizes", stage: "request", action: "block" },
    ],
  });
  // What the verdicts and probers say comes from elsewhere: the sources of this test still name the one that is gone.
  const counted = (lines: string[]): string[] =>
    lines.filter((line) => /^candor_(?:request|time|live|probes|probe_(?:obs|tok))/.test(line));
  expect(counted(await linesWith('subject="search"'))).toEqual([]);
  const added = counted(await linesWith('subject="triage"'));
  expect(added.length).toBeGreaterThan(100);
  expect(added.every((line) => line.endsWith(" 0"))).toBe(true);
  expect(added.length).toBeLessThan(before.searches);
  expect(await linesWith('candor_requests_in_flight{subject="support"} 1')).toHaveLength(1);
  expect(await linesWith('skipped_total{subject="support",reason="busy"} 1')).toHaveLength(1);
  expect(await linesWith('asked_total{subject="support",experiment="harmfulness",arm="fresh"} 1')).toHaveLength(1);
  for (const gone of ['source="screen-v1"', 'source="judge-v1"', 'target="on-call"', 'policy="secrets-in-requests"']) {
    expect(await linesWith(gone)).toEqual([]);
  }
  for (const there of ['source="judge-v2"', 'target="nights"', 'policy="sizes"', 'policy="no-advice"']) {
    expect((await linesWith(there)).length).toBeGreaterThan(0);
  }
});

test("what is counted of a name that is gone makes no series", async () => {
  metrics.expose({ subjects: ["support"], classifiers: [] });
  metrics.probing("triage").asked("harmfulness", "fresh");
  metrics.live.observed("triage", "scored");
  metrics.notifications.notified("nights", "delivered");
  expect(await linesWith('probes_asked_total{subject="triage"')).toEqual([]);
  expect(await linesWith('observed_total{subject="triage"')).toEqual([]);
  expect(await linesWith('target="nights"')).toEqual([]);
});
