import { describe, expect, test } from "vitest";
import { inspectRequest } from "../../src/dialect/inspection.ts";
import { chatRequest, type RunningRelay, rawExchange, runRelay } from "./running-relay.ts";
import { scriptGuard } from "./scripted-guard.ts";

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const ask = (body: string) => `{"model":"gpt-test","messages":[{"role":"user","content":"x"}],${body}}`;
const tool = {
  type: "function",
  function: { name: "f", description: "d", parameters: { type: "object", properties: {} } },
};
const tools = (count: number): string => ask(`"tools":${JSON.stringify(Array.from({ length: count }, () => tool))}`);

const bodies: [string, string, number][] = [
  ["arrays nested 10,000 deep", ask(`"x":${nested(10_000)}`), 400],
  ["a name given twice, deep inside", ask('"tools":[{"function":{"name":"f","name":"g"}}]'), 400],
  ["a name given twice in two spellings", ask('"user":"a","us\\u0065r":"b"'), 400],
  ["a prototype's name", ask('"__proto__":{"content":"bad"}'), 400],
  ["half a surrogate pair", ask('"user":"\\ud83d"'), 200],
  ["an infinite number", ask('"temperature":1e999'), 200],
  ["10,000 tools", tools(10_000), 200],
  ["one text of 1 MB", ask(`"user":"${"a ".repeat(500_000)}"`), 200],
  ["100,000 fields", ask(`"metadata":{${Array.from({ length: 100_000 }, (_, at) => `"k${at}":1`).join(",")}}`), 200],
  ["content of the wrong kind", '{"model":"gpt-test","messages":[{"role":7,"content":{"a":{"b":"bad"}}}]}', 400],
  ["messages of the wrong kind", '{"model":"gpt-test","messages":{"0":{"content":"bad"}}}', 400],
  ["a message of the wrong kind", '{"model":"gpt-test","messages":["bad"]}', 400],
];

const guarded = () => runRelay({ guard: scriptGuard({ request: { term: "bad", action: "block" } }) });

/** Every refusal is one error in OpenAI's shape, and the relay still serves. */
const expectError = async (relay: RunningRelay, answer: Response): Promise<void> => {
  const { error } = (await answer.json()) as { error: Record<string, unknown> };
  expect([typeof error.message, typeof error.type, typeof error.code]).toEqual(["string", "string", "string"]);
  expect(relay.upstream.seen).toEqual([]);
};

describe("hostile requests", () => {
  test.each(bodies)("%s: an error in OpenAI's shape or an answer, and no crash", async (_name, body, status) => {
    const relay = await guarded();
    const answer = await fetch(`${relay.baseUrl}/chat/completions`, { method: "POST", body });
    expect(answer.status).toBe(status);
    if (status === 400) await expectError(relay, answer);
    const after = await fetch(`${relay.baseUrl}/chat/completions`, { method: "POST", body: ask('"n":1') });
    expect(after.status).toBe(200);
  });

  test.each([
    ["two lengths", ["content-length: 5"]],
    ["a length and chunks", ["transfer-encoding: chunked"]],
    ["an encoding that hides chunks", ["transfer-encoding: xchunked"]],
    ["a bare line feed in a header", ["x-a: b\nx-c: d"]],
    ["a space before a colon", ["transfer-encoding : chunked"]],
  ])("with %s never reach the upstream as two", async (_name, headers) => {
    const relay = await guarded();
    const text = await rawExchange(relay.port, chatRequest(ask('"user":"bad"'), headers));
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(text).toContain('"error"');
    expect(relay.upstream.seen).toEqual([]);
  });

  test("are inspected in time that grows with their size, not faster", () => {
    const cost = (count: number): number => {
      const body = Buffer.from(tools(count));
      const from = performance.now();
      for (let round = 0; round < 3; round += 1) inspectRequest("/chat/completions", body);
      return performance.now() - from;
    };
    cost(1_000);
    // Sixteen times the size, with room for a busy machine: a quadratic reading would take 256 times as long.
    expect(cost(16_000)).toBeLessThan(100 * Math.max(cost(1_000), 1));
  });
});
