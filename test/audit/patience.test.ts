import { expect, test } from "vitest";
import { type Attempt, AuditStopped, createPatience } from "../../src/audit/patience.ts";

/** Waits take no time; the clock moves by what was waited. */
const patient = (attempts = 4) => {
  let now = 0;
  const waits: number[] = [];
  const patience = createPatience({
    attempts,
    clock: { monotonic: () => now },
    random: () => 1,
    async wait(ms) {
      waits.push(ms);
      now += ms;
    },
  });
  return { patience, waits };
};

const going = (...came: Attempt<string>[]) => {
  const left = [...came];
  return async (): Promise<Attempt<string>> => left.shift() ?? { kind: "done", value: "answer" };
};

const never = new AbortController().signal;
const again = (retryAfterMs: number | null = null): Attempt<string> => ({ kind: "again", why: "busy", retryAfterMs });

test("waits longer each time, and at least as long as the server asks", async () => {
  const { patience, waits } = patient();
  expect(await patience("it", going(again(), again(), again(30_000)), never)).toBe("answer");
  expect(waits).toEqual([1_000, 2_000, 30_000]);
});

test("who asks next waits as well: the server asked all", async () => {
  const { patience, waits } = patient(1);
  await expect(patience("it", going(again(5_000)), never)).rejects.toThrow("it: busy, 1 times");
  await patience("it", going(), never);
  expect(waits).toEqual([5_000]);
});

test("a rejection is not asked again", async () => {
  const { patience, waits } = patient();
  const stopped = patience("it", going({ kind: "stop", why: "wrong key" }), never);
  await expect(stopped).rejects.toThrow("it: wrong key");
  await expect(stopped).rejects.toBeInstanceOf(AuditStopped);
  expect(waits).toEqual([]);
});

test("an interruption ends the waiting", async () => {
  const { patience } = patient();
  const stopping = new AbortController();
  const asked = patience(
    "it",
    async () => {
      stopping.abort();
      return again();
    },
    stopping.signal,
  );
  await expect(asked).rejects.toThrow("interrupted");
});
