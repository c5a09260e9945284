import { afterEach, describe, expect, test } from "vitest";
import { healthView } from "../../src/control/api-schema.ts";
import { type Running, run, type World } from "./running-control.ts";

let running: Running | undefined;
afterEach(async () => {
  await running?.control.close();
  running = undefined;
});

const failing = async (path: string, change: (world: World) => void): Promise<{ status: number; names: string[] }> => {
  running = await run();
  change(running.world);
  const { status, json } = await running.call(path);
  const { checks } = healthView.parse(json);
  return { status, names: checks.filter((check) => !check.ok).map((check) => check.name) };
};

describe("health", () => {
  test.each([
    ["a process that is well", "/readyz", () => {}, 200, []],
    ["a process that is still starting", "/readyz", (w: World) => (w.started = false), 503, ["started"]],
    ["a closed data port", "/readyz", (w: World) => (w.listening = false), 503, ["data-port"]],
    ["draining", "/readyz", (w: World) => (w.draining = true), 503, ["not-draining"]],
    ["a store that can't be written", "/readyz", (w: World) => (w.writable = false), 200, []],
    ["a process that is still starting", "/startupz", (w: World) => (w.started = false), 503, ["started"]],
    ["draining", "/startupz", (w: World) => (w.draining = true), 200, []],
  ])("%s at %s", async (_, path, change, status, names) => {
    expect(await failing(path, change)).toEqual({ status, names });
  });

  test("a process is alive whatever else is wrong with it", async () => {
    const everything = (world: World) =>
      Object.assign(world, { started: false, listening: false, draining: true, writable: false });
    expect(await failing("/livez", everything)).toEqual({ status: 200, names: [] });
  });

  test("a policy that wants its evidence turns the process unready when the store can't be written", async () => {
    running = await run([], { evidencePolicy: () => "unready" });
    running.world.writable = false;
    const { status, json } = await running.call("/readyz");
    expect(status).toBe(503);
    expect(healthView.parse(json).checks.find(({ name }) => name === "evidence")).toEqual({
      name: "evidence",
      ok: false,
      detail: "degraded: the store can't be written, 3 rows are kept in memory",
    });
  });

  test("a degraded store is told even where it does no harm", async () => {
    running = await run();
    running.world.writable = false;
    expect((await running.call("/readyz")).text).toContain("degraded");
  });
});
