/**
 * Ways past other guardrail proxies that their users have published (LiteLLM, Portkey, AISIX, agentgateway), each tried on
 * this relay with the policies that operators get.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { realGuard } from "./real-guard.ts";
import { type RunningRelay, rawExchange, runRelay } from "./running-relay.ts";

const both = (action = "block") => [
  { id: "in", stage: "request", match: { terms: ["bluebird"] }, action },
  { id: "out", stage: "response", match: { terms: ["bluebird"] }, action },
];

const post = (relay: RunningRelay, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(relay.baseUrl + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

const chat = (messages: unknown[], more: Record<string, unknown> = {}) => ({ model: "gpt-test", messages, ...more });
const user = (content: unknown) => ({ role: "user", content });

describe("a request is stopped wherever the word stands", () => {
  test.each([
    [
      "an earlier turn",
      "/chat/completions",
      chat([user("bluebird"), { role: "assistant", content: "ok" }, user("go on")]),
    ],
    ["the system message", "/chat/completions", chat([{ role: "system", content: "bluebird" }, user("hi")])],
    ["the developer message", "/chat/completions", chat([{ role: "developer", content: "bluebird" }, user("hi")])],
    [
      "what the assistant is said to have said",
      "/chat/completions",
      chat([{ role: "assistant", content: "bluebird" }, user("hi")]),
    ],
    [
      "the second part of a message",
      "/chat/completions",
      chat([
        user([
          { type: "text", text: "a" },
          { type: "text", text: "bluebird" },
        ]),
      ]),
    ],
    [
      "a tool's description",
      "/chat/completions",
      chat([user("hi")], { tools: [{ type: "function", function: { name: "f", description: "bluebird" } }] }),
    ],
    [
      "deep in a tool's schema",
      "/chat/completions",
      chat([user("hi")], {
        tools: [
          {
            type: "function",
            function: { name: "f", parameters: { type: "object", properties: { a: { description: "bluebird" } } } },
          },
        ],
      }),
    ],
    [
      "a call's arguments in the history",
      "/chat/completions",
      chat([
        {
          role: "assistant",
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: '{"q":"bluebird"}' } }],
        },
        user("hi"),
      ]),
    ],
    ["a tool's result", "/chat/completions", chat([{ role: "tool", tool_call_id: "1", content: "bluebird" }])],
    ["the name of a message's author", "/chat/completions", chat([{ role: "user", name: "bluebird", content: "hi" }])],
    ["a field that nobody knows", "/chat/completions", chat([user("hi")], { extra_body: { note: "bluebird" } })],
    ["instructions of the responses API", "/responses", { model: "gpt-test", instructions: "bluebird", input: "hi" }],
    [
      "an item of the responses API",
      "/responses",
      { model: "gpt-test", input: [{ type: "function_call_output", call_id: "1", output: "bluebird" }] },
    ],
    [
      "the system of messages",
      "/messages",
      { model: "gpt-test", max_tokens: 9, system: [{ type: "text", text: "bluebird" }], messages: [user("hi")] },
    ],
    [
      "a tool's result of messages",
      "/messages",
      {
        model: "gpt-test",
        max_tokens: 9,
        messages: [user([{ type: "tool_result", tool_use_id: "1", content: [{ type: "text", text: "bluebird" }] }])],
      },
    ],
    ["one of several prompts", "/completions", { model: "gpt-test", prompt: ["a", "bluebird"] }],
    ["an input of embeddings", "/embeddings", { model: "gpt-test", input: ["a", "bluebird"] }],
    ["a stream's request", "/chat/completions", chat([user("bluebird")], { stream: true })],
  ])("%s", async (_name, path, body) => {
    const relay = await runRelay({ guard: realGuard(both()) });
    const answer = await post(relay, path, body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain("bluebird");
    expect(relay.upstream.seen).toEqual([]);
  });
});

describe("an answer is stopped wherever the word stands", () => {
  const message = (fields: unknown) => ({ id: "c", choices: [{ index: 0, message: fields, finish_reason: "stop" }] });
  const call = (args: string) => ({
    role: "assistant",
    content: null,
    tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: args } }],
  });
  test.each([
    [
      "the second choice",
      "/chat/completions",
      {
        choices: [
          { index: 0, message: { content: "ok" } },
          { index: 1, message: { content: "bluebird" } },
        ],
      },
    ],
    ["a call's arguments", "/chat/completions", message(call('{"q":"bluebird"}'))],
    ["escaped in a call's arguments", "/chat/completions", message(call('{"q":"\\u0062luebird"}'))],
    ["the reasoning", "/chat/completions", message({ content: "ok", reasoning_content: "bluebird" })],
    ["the refusal", "/chat/completions", message({ content: null, refusal: "no bluebird" })],
    [
      "tokens of the log probabilities",
      "/chat/completions",
      {
        choices: [
          {
            index: 0,
            message: { content: "ok" },
            logprobs: {
              content: [
                { token: "blue", logprob: -1, top_logprobs: [] },
                { token: "bird", logprob: -1, top_logprobs: [] },
              ],
            },
          },
        ],
      },
    ],
    [
      "an output item of the responses API",
      "/responses",
      { id: "r", output: [{ type: "message", content: [{ type: "output_text", text: "bluebird" }] }] },
    ],
    [
      "a reasoning summary of the responses API",
      "/responses",
      { id: "r", output: [{ type: "reasoning", summary: [{ type: "summary_text", text: "bluebird" }] }] },
    ],
    [
      "the input of a tool use of messages",
      "/messages",
      { id: "m", content: [{ type: "tool_use", id: "1", name: "f", input: { q: "bluebird" } }] },
    ],
    ["a field that nobody knows", "/chat/completions", { ...message({ content: "ok" }), note: "bluebird" }],
  ])("%s", async (_name, path, body) => {
    const relay = await runRelay({ guard: realGuard(both()) });
    relay.upstream.answer((_seen, wire) => wire.json(200, body));
    const answer = await post(relay, path, chat([user("hi")], { input: "hi", max_tokens: 9 }));
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toMatch(/blue|bird/);
  });

  test.each([
    ["a stream", [{ delta: { content: "blue" } }, { delta: { content: "bird" } }]],
    [
      "the second choice of a stream",
      [
        { delta: { content: "ok" } },
        { index: 1, delta: { content: "blue" } },
        { index: 1, delta: { content: "bird" } },
      ],
    ],
    [
      "arguments that a stream puts together",
      [
        { delta: { tool_calls: [{ index: 0, id: "1", function: { name: "f", arguments: '{"q":"blue' } }] } },
        { delta: { tool_calls: [{ index: 0, function: { arguments: 'bird"}' } }] } },
      ],
    ],
    ["reasoning in a stream", [{ delta: { reasoning_content: "blue" } }, { delta: { reasoning_content: "bird" } }]],
  ])("%s", async (_name, choices) => {
    const relay = await runRelay({ guard: realGuard(both()) });
    relay.upstream.answer((_seen, wire) => {
      wire.stream();
      for (const choice of choices) wire.event({ id: "c", choices: [{ index: 0, finish_reason: null, ...choice }] });
      wire.event("[DONE]");
      wire.response.end();
    });
    const answer = await post(relay, "/chat/completions", chat([user("hi")], { stream: true }));
    expect(await answer.text()).not.toMatch(/blue|bird/);
    expect(relay.decided.map(({ decision }) => decision.action)).toEqual(["allow", "block"]);
  });

  test("a stream that was not asked for is read as one all the same, and an answer in place of a stream as an answer", async () => {
    const relay = await runRelay({ guard: realGuard(both()) });
    relay.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event({ id: "c", choices: [{ index: 0, delta: { content: "bluebird" } }] });
      wire.response.end();
    });
    expect(await (await post(relay, "/chat/completions", chat([user("hi")]))).text()).not.toContain("bluebird");
    relay.upstream.answer((_seen, wire) =>
      wire.json(200, { choices: [{ index: 0, message: { content: "bluebird" } }] }),
    );
    const whole = await post(relay, "/chat/completions", chat([user("hi")], { stream: true }));
    expect(await whole.text()).not.toContain("bluebird");
  });

  test("redaction works in a stream, and the rest of it arrives", async () => {
    const relay = await runRelay({ guard: realGuard(both("redact")) });
    relay.upstream.answer((_seen, wire) => {
      wire.stream();
      for (const content of ["The pro", "ject blu", "ebi", "rd is", " late, and that is all that I know of it by now."])
        wire.event({ id: "c", choices: [{ index: 0, delta: { content }, finish_reason: null }] });
      wire.event({ id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
      wire.event("[DONE]");
      wire.response.end();
    });
    const text = await (await post(relay, "/chat/completions", chat([user("hi")], { stream: true }))).text();
    const said = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join("");
    expect(said).toBe("The project [redacted] is late, and that is all that I know of it by now.");
    expect(text).toContain("[DONE]");
  });
});

describe("what can't be read is denied under a policy that blocks", () => {
  test.each([
    ["a path that is passed through", "/audio/speech", { input: "bluebird" }, 400],
    ["a path that nobody knows", "/v2/secret", {}, 404],
    ["a model's list stays open", "/models", null, 200],
  ])("%s", async (_name, path, body, status) => {
    const gaps = ["unknown-path"];
    const guard = realGuard(both().map((policy) => ({ ...policy, gaps })));
    const relay = await runRelay({ guard, config: () => ({ relay: { passThrough: ["/audio/*"] } }) });
    const answer = body === null ? await fetch(relay.baseUrl + path) : await post(relay, path, body);
    expect(answer.status).toBe(status);
    expect(relay.upstream.seen).toHaveLength(status === 200 ? 1 : 0);
  });

  test("an image beside the words is named as not read", async () => {
    const relay = await runRelay({ guard: realGuard(both()) });
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
    const answer = await post(relay, "/chat/completions", chat([user([{ type: "text", text: "hi" }, image])]));
    expect(answer.headers.get("x-candor-coverage")).toBe("partial");
    expect(answer.headers.get("x-candor-gaps")).toBe("image");
    expect(relay.decided[0]?.decision.gaps).toEqual(["image"]);
  });

  test("a compressed request", async () => {
    const relay = await runRelay({ guard: realGuard(both()) });
    const answer = await post(relay, "/chat/completions", chat([user("hi")]), { "content-encoding": "gzip" });
    expect(answer.status).toBe(415);
    expect(relay.upstream.seen).toEqual([]);
  });
});

describe("nothing in a request chooses where it goes or who looks at it", () => {
  const overrides = {
    api_base: "http://127.0.0.1:1/v1",
    base_url: "http://127.0.0.1:1/v1",
    api_key: "other",
    custom_llm_provider: "x",
    guardrails: [],
    disable_global_guardrail: true,
    metadata: { guardrails: [], api_base: "http://127.0.0.1:1" },
  };
  const headers = {
    "x-portkey-custom-host": "http://127.0.0.1:1",
    "x-portkey-config": "{}",
    "x-litellm-api-base": "http://127.0.0.1:1",
    "x-candor-policies": "none",
    "x-candor-decision": "allow",
    "x-forwarded-host": "127.0.0.1:1",
    "x-http-method-override": "GET",
  };
  test("fields and headers by which other proxies are talked over", async () => {
    const relay = await runRelay({ guard: realGuard(both()) });
    const good = await post(relay, "/chat/completions", chat([user("hi")], overrides), headers);
    expect(good.status).toBe(200);
    expect(relay.upstream.seen).toHaveLength(1);
    expect(Object.keys(relay.upstream.seen[0]?.headers ?? {}).filter((name) => name.startsWith("x-"))).toEqual([]);
    const bad = await post(relay, "/chat/completions", chat([user("bluebird")], overrides), headers);
    expect([bad.status, relay.upstream.seen.length]).toEqual([400, 1]);
  });

  test("a redirect of the upstream's is not followed", async () => {
    let called = 0;
    const elsewhere = createServer((_request, response) => {
      called += 1;
      response.end("bluebird");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const { port } = elsewhere.address() as AddressInfo;
    const relay = await runRelay({ guard: realGuard(both()) });
    relay.upstream.answer((_seen, { response }) => {
      response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end();
    });
    const options = { method: "POST", redirect: "manual" as const, body: JSON.stringify(chat([user("hi")])) };
    expect((await fetch(`${relay.baseUrl}/chat/completions`, options)).status).toBe(307);
    expect(called).toBe(0);
    elsewhere.close();
  });

  test.each([
    ["a path in capitals", "POST /V1/CHAT/COMPLETIONS"],
    ["a doubled slash", "POST /v1//chat/completions"],
    ["a dotted path", "POST /v1/x/../chat/completions"],
    ["an encoded slash", "POST /v1/chat%2fcompletions"],
    ["an absolute address", "POST http://other.example/v1/chat/completions"],
    ["another method", "PUT /v1/chat/completions"],
  ])("%s does not lead past the policies", async (_name, line) => {
    const relay = await runRelay({ guard: realGuard(both()) });
    const body = JSON.stringify(chat([user("bluebird")]));
    const head = `${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const text = await rawExchange(relay.port, head + body);
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(relay.upstream.seen).toEqual([]);
  });
});
