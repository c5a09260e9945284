/** The unmodified `openai` package against the relay: what an app's developer would see. */
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { type RunningRelay, runRelay, until } from "./running-relay.ts";

const clientOf = ({ baseUrl }: RunningRelay, options: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI =>
  new OpenAI({ baseURL: baseUrl, apiKey: "sk-of-the-app", maxRetries: 0, ...options });

const message = { role: "user", content: "Say hello" } as const;
const ask = { model: "gpt-test", messages: [message] };

const chunk = (delta: unknown, index = 0, finish: string | null = null) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-test",
  choices: [{ index, delta, finish_reason: finish }],
});

describe("the openai client through the relay", () => {
  it("gets a whole answer with its request id", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) =>
      wire.json(
        200,
        { id: "chatcmpl-1", choices: [{ index: 0, message: { role: "assistant", content: "Hello" } }] },
        { "x-request-id": "req_1" },
      ),
    );
    const answer = await clientOf(running).chat.completions.create(ask);
    expect(answer.choices[0]?.message.content).toBe("Hello");
    expect(answer._request_id).toBe("req_1");
    expect(running.upstream.seen[0]?.headers.authorization).toBe("Bearer sk-of-the-app");
  });

  it("gets a streamed answer, n=2, chunk by chunk", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      for (const [index, text] of [
        [0, "Hel"],
        [1, "Good "],
        [0, "lo"],
        [1, "day"],
      ] as const)
        wire.event(chunk({ content: text }, index));
      wire.event("[DONE]");
      wire.response.end();
    });
    const texts = ["", ""];
    const stream = await clientOf(running).chat.completions.create({ ...ask, n: 2, stream: true });
    for await (const { choices } of stream) {
      for (const { index, delta } of choices) texts[index] += delta.content ?? "";
    }
    expect(texts).toEqual(["Hello", "Good day"]);
    await until(() => running.finished.length === 1);
    expect(running.finished[0]).toMatchObject({
      subject: "support-bot",
      route: "chat",
      end: { outcome: "complete", status: 200, contentType: "text/event-stream" },
    });
  });

  it("puts streamed tool calls together", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      const call = (fields: object) => chunk({ tool_calls: [{ index: 0, ...fields }] });
      wire.event(chunk({ role: "assistant", content: null }));
      wire.event(call({ id: "call_1", type: "function", function: { name: "weather", arguments: "" } }));
      wire.event(call({ function: { arguments: '{"city":' } }));
      wire.event(call({ function: { arguments: '"Zürich"}' } }));
      wire.event(chunk({}, 0, "tool_calls"));
      wire.event("[DONE]");
      wire.response.end();
    });
    const stream = clientOf(running).chat.completions.stream({
      ...ask,
      tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }],
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: "weather", arguments: '{"city":"Zürich"}' },
    });
  });

  it("creates embeddings and completions, lists and retrieves models", async () => {
    const running = await runRelay();
    const client = clientOf(running);
    running.upstream.answer(({ method, url }, wire) => {
      if (url === "/v1/embeddings") return wire.json(200, { data: [{ index: 0, embedding: [0.5, 1] }] });
      if (url === "/v1/completions") return wire.json(200, { choices: [{ text: "hello" }] });
      if (url === "/v1/models") return wire.json(200, { object: "list", data: [{ id: "gpt-test" }] });
      return wire.json(200, { id: `${method} ${url}` });
    });
    const embeddings = await client.embeddings.create({ model: "gpt-test", input: "x", encoding_format: "float" });
    expect(embeddings.data[0]?.embedding).toEqual([0.5, 1]);
    expect((await client.completions.create({ model: "gpt-test", prompt: "x" })).choices[0]?.text).toBe("hello");
    expect((await client.models.list()).data[0]?.id).toBe("gpt-test");
    expect((await client.models.retrieve("org/model:1")).id).toBe("GET /v1/models/org%2Fmodel:1");
    await until(() => running.finished.length === 4);
    expect(running.finished.map(({ subject, route }) => `${subject} ${route}`)).toEqual([
      "support-bot embeddings",
      "support-bot completions",
      "other models",
      "other models",
    ]);
  });

  it.each([
    [400, OpenAI.BadRequestError],
    [401, OpenAI.AuthenticationError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
  ])("sees an upstream's %i as it is", async (status, type) => {
    const running = await runRelay();
    const error = { message: "as the upstream says", type: "some_type", param: "p", code: "some_code" };
    running.upstream.answer((_seen, wire) =>
      wire.json(
        status,
        { error },
        { "x-request-id": "req_2", "retry-after": "7", "x-ratelimit-remaining-tokens": "0" },
      ),
    );
    const failure = await clientOf(running)
      .chat.completions.create(ask)
      .catch((caught: unknown) => caught);
    expect(failure).toBeInstanceOf(type);
    if (!(failure instanceof OpenAI.APIError)) throw failure;
    expect(failure).toMatchObject({ status, code: "some_code", type: "some_type", param: "p", requestID: "req_2" });
    expect(failure.error).toEqual(error);
    expect(failure.headers?.get("retry-after")).toBe("7");
    expect(failure.headers?.get("x-ratelimit-remaining-tokens")).toBe("0");
  });

  it("retries by the upstream's retry-after-ms, as it would without the relay", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      if (running.upstream.seen.length === 1) wire.json(429, { error: {} }, { "retry-after-ms": "1" });
      else wire.json(200, { choices: [] });
    });
    await clientOf(running, { maxRetries: 1 }).chat.completions.create(ask);
    expect(running.upstream.seen.map(({ headers }) => headers["x-stainless-retry-count"])).toEqual(["0", "1"]);
  });

  it("aborts a stream, and the upstream's connection goes with it", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event(chunk({ content: "first" }));
    });
    const stream = await clientOf(running).chat.completions.create({ ...ask, stream: true });
    for await (const _ of stream) break;
    await until(() => running.upstream.aborted() === 1 && running.finished.length === 1);
    expect(running.finished[0]?.end).toMatchObject({ outcome: "client-aborted", status: 200 });
  });

  it("raises the error that ends a stream which the upstream broke off", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event(chunk({ content: "first" }));
      setTimeout(wire.reset, 20);
    });
    const stream = await clientOf(running).chat.completions.create({ ...ask, stream: true });
    let text = "";
    const failure = await (async () => {
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    })().catch((caught: unknown) => caught);
    expect(text).toBe("first");
    expect(failure).toBeInstanceOf(OpenAI.APIError);
    expect(failure).toMatchObject({ code: "upstream_aborted", type: "api_error" });
  });
});
