/** Budgets by a hand-turned clock, and over a real socket: what is counted, and what an empty budget makes of a text. */
import { afterEach, describe, expect, test } from "vitest";
import { createGuard } from "../../src/classify/guards/registry.ts";
import { type Budget, createSpending } from "../../src/classify/spending.ts";
import { chat, sendJson, startFakeServer } from "./fake-server.ts";

const servers: Awaited<ReturnType<typeof startFakeServer>>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const spendingOf = (budget: Partial<Budget>) => {
  let now = 0;
  const told: unknown[] = [];
  const spending = createSpending({
    classifier: "guard",
    budget: { callsPerHour: null, tokensPerHour: null, ...budget },
    meter: {
      called: (classifier, usage) => void told.push([classifier, usage]),
      overBudget: (classifier) => void told.push([classifier, "over"]),
    },
    clock: { monotonic: () => now },
  });
  return {
    spending,
    told,
    wait: (ms: number) => {
      now += ms;
    },
  };
};

describe("a budget", () => {
  test("of calls allows so many in an hour, and as many in the next", () => {
    const { spending, told, wait } = spendingOf({ callsPerHour: 2 });
    expect([spending.claim(), spending.claim(), spending.claim()]).toEqual([true, true, false]);
    wait(3_599_999);
    expect(spending.claim()).toBe(false);
    wait(1);
    expect(spending.claim()).toBe(true);
    expect(told).toEqual([
      ["guard", "over"],
      ["guard", "over"],
    ]);
  });

  test("of tokens ends with the call that uses it up", () => {
    const { spending } = spendingOf({ tokensPerHour: 100 });
    expect(spending.claim()).toBe(true);
    spending.spent({ prompt: 90, completion: 9 });
    expect(spending.claim()).toBe(true);
    spending.spent({ prompt: 1, completion: 0 });
    expect(spending.claim()).toBe(false);
  });

  test("that is not there limits nothing", () => {
    const { spending } = spendingOf({});
    for (let n = 0; n < 10_000; n++) {
      expect(spending.claim()).toBe(true);
      spending.spent({ prompt: 1e6, completion: 1e6 });
    }
  });
});

const guardWith = async (budget: Partial<Budget>, reply: unknown, status = 200) => {
  const server = await startFakeServer((_, response) => sendJson(response, reply, status));
  servers.push(server);
  const { spending, told } = spendingOf(budget);
  const guard = createGuard({
    guard: "llama-guard-3",
    model: "m",
    baseUrl: server.baseUrl,
    key: null,
    fetch,
    timeoutMs: 2_000,
    maxAnswerChars: 1_000,
    spending,
  });
  return { judge: () => guard.judge({ prompt: null, response: "x" }), told, server };
};

describe("a call over a real socket", () => {
  test("costs what the server says", async () => {
    const usage = { prompt_tokens: 210, completion_tokens: 4, total_tokens: 214 };
    const { judge, told } = await guardWith({}, { ...chat("safe"), usage });
    await judge();
    expect(told).toEqual([["guard", { prompt: 210, completion: 4 }]]);
  });

  test.each([
    ["says nothing", chat("safe"), 200],
    ["says nonsense", { ...chat("safe"), usage: { prompt_tokens: -1 } }, 200],
    ["fails", { error: {} }, 500],
  ])("costs an estimate where the server %s", async (_, reply, status) => {
    const { judge, told, server } = await guardWith({}, reply, status);
    await judge();
    const prompt = Math.ceil(JSON.stringify(server.asked[0]?.body).length / 3);
    expect(told).toEqual([["guard", { prompt, completion: 0 }]]);
  });

  test("is not made when the budget is used up, and the text counts as not judged, never as harmless", async () => {
    const { judge, server } = await guardWith({ callsPerHour: 1 }, chat("safe"));
    expect(await judge()).toMatchObject({ kind: "judged" });
    expect(await judge()).toMatchObject({
      kind: "error",
      reason: "overloaded",
      detail: "the budget of this hour is used up",
    });
    expect(server.asked).toHaveLength(1);
  });
});
