/** Alerts on what the process counts, read from the real registry, beside the rules that Prometheus has for the same. */
import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import type { Metrics } from "../../src/alert/metrics.ts";
import type { Judgement } from "../../src/classify/classifier.ts";
import type { Decision } from "../../src/guard/guard.ts";
import { createCountedAlerts } from "../../src/notify/counted-alerts.ts";
import { countedRules } from "../../src/notify/counted-rules.ts";
import type { DueAlert } from "../../src/notify/persona-alerts.ts";
import type { ReadMetrics } from "../../src/notify/process-counts.ts";
import { fullMetrics } from "../alert/full-metrics.ts";
import { createHandClock } from "../probe/hand-clock.ts";

const turnMs = 15_000;
const minutes = (count: number): number => (count * 60_000) / turnMs;

const decision = (coverage: Decision["coverage"]): Decision => ({
  id: "d",
  stage: "request",
  action: "allow",
  policy: null,
  coverage,
  gaps: [],
  unavailable: false,
  findings: [],
  asked: [],
  edits: [],
  message: null,
  rerouteTo: null,
});
const judged: Judgement = {
  kind: "judged",
  score: 0,
  harmful: false,
  refused: null,
  categories: [],
  source: "judge-v1",
};
const ended = { outcome: "complete", status: 200, contentType: "", durationMs: 1 } as const;

type Real = ReturnType<typeof fullMetrics>;
type Clock = ReturnType<typeof createHandClock>;

interface Trouble {
  name: DueAlert["name"];
  labels: Record<string, string>;
  /** What happens in each quarter of a minute while all is well. */
  well(metrics: Metrics, world: Real["world"], clock: Clock): void;
  /** And while it is not. */
  ill(metrics: Metrics, world: Real["world"], clock: Clock): void;
}

const each = (times: number, work: () => void): void => {
  for (let time = 0; time < times; time += 1) work();
};

const troubles: readonly Trouble[] = [
  {
    name: "CandorProbeStarvation",
    labels: { subject: "support" },
    well(metrics, world, clock) {
      world.lastAnswerAt = clock.now();
      metrics.relay.requestFinished("support", "chat", ended, { firstByteMs: 1, overheadMs: 1 });
    },
    ill: (metrics) => metrics.relay.requestFinished("support", "chat", ended, { firstByteMs: 1, overheadMs: 1 }),
  },
  {
    name: "CandorJudgeFailing",
    labels: { source: "judge-v1" },
    well(metrics) {
      each(6, () => metrics.judging.judged(judged, 1));
      each(4, () => metrics.judging.judged({ kind: "error", reason: "timeout", detail: "", source: "judge-v1" }, 1));
    },
    ill: (metrics) =>
      each(10, () => metrics.judging.judged({ kind: "error", reason: "timeout", detail: "", source: "judge-v1" }, 1)),
  },
  {
    name: "CandorSamplesDropped",
    labels: { subject: "support" },
    well(metrics) {
      each(9, () => metrics.live.observed("support", "scored"));
      metrics.live.skipped("support", "queue-full");
      each(30, () => metrics.live.skipped("support", "capped"));
    },
    ill(metrics) {
      each(6, () => metrics.live.observed("support", "scored"));
      each(4, () => metrics.live.skipped("support", "queue-full"));
    },
  },
  {
    name: "CandorCoverageLoss",
    labels: { stage: "request" },
    well(metrics) {
      each(10, () => metrics.decisions.decided(decision("full")));
      each(10, () => metrics.decisions.decided(decision("partial")));
    },
    ill(metrics) {
      each(9, () => metrics.decisions.decided(decision("full")));
      metrics.decisions.decided(decision("none"));
    },
  },
  {
    name: "CandorConfigReloadFailed",
    labels: {},
    well: (metrics) => metrics.reloads.succeeded(),
    ill: (metrics) => metrics.reloads.failed(),
  },
  {
    name: "CandorRestartNeeded",
    labels: {},
    well: (metrics) => metrics.reloads.restartNeeded(false),
    ill: (metrics) => metrics.reloads.restartNeeded(true),
  },
  {
    name: "CandorShedding",
    labels: {},
    well: (metrics) => metrics.relay.requestRefused("chat", "too-large"),
    ill: (metrics) => metrics.relay.requestRefused("chat", "overloaded"),
  },
  {
    name: "CandorNotificationsFailing",
    labels: { target: "on-call" },
    well(metrics) {
      metrics.notifications.notified("on-call", "failed");
      metrics.notifications.notified("on-call", "delivered");
    },
    ill: (metrics) => metrics.notifications.notified("on-call", "failed"),
  },
  {
    name: "CandorTelemetryDropped",
    labels: { signal: "traces" },
    well: (metrics) => metrics.exports.counted("traces", "exported", 10),
    ill: (metrics) => metrics.exports.counted("traces", "dropped", 10),
  },
];

const world = (read?: ReadMetrics) => {
  const real = fullMetrics(["support"]);
  onTestFinished(real.metrics.close);
  const clock = createHandClock();
  const counted = createCountedAlerts({ read: read ?? real.metrics.read, instance: "gw-1", clock });
  /** Resolves with the alerts that were due after the last of so many turns. */
  const turns = async (count: number, happens: () => void): Promise<DueAlert[]> => {
    let due: DueAlert[] = [];
    for (let turn = 0; turn < count; turn += 1) {
      happens();
      await clock.advance(turnMs);
      due = await counted.due();
    }
    return due;
  };
  return { ...real, clock, turns };
};

/** What may be left of trouble once it has ended: the longest span that a rule looks back over. */
const lookBack = minutes(15) + 1;
/** Until a trouble is seen for the first time; starved probes are late by ten intervals. */
const untilSeen = (name: string): number => (name === "CandorProbeStarvation" ? minutes(100) : minutes(15));

describe("an alert on what the process counts", () => {
  it.each(troubles)(
    "$name comes when its trouble has lasted, and goes when it is over",
    async ({ name, labels, well, ill }) => {
      const { metrics, world: state, clock, turns } = world();
      const rule = countedRules.find((one) => one.name === name);
      if (rule === undefined) throw new Error("there is no such rule");
      expect(await turns(minutes(20), () => well(metrics, state, clock))).toEqual([]);
      expect(await turns(rule.forMs / turnMs - 1, () => ill(metrics, state, clock))).toEqual([]);
      const due = await turns(untilSeen(name) + 2, () => ill(metrics, state, clock));
      expect(due.map(({ description, ...others }) => ({ ...others, isExplained: description.length > 40 }))).toEqual([
        {
          name,
          severity: rule.severity,
          labels: { instance: "gw-1", ...labels },
          summary: rule.summary(Object.values(labels)[0] ?? "", "gw-1"),
          since: null,
          isExplained: true,
        },
      ]);
      expect(await turns(lookBack, () => well(metrics, state, clock))).toEqual([]);
    },
  );

  it("is lost or failed: one notification that is lost is told, whatever came through", async () => {
    const { metrics, turns } = world();
    const delivered = () => metrics.notifications.notified("on-call", "delivered");
    await turns(1, delivered);
    metrics.notifications.notified("on-call", "given-up");
    const due = await turns(minutes(6), delivered);
    expect(due.map(({ name }) => name)).toEqual(["CandorNotificationsFailing"]);
  });

  it("CandorSaturated is of five minutes of a busy event loop, not of the time since the start", async () => {
    let active = 0;
    const { turns } = world(async () => [
      { name: "candor_event_loop_active_seconds_total", values: [{ labels: {}, value: active }] },
    ]);
    const busy = (share: number) => () => {
      active += (share * turnMs) / 1000;
    };
    expect(await turns(minutes(60), busy(0.2))).toEqual([]);
    expect((await turns(minutes(11), busy(0.95))).map(({ name }) => name)).toEqual(["CandorSaturated"]);
    expect(await turns(minutes(6), busy(0.85))).toEqual([]);
  });

  it("never comes of what the process did before anybody looked", async () => {
    const { metrics, turns } = world();
    metrics.exports.counted("traces", "dropped", 10);
    metrics.relay.requestRefused("chat", "overloaded");
    expect(await turns(minutes(20), () => {})).toEqual([]);
  });

  it("is read at most four times a minute, however often somebody asks", async () => {
    let reads = 0;
    const clock = createHandClock();
    const read = async () => {
      reads += 1;
      return [];
    };
    const counted = createCountedAlerts({ read, instance: "gw-1", clock });
    for (let second = 0; second < 60; second += 1) {
      await counted.due();
      await clock.advance(1_000);
    }
    expect(reads).toBe(4);
  });
});

const ruleFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.string() }),
        }),
      ),
    }),
  ),
});
const shipped = ruleFile
  .parse(parse(readFileSync("deploy/prometheus/rules/candor.rules.yml", "utf8")))
  .groups.flatMap(({ rules }) => rules);

const milliseconds = (time: string): number =>
  Number.parseInt(time, 10) * (time.endsWith("h") ? 3_600_000 : time.endsWith("m") ? 60_000 : 1_000);

describe("beside the rules for Prometheus", () => {
  it.each(countedRules)("$name waits as long and is as grave", async ({ name, forMs, severity, label }) => {
    const rule = shipped.find(({ alert }) => alert === name);
    expect(milliseconds(rule?.for ?? "0s")).toBe(forMs);
    expect(rule?.labels.severity).toBe(severity);
    if (label !== undefined) expect(rule?.expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\)`));
  });

  it.each([
    ["CandorJudgeFailing", "> 0.5"],
    ["CandorSamplesDropped", "> 0.2"],
    ["CandorCoverageLoss", "> 0.05"],
    ["CandorSaturated", "> 0.9"],
    ["CandorProbeStarvation", "> 10 *"],
  ])("%s has the threshold that was tried here", (name, threshold) => {
    expect(shipped.find(({ alert }) => alert === name)?.expr).toContain(threshold);
  });

  it("all are known from inside but that the process is gone", () => {
    const persona = shipped.filter(({ alert }) => /Persona|Drift/.test(alert)).map(({ alert }) => alert);
    const own = ["CandorEvidenceNotWritten", "CandorGuardErrors"];
    const inside = new Set([...persona, ...own, ...countedRules.map(({ name }) => name)]);
    expect(shipped.map(({ alert }) => alert).filter((name) => !inside.has(name as DueAlert["name"]))).toEqual([
      "CandorDown",
    ]);
  });

  it("every metric that is read is exposed", async () => {
    const { metrics } = fullMetrics(["support"]);
    onTestFinished(metrics.close);
    let asked: readonly string[] = [];
    const read: ReadMetrics = (names) => {
      asked = names;
      return metrics.read(names);
    };
    await createCountedAlerts({ read, instance: "gw-1", clock: createHandClock() }).due();
    const exposed = (await metrics.families()).map(({ name }) => name);
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter((name) => !exposed.includes(name))).toEqual([]);
  });
});
