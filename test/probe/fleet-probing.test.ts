import { expect, test } from "vitest";
import type { FleetProbing } from "../../src/probe/fleet-probing.ts";
import { stage } from "./scripted-prober.ts";

/** What a fleet shares, of which this replica is one of two that take turns. */
const shared = (scene: Partial<FleetProbing> = {}) => {
  const reserved: number[] = [];
  const settled: (number | null)[] = [];
  let turn = 0;
  const fleet: FleetProbing = {
    async takeTurn() {
      turn += 1;
      return { mine: turn % 2 === 0, waitMs: 10_000 };
    },
    async reserve(tokens) {
      reserved.push(tokens);
      return { settle: (used) => void settled.push(used) };
    },
    spent: () => [
      { calls: 7, tokens: 700 },
      { calls: 9, tokens: 900 },
    ],
    ...scene,
  };
  return { fleet, reserved, settled, turns: () => turn };
};

const minute = 60_000;

test("asks in its own turns alone, whatever its own rate", async () => {
  const { fleet, turns } = shared();
  const { prober, clock, questions } = stage({ parts: { fleet }, settings: { perHour: 3_600 } });
  prober.start();
  await clock.advance(10 * minute);
  expect(questions.length).toBeGreaterThan(20);
  expect(Math.abs(questions.length - turns() / 2)).toBeLessThanOrEqual(2);
  await prober.stop();
});

test("sleeps a few seconds at most, as the rate may rise at another replica", async () => {
  const { fleet, turns } = shared();
  const { prober, clock } = stage({ parts: { fleet } });
  prober.start();
  await clock.advance(10 * minute);
  expect(turns()).toBeGreaterThan((10 * minute) / 6_000);
  expect(turns()).toBeLessThan((10 * minute) / 4_000);
  await prober.stop();
});

test("spends from the fleet's budget, and tells what each call used", async () => {
  const { fleet, reserved, settled } = shared();
  const { prober, clock, questions } = stage({ parts: { fleet } });
  prober.start();
  await clock.advance(5 * minute);
  expect(reserved).toHaveLength(questions.length);
  expect(settled).toContain(70);
  expect(prober.status()).toMatchObject({ spent: { calls: 7 }, day: { spent: { calls: 9 } } });
  await prober.stop();
});

test("asks nothing when the fleet's budget is spent", async () => {
  const { fleet } = shared({ reserve: async () => null });
  const { prober, clock, questions, counted } = stage({ parts: { fleet } });
  prober.start();
  await clock.advance(5 * minute);
  expect(questions).toEqual([]);
  expect(counted("skipped budget")).toBeGreaterThan(5);
  await prober.stop();
});

test.each<[string, Partial<FleetProbing>]>([
  ["turns", { takeTurn: () => Promise.reject(new Error("no way there")) }],
  ["budget", { reserve: () => Promise.reject(new Error("no way there")) }],
])("asks nothing while the fleet's %s can't be reached, and says why", async (_, broken) => {
  const { fleet } = shared(broken);
  const { prober, clock, questions, counted } = stage({ parts: { fleet } });
  prober.start();
  await clock.advance(5 * minute);
  expect(questions).toEqual([]);
  expect(counted("skipped fleet-unreachable")).toBeGreaterThan(5);
  await prober.stop();
});

test("takes no turn once it is stopped, not even one that was on its way", async () => {
  let give = (): void => {};
  const { fleet } = shared({
    takeTurn: () =>
      new Promise((resolve) => {
        give = () => resolve({ mine: true, waitMs: 0 });
      }),
  });
  const { prober, clock, questions } = stage({ parts: { fleet } });
  prober.start();
  await clock.advance(1_000);
  await prober.stop();
  give();
  await clock.advance(minute);
  expect(questions).toEqual([]);
});
