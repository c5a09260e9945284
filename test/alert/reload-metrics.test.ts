import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createReloadMetrics } from "../../src/alert/reload-metrics.ts";

test("policies that can be read do not hide a configuration that can't be used", async () => {
  const registry = new Registry();
  const reloads = createReloadMetrics(registry, { now: () => 0 });
  const isGood = async (): Promise<boolean> =>
    (await registry.metrics()).includes("candor_config_last_reload_successful 1");
  expect(await isGood()).toBe(true);
  reloads.failed("configuration");
  reloads.succeeded("policies");
  expect(await isGood()).toBe(false);
  reloads.succeeded("configuration");
  expect(await isGood()).toBe(true);
});
