import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startOpenAiServer } from "../../src/demo/openai-server.ts";

let server: RunningServer;
const client = () => new OpenAI({ baseURL: server.baseUrl, apiKey: "none", maxRetries: 0 });
const ask = { model: "m", messages: [{ role: "user" as const, content: "what is  up?" }] };

beforeAll(async () => {
  server = await startOpenAiServer({
    model: "pretend",
    speaker: { say: (messages) => `You said: ${messages.at(-1)?.content}\nAll of it.` },
  });
});
afterAll(() => server.close());

describe("an unmodified OpenAI client takes the simulated server for the real thing", () => {
  test("whole answers have text, finish reason and usage", async () => {
    const answer = await client().chat.completions.create(ask);
    expect(answer.choices[0]?.message.content).toBe("You said: what is  up?\nAll of it.");
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0),
    );
  });

  test("a streamed answer is the same text, with usage where it was asked for", async () => {
    const stream = await client().chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    const finished: unknown[] = [];
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (chunk.choices[0]?.finish_reason) finished.push(chunk.choices[0].finish_reason);
      tokens = chunk.usage?.total_tokens ?? tokens;
    }
    expect(text).toBe("You said: what is  up?\nAll of it.");
    expect(finished).toEqual(["stop"]);
    expect(tokens).toBeGreaterThan(0);
  });

  test("content in parts is read", async () => {
    const messages = [{ role: "user" as const, content: [{ type: "text" as const, text: "in parts" }] }];
    const answer = await client().chat.completions.create({ model: "m", messages });
    expect(answer.choices[0]?.message.content).toContain("in parts");
  });

  test("models are listed", async () => {
    const { data } = await client().models.list();
    expect(data.map(({ id }) => id)).toEqual(["pretend"]);
  });

  test.each([
    ["what is no JSON", "{", "not JSON"],
    ["a request without messages", '{"model":"m","messages":[]}', "messages"],
  ])("%s is refused with a reason", async (_, body, reason) => {
    const response = await fetch(`${server.baseUrl}/chat/completions`, { method: "POST", body });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(reason);
  });

  test("other paths are not there", async () => {
    expect((await fetch(`${server.baseUrl}/embeddings`, { method: "POST", body: "{}" })).status).toBe(404);
  });
});
