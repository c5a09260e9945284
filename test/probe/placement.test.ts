import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { createPlacement } from "../../src/probe/placement.ts";
import { createHandClock } from "./hand-clock.ts";

const placing = (pauses: readonly number[]) => {
  const clock = createHandClock();
  const toCall = new Set<() => void>();
  const rhythm = {
    pauses: () => pauses,
    atNextCall(callback: () => void) {
      toCall.add(callback);
      return () => toCall.delete(callback);
    },
  };
  const placement = createPlacement({ rhythm, clock, random: seededRandom(4) });
  const fired: number[] = [];
  return {
    clock,
    placement,
    fired,
    waitsForCall: () => toCall.size,
    place: () => placement.place(() => fired.push(clock.monotonic())),
    call() {
      const callbacks = [...toCall];
      toCall.clear();
      for (const callback of callbacks) callback();
    },
  };
};

const steady = Array.from({ length: 20 }, () => 1_000);

describe("a due probe", () => {
  test.each([
    ["without a rhythm", undefined],
    ["while too few pauses are known", { pauses: () => steady.slice(0, 15), atNextCall: () => () => {} }],
  ])("%s is asked at once", (_, rhythm) => {
    let asked = false;
    const placement = createPlacement({ rhythm, clock: createHandClock(), random: seededRandom(1) });
    placement.place(() => {
      asked = true;
    });
    expect(asked).toBe(true);
    expect(placement.waiting()).toBe(0);
  });

  test("comes after a call of the app, at one of the app's own pauses", async () => {
    const { clock, placement, fired, place, call, waitsForCall } = placing(steady);
    place();
    await clock.advance(3_000);
    expect(fired).toEqual([]);
    const called = clock.monotonic();
    call();
    await clock.advance(1_200);
    expect(fired).toHaveLength(1);
    expect(Math.abs((fired[0] ?? 0) - called - 1_000)).toBeLessThanOrEqual(100);
    // Nothing of it is left.
    expect([placement.waiting(), clock.timers(), waitsForCall()]).toEqual([0, 0, 0]);
  });

  test("waits for a pause that lasts as long as the one that it drew", async () => {
    const { clock, fired, place, call } = placing(steady);
    place();
    for (let calls = 0; calls < 10; calls += 1) {
      call();
      await clock.advance(500);
    }
    expect(fired).toEqual([]);
    await clock.advance(700);
    expect(fired).toHaveLength(1);
  });

  test.each([
    { pause: 1_000, within: 32_000 },
    { pause: 60_000, within: 300_000 },
  ])("is asked after $within ms at the latest where pauses last $pause ms", async ({ pause, within }) => {
    const { clock, fired, place } = placing(Array.from({ length: 20 }, () => pause));
    place();
    await clock.advance(within - 1);
    expect(fired).toEqual([]);
    await clock.advance(1);
    expect(fired).toHaveLength(1);
  });

  test("is forgotten when probing stops", async () => {
    const { clock, placement, fired, place, call } = placing(steady);
    place();
    call();
    place();
    expect(placement.waiting()).toBe(2);
    placement.clear();
    call();
    await clock.advance(400_000);
    expect(fired).toEqual([]);
    expect(clock.timers()).toBe(0);
  });
});
