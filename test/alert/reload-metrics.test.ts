import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createReloadMetrics } from "../../src/alert/reload-metrics.ts";

const exposed = () => {
  const registry = new Registry();
  let now = 1_000;
  let ending = 0;
  const reloads = createReloadMetrics(registry, { now: () => now }, () => ending);
  return {
    reloads,
    at: (ms: number) => {
      now = ms;
    },
    ending: (count: number) => {
      ending = count;
    },
    has: async (line: string): Promise<boolean> => (await registry.metrics()).split("\n").includes(line),
  };
};

test("what can't be used is told until it can", async () => {
  const { reloads, at, has } = exposed();
  expect(await has("candor_config_last_reload_successful 1")).toBe(true);
  at(5_000);
  reloads.failed();
  expect(await has("candor_config_last_reload_successful 0")).toBe(true);
  expect(await has("candor_config_last_reload_success_timestamp_seconds 1")).toBe(true);
  reloads.succeeded();
  expect(await has("candor_config_last_reload_successful 1")).toBe(true);
  expect(await has("candor_config_last_reload_success_timestamp_seconds 5")).toBe(true);
  expect(await has('candor_config_reloads_total{result="success"} 1')).toBe(true);
  expect(await has('candor_config_reloads_total{result="failure"} 1')).toBe(true);
});

test("one configuration is told from another, and whether one before it still runs", async () => {
  const { reloads, ending, has } = exposed();
  reloads.inForce("one");
  expect(await has('candor_config_info{hash="one"} 1')).toBe(true);
  reloads.inForce("two");
  expect(await has("candor_config_ending 1")).toBe(false);
  ending(1);
  expect(await has('candor_config_info{hash="one"} 1')).toBe(false);
  expect(await has('candor_config_info{hash="two"} 1')).toBe(true);
  expect(await has("candor_config_ending 1")).toBe(true);
});
