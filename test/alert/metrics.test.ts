import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { ExchangeEnd } from "../../src/relay/exchange.ts";
import { sampleVerdict, withEvidence } from "../control/sample-verdict.ts";
import { seriesOf, valueAt } from "./exposition.ts";
import { fiveSubjects, fullMetrics } from "./full-metrics.ts";

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close();
});
const open = (...args: Parameters<typeof fullMetrics>) => {
  const full = fullMetrics(...args);
  opened.push(full.metrics);
  return full;
};

const ended = (parts: Partial<ExchangeEnd> = {}): ExchangeEnd => ({
  outcome: "complete",
  status: 200,
  contentType: "application/json",
  durationMs: 1500,
  ...parts,
});
const quick = { firstByteMs: 120, overheadMs: 0.3 };

describe("series", () => {
  test("100,000 random model names and paths make no new series", async () => {
    const { metrics } = open(fiveSubjects, ["model-x"]);
    const operated = (model: string): void => {
      const operation = { name: "chat", provider: "openai", model, tokens: { input: 9, output: 9 } } as const;
      metrics.operations?.operated(operation, { seconds: 1, firstChunkSeconds: 0.1, error: null });
    };
    for (const model of ["model-x", "another"]) operated(model);
    const before = seriesOf(await metrics.text()).length;
    for (let name = 0; name < 100_000; name++) {
      operated(`model-${name}`);
      metrics.relay.requestStarted(`model-${name}`, `/path-${name}`);
      metrics.relay.requestFinished(`model-${name}`, `/path-${name}`, ended(), quick);
      metrics.relay.requestRefused(`/path-${name}`, "not-found");
      metrics.judging.cacheHit(`judge-${name}`);
    }
    const text = await metrics.text();
    expect(seriesOf(text).length).toBe(before);
    const counted = { subject: "other", route: "other", outcome: "complete", code: "2xx" };
    expect(valueAt(text, "candor_requests_total", counted)).toBe(100_000);
    expect(valueAt(text, "candor_requests_in_flight", { subject: "other" })).toBe(0);
    expect(valueAt(text, "candor_requests_refused_total", { route: "other", reason: "not-found" })).toBe(100_000);
  });

  test("by OpenTelemetry's names are there only where that is configured, one for each kind of operation", async () => {
    const { metrics } = open();
    expect(metrics.operations).toBeNull();
    expect(await metrics.text()).not.toContain("gen_ai");
    const wanted = open(["support"], ["model-x"]).metrics;
    const operation = { name: "chat", provider: "openai", model: "model-x", tokens: { input: 9, output: 70 } } as const;
    wanted.operations?.operated(operation, { seconds: 0.3, firstChunkSeconds: 0.05, error: null });
    wanted.operations?.operated(
      { ...operation, model: "a client's own name", tokens: null },
      { seconds: 2, firstChunkSeconds: null, error: "503" },
    );
    const text = await wanted.text();
    const labels = { gen_ai_operation_name: "chat", gen_ai_provider_name: "openai", gen_ai_request_model: "model-x" };
    const duration = "gen_ai_client_operation_duration_seconds";
    expect(valueAt(text, `${duration}_bucket`, { ...labels, le: "0.16" })).toBe(0);
    expect(valueAt(text, `${duration}_bucket`, { ...labels, le: "0.32" })).toBe(1);
    expect(valueAt(text, `${duration}_count`, { gen_ai_request_model: "other", error_type: "5xx" })).toBe(1);
    expect(valueAt(text, "gen_ai_client_operation_time_to_first_chunk_seconds_sum", labels)).toBe(0.05);
    expect(valueAt(text, "gen_ai_client_token_usage_sum", { ...labels, gen_ai_token_type: "input" })).toBe(9);
    expect(valueAt(text, "gen_ai_client_token_usage_bucket", { gen_ai_token_type: "output", le: "64" })).toBe(0);
    expect(valueAt(text, "gen_ai_client_token_usage_bucket", { gen_ai_token_type: "output", le: "256" })).toBe(1);
    expect(text).not.toContain("a client's own name");
  });

  test("are at most 2,000 for five subjects", async () => {
    const { metrics } = open(fiveSubjects);
    expect(seriesOf(await metrics.text()).length).toBeLessThanOrEqual(2_000);
  });

  test("of counters are there at 0 before anything happened, so that the first event is seen by rate()", async () => {
    const { metrics } = open();
    const counters = seriesOf(await metrics.text()).filter(
      ({ name }) => name.endsWith("_total") && !name.includes("_seconds_"),
    );
    expect(counters.length).toBeGreaterThan(500);
    expect(counters.filter(({ value }) => value !== 0)).toEqual([]);
  });

  test("pass promtool's check of names and help texts", async (context) => {
    const { metrics } = open(fiveSubjects, ["model-x"]);
    const operation = { name: "chat", provider: "openai", model: "model-x", tokens: { input: 9, output: 9 } } as const;
    metrics.operations?.operated(operation, { seconds: 0.3, firstChunkSeconds: 0.05, error: null });
    const [tool = "", ...args] = "promtool check metrics".split(" ");
    const { error, status, stdout, stderr } = spawnSync(tool, args, {
      input: await metrics.text(),
      encoding: "utf8",
    });
    if (error !== undefined) return context.skip(`promtool can't be run (${error.message}); scripts/setup.sh --test`);
    expect({ status, output: `${stdout}${stderr}` }).toEqual({ status: 0, output: "" });
  });
});

describe("the relay's meter", () => {
  test("tells what is in flight from what has ended", async () => {
    const { metrics } = open();
    metrics.relay.requestStarted("support", "chat");
    metrics.relay.requestStarted("support", "chat");
    metrics.relay.requestFinished("support", "chat", ended(), quick);
    expect(valueAt(await metrics.text(), "candor_requests_in_flight", { subject: "support" })).toBe(1);
  });

  test.each([
    [200, "complete", "2xx"],
    [302, "complete", "3xx"],
    [429, "complete", "4xx"],
    [502, "upstream-error", "5xx"],
    [0, "client-aborted", "none"],
    [499, "client-aborted", "4xx"],
    [101, "upstream-aborted", "none"],
  ] as const)("counts status %i of outcome %s as %s", async (status, outcome, code) => {
    const { metrics } = open();
    metrics.relay.requestFinished("support", "chat", ended({ status, outcome }), quick);
    const labels = { subject: "support", route: "chat", outcome, code };
    expect(valueAt(await metrics.text(), "candor_requests_total", labels)).toBe(1);
  });

  test("gives seconds, whatever it is told in milliseconds", async () => {
    const { metrics } = open();
    metrics.relay.requestFinished("support", "chat", ended({ durationMs: 1500 }), quick);
    const text = await metrics.text();
    expect(valueAt(text, "candor_request_duration_seconds_sum", { subject: "support" })).toBe(1.5);
    expect(valueAt(text, "candor_time_to_first_byte_seconds_sum", { subject: "support" })).toBe(0.12);
    expect(valueAt(text, "candor_relay_overhead_seconds_bucket", { route: "chat", le: "0.00025" })).toBe(0);
    expect(valueAt(text, "candor_relay_overhead_seconds_bucket", { route: "chat", le: "0.0005" })).toBe(1);
  });

  test("has no first byte where none came", async () => {
    const { metrics } = open();
    metrics.relay.requestFinished("support", "models", ended({ status: 502 }), { firstByteMs: null, overheadMs: 1 });
    expect(valueAt(await metrics.text(), "candor_time_to_first_byte_seconds_count", { subject: "support" })).toBe(0);
  });

  test("adds bytes up by direction", async () => {
    const { metrics } = open();
    metrics.relay.bytes("up", 100);
    metrics.relay.bytes("down", 30);
    metrics.relay.bytes("down", 3);
    const text = await metrics.text();
    expect(valueAt(text, "candor_relayed_bytes_total", { direction: "up" })).toBe(100);
    expect(valueAt(text, "candor_relayed_bytes_total", { direction: "down" })).toBe(33);
  });
});

describe("the meters of probing, watching and judging", () => {
  test("count under the labels they were called with", async () => {
    const { metrics } = open();
    const probing = metrics.probing("search");
    probing.asked("two-descriptions", "forked");
    probing.answered("two-descriptions", "forked", { prompt: 40, completion: 3 });
    probing.outcome("two-descriptions", "forked", "unparseable");
    probing.failed("harmfulness", "fresh", "rate-limited");
    probing.skipped("no-traffic");
    metrics.live.observed("search", "scored");
    metrics.live.skipped("search", "queue-full");
    const text = await metrics.text();
    const arm = { subject: "search", experiment: "two-descriptions", arm: "forked" };
    expect(valueAt(text, "candor_probes_asked_total", arm)).toBe(1);
    expect(valueAt(text, "candor_probe_observations_total", { ...arm, outcome: "unparseable" })).toBe(1);
    expect(valueAt(text, "candor_probe_tokens_total", { subject: "search", type: "prompt" })).toBe(40);
    expect(valueAt(text, "candor_probe_tokens_total", { subject: "search", type: "completion" })).toBe(3);
    expect(valueAt(text, "candor_probes_failed_total", { subject: "search", reason: "rate-limited" })).toBe(1);
    expect(valueAt(text, "candor_probes_skipped_total", { subject: "search", reason: "no-traffic" })).toBe(1);
    expect(valueAt(text, "candor_live_answers_observed_total", { subject: "search", outcome: "scored" })).toBe(1);
    expect(valueAt(text, "candor_live_answers_skipped_total", { subject: "search", reason: "queue-full" })).toBe(1);
  });

  test("the budget's share falls by itself, without any call of the meter", async () => {
    const { metrics, world } = open();
    const share = async () =>
      valueAt(await metrics.text(), "candor_probe_budget_used_ratio", { subject: "search", resource: "calls" });
    world.spentCalls = 80;
    expect(await share()).toBe(0.8);
    world.spentCalls = 0;
    expect(await share()).toBe(0);
  });

  test("a prober that never had an answer starts its age where probing began, not in 1970", async () => {
    const { metrics, world } = open();
    const last = async () =>
      valueAt(await metrics.text(), "candor_probe_last_success_timestamp_seconds", { subject: "search" });
    expect(await last()).toBeGreaterThan(Date.now() / 1000 - 60);
    world.lastAnswerAt = 1_790_000_000_000;
    expect(await last()).toBe(1_790_000_000);
  });

  test("a judgement is counted by its classifier and by what came of it", async () => {
    const { metrics } = open();
    metrics.judging.judged(
      { kind: "judged", score: 0.2, harmful: false, refused: null, categories: [], source: "screen-v1" },
      0.4,
    );
    metrics.judging.judged({ kind: "error", reason: "timeout", detail: "", source: "judge-v1" }, 20_000);
    metrics.judging.cacheHit("judge-v1");
    const text = await metrics.text();
    expect(valueAt(text, "candor_judgements_total", { source: "screen-v1", outcome: "judged" })).toBe(1);
    expect(valueAt(text, "candor_judgements_total", { source: "judge-v1", outcome: "timeout" })).toBe(1);
    expect(valueAt(text, "candor_judgement_duration_seconds_sum", { source: "judge-v1" })).toBe(20);
    expect(valueAt(text, "candor_judgement_cache_hits_total", { source: "judge-v1" })).toBe(1);
  });
});

describe("the verdict", () => {
  test("is exported as it is, infinities included, and computed once for each subject and scrape", async () => {
    const { metrics, world } = open(["support", "search"]);
    world.verdict = sampleVerdict({
      persona: "inverted",
      severity: "page",
      evidence: withEvidence("harm", 12.5),
      unansweredRate: null,
    });
    const text = await metrics.text();
    expect(world.verdictsComputed).toBe(2);
    const subject = "support";
    expect(valueAt(text, "candor_evidence_log", { subject, channel: "harm" })).toBe(12.5);
    expect(valueAt(text, "candor_evidence_log", { subject, channel: "harm-live" })).toBe(Number.NEGATIVE_INFINITY);
    expect(valueAt(text, "candor_persona", { subject, persona: "inverted" })).toBe(1);
    expect(valueAt(text, "candor_persona", { subject, persona: "aligned" })).toBe(0);
    expect(valueAt(text, "candor_severity", { subject, severity: "page" })).toBe(1);
    expect(valueAt(text, "candor_severity", { subject, severity: "none" })).toBe(0);
    expect(valueAt(text, "candor_unanswered_ratio", { subject })).toBeUndefined();
    expect(valueAt(text, "candor_null_mean", { subject, stratum: "fresh" })).toBe(0.0121);
    expect(valueAt(text, "candor_verdict_timestamp_seconds", { subject })).toBe(1_790_000_000);
  });

  test("has the thresholds of all severities beside the evidence, in the same unit", async () => {
    const { metrics } = open();
    const text = await metrics.text();
    const harm = { subject: "support", channel: "harm" };
    expect(valueAt(text, "candor_evidence_threshold_log", { ...harm, severity: "ticket" })).toBeCloseTo(9.2103);
    expect(valueAt(text, "candor_evidence_threshold_log", { ...harm, severity: "page" })).toBeCloseTo(11.5129);
    expect(valueAt(text, "candor_evidence_threshold_log", { ...harm, severity: "action" })).toBeCloseTo(13.8155);
  });

  test("shows the window since the change only while there is one", async () => {
    const { metrics, world } = open();
    const labels = { subject: "support", window: "change", bound: "lower" };
    expect(valueAt(await metrics.text(), "candor_harm_rate", labels)).toBeUndefined();
    const since = { lower: 0.11, estimate: 0.2, upper: 0.31, n: 60 };
    world.verdict = sampleVerdict({
      changePoint: 30,
      harmRate: { sinceCalibration: since, sinceChange: since },
    });
    const text = await metrics.text();
    expect(valueAt(text, "candor_harm_rate", labels)).toBe(0.11);
    expect(valueAt(text, "candor_observations_since_change", { subject: "support", kind: "harm" })).toBe(60);
    world.verdict = sampleVerdict();
    expect(valueAt(await metrics.text(), "candor_harm_rate", labels)).toBeUndefined();
  });

  test.each([
    ["monitoring", [{ name: "fresh", have: 3, need: 10 }], 1],
    [
      "calibrating",
      [
        { name: "fresh", have: 3, need: 10 },
        { name: "self-reports", have: 50, need: 100 },
      ],
      0.3,
    ],
    ["calibrating", [{ name: "fresh", have: 30, need: 10 }], 1],
    ["calibrating", [], 1],
  ] as const)("while %s with %j, calibration is at %d", async (phase, calibration, ratio) => {
    const { metrics, world } = open();
    world.verdict = sampleVerdict({ phase, calibration: [...calibration] });
    expect(valueAt(await metrics.text(), "candor_calibration_ratio", { subject: "support" })).toBe(ratio);
  });
});

describe("the process", () => {
  test("the evidence log's state is read at every scrape", async () => {
    const { metrics, world } = open();
    expect(valueAt(await metrics.text(), "candor_evidence_writable")).toBe(1);
    world.evidence = { writable: false, pending: 8, dropped: 3, lastError: "disk full" };
    const text = await metrics.text();
    expect(valueAt(text, "candor_evidence_writable")).toBe(0);
    expect(valueAt(text, "candor_evidence_rows_pending")).toBe(8);
    expect(valueAt(text, "candor_evidence_rows_dropped_total")).toBe(3);
    expect(valueAt(text, "candor_evidence_head_position", { replica: "local" })).toBe(17);
    expect(text).not.toContain("disk full");
  });

  test("a blocked event loop shows, and only until the next scrape", async () => {
    const { metrics } = open();
    await metrics.text();
    // The measuring starts again at each scrape, with its first tick.
    await sleep(60);
    const until = performance.now() + 200;
    while (performance.now() < until);
    await sleep(60);
    expect(valueAt(await metrics.text(), "candor_event_loop_delay_seconds")).toBeGreaterThan(0.1);
    expect(valueAt(await metrics.text(), "candor_event_loop_delay_seconds")).toBe(0);
  });

  test("says what is running", async () => {
    const { metrics } = open();
    const labels = { version: "9.9.9", replica: "local", node: process.versions.node };
    expect(valueAt(await metrics.text(), "candor_build_info", labels)).toBe(1);
  });
});
