import { describe, expect, test } from "vitest";
import { answeredBy } from "../../src/dialect/answered.ts";
import { readAnswer, readRequest } from "../../src/dialect/dialect.ts";
import type { AnswerView } from "../../src/dialect/views.ts";
import { chunksOf, json, stream } from "./bodies.ts";

const path = "/chat/completions";
const request = (body: unknown) => readRequest(path, json(body));
const whole = (body: unknown) => readAnswer(path, "application/json", json(body));
const streamed = (chunks: unknown[], end?: string) => readAnswer(path, "text/event-stream", stream(chunks, end));
const only = (view: AnswerView | null) => view?.choices[0];

describe("a chat request", () => {
  test("keeps roles, text and what a fork can use again", () => {
    const view = request({
      model: "m",
      stream: true,
      temperature: 0.2,
      stop: ["a", "b"],
      user: "someone",
      n: 3,
      tools: [{}],
      messages: [
        { role: "system", content: "s" },
        { role: "developer", content: "d" },
        { role: "user", content: "u" },
        { role: "assistant", content: null, tool_calls: [] },
        { role: "tool", tool_call_id: "1", content: "t" },
        { role: "function", name: "f", content: "f" },
      ],
    });
    expect(view).toEqual({
      model: "m",
      stream: true,
      parameters: { temperature: 0.2, stop: ["a", "b"] },
      turns: [
        { role: "system", text: "s" },
        { role: "developer", text: "d" },
        { role: "user", text: "u" },
        { role: "assistant", text: "" },
        { role: "tool", text: "t" },
        { role: "tool", text: "f" },
      ],
    });
  });

  test("joins the text parts of a turn and passes over images", () => {
    const content = [
      { type: "text", text: "one" },
      { type: "image_url", image_url: { url: "data:..." } },
      { type: "text", text: "two" },
    ];
    expect(request({ messages: [{ role: "user", content }] })?.turns).toEqual([{ role: "user", text: "one\ntwo" }]);
  });

  test("keeps an earlier refusal as what the assistant said", () => {
    const messages = [
      { role: "assistant", content: null, refusal: "no" },
      { role: "assistant", content: [{ type: "refusal", refusal: "never" }] },
    ];
    expect(request({ messages })?.turns.map(({ text }) => text)).toEqual(["no", "never"]);
  });

  test("reads a role that nobody knows as the user's", () => {
    expect(request({ messages: [{ role: "root", content: "x" }, {}, 7] })?.turns).toEqual([
      { role: "user", text: "x" },
      { role: "user", text: "" },
      { role: "user", text: "" },
    ]);
  });

  test.each([["{}"], ['{"messages":7}'], ['{"messages":{"0":1}}']])(
    "without readable messages has no turns: %s",
    (text) => {
      expect(readRequest(path, Buffer.from(text))).toEqual({ model: null, stream: false, parameters: {}, turns: [] });
    },
  );

  test.each([[""], ["null"], ["[]"], ['"x"'], ["{"], ["7"]])("that is not a JSON object is null: %j", (text) => {
    expect(readRequest(path, Buffer.from(text))).toBeNull();
  });

  test("is found whatever the query, and only on its path", () => {
    expect(readRequest(`${path}?api-version=1`, json({}))).not.toBeNull();
    for (const other of ["/constructor", "/", "", "/chat", "/v1/chat/completions"]) {
      expect(readRequest(other, json({}))).toBeNull();
    }
  });
});

describe("a whole chat answer", () => {
  test("has text, refusal, tool calls, reasoning and usage of every choice", () => {
    const view = whole({
      id: "x",
      choices: [
        { index: 1, message: { content: null, refusal: "no" }, finish_reason: "stop" },
        {
          index: 0,
          message: {
            content: "yes",
            reasoning_content: "hm",
            tool_calls: [
              { id: "a", type: "function", function: { name: "f", arguments: "{}" } },
              { id: "b", type: "custom", custom: { name: "g", input: "raw" } },
            ],
          },
          finish_reason: "tool_calls",
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    });
    expect(view).toEqual({
      choices: [
        {
          text: "yes",
          refusal: null,
          reasoning: "hm",
          toolCalls: [
            { name: "f", arguments: "{}" },
            { name: "g", arguments: "raw" },
          ],
          finishReason: "tool_calls",
        },
        { text: "", refusal: "no", toolCalls: [], finishReason: "stop" },
      ],
      usage: { promptTokens: 3, completionTokens: 4 },
      complete: true,
    });
  });

  test("may call a function in the old way", () => {
    const message = { content: null, function_call: { name: "f", arguments: '{"a":1}' } };
    expect(only(whole({ choices: [{ message, finish_reason: "function_call" }] }))?.toolCalls).toEqual([
      { name: "f", arguments: '{"a":1}' },
    ]);
  });

  test("without a finish reason on every choice is not complete", () => {
    const choices = [{ message: { content: "a" }, finish_reason: "stop" }, { message: { content: "b" } }];
    expect(whole({ choices })?.complete).toBe(false);
    expect(whole({ choices: [] })?.complete).toBe(false);
  });

  test("keeps its text when other fields are not what they should be", () => {
    const choice = {
      index: -1,
      message: { content: "a", refusal: 7, tool_calls: "x", function_call: [] },
      finish_reason: "stop",
    };
    expect(whole({ choices: [choice], usage: "many" })).toEqual({
      choices: [{ text: "a", refusal: null, toolCalls: [], finishReason: "stop" }],
      usage: null,
      complete: true,
    });
  });

  test.each([{ error: { message: "no" } }, [], null, { choices: "x" }])("that answers nothing is null: %j", (body) => {
    expect(whole(body)).toBeNull();
  });
});

describe("a streamed chat answer", () => {
  const delta = (content: unknown, index = 0) => ({ choices: [{ index, delta: content, finish_reason: null }] });
  const finish = (reason = "stop", index = 0) => ({ choices: [{ index, delta: {}, finish_reason: reason }] });

  test("is put together by choice, in the order of their indexes", () => {
    const view = streamed([
      delta({ role: "assistant", content: "" }),
      delta({ content: "b" }, 1),
      delta({ content: "a1" }),
      delta({ reasoning_content: "hm" }),
      delta({ content: "a2" }),
      finish("stop", 1),
      finish("length"),
      { choices: [], usage: { prompt_tokens: 5, completion_tokens: 6 } },
    ]);
    expect(view).toEqual({
      choices: [
        { text: "a1a2", refusal: null, reasoning: "hm", toolCalls: [], finishReason: "length" },
        { text: "b", refusal: null, toolCalls: [], finishReason: "stop" },
      ],
      usage: { promptTokens: 5, completionTokens: 6 },
      complete: true,
    });
  });

  test("has its tool calls put together by index, though they come interleaved", () => {
    const call = (index: number, name: string | undefined, args: string) =>
      delta({ tool_calls: [{ index, function: { name, arguments: args } }] });
    const view = streamed([
      call(1, "g", "{"),
      call(0, "f", '{"a'),
      call(1, undefined, "}"),
      call(0, "", '":1}'),
      finish(),
    ]);
    expect(only(view)?.toolCalls).toEqual([
      { name: "f", arguments: '{"a":1}' },
      { name: "g", arguments: "{}" },
    ]);
  });

  test("has its tool calls told apart by id where the upstream leaves the index out", () => {
    const call = (id: string | undefined, args: string) =>
      delta({ tool_calls: [{ id, function: { name: id, arguments: args } }] });
    expect(only(streamed([call("f", "1"), call(undefined, "2"), call("g", "3"), finish()]))?.toolCalls).toEqual([
      { name: "f", arguments: "12" },
      { name: "g", arguments: "3" },
    ]);
  });

  test("has its refusal and its old function call put together", () => {
    const view = streamed([
      delta({ refusal: "I " }),
      delta({ refusal: "can't" }),
      delta({ function_call: { name: "f", arguments: "{" } }),
      delta({ function_call: { arguments: "}" } }),
      finish(),
    ]);
    expect(only(view)).toEqual({
      text: "",
      refusal: "I can't",
      toolCalls: [{ name: "f", arguments: "{}" }],
      finishReason: "stop",
    });
  });

  test.each<[string, () => AnswerView | null]>([
    ["the end mark is missing", () => streamed([delta({ content: "a" }), finish()], "")],
    ["no finish reason came", () => streamed([delta({ content: "a" })])],
    ["an error came on the way", () => streamed([delta({ content: "a" }), { error: { message: "x" } }, finish()])],
    [
      "an event could not be read",
      () => readAnswer(path, "text/event-stream", Buffer.concat([Buffer.from("data: {\n\n"), stream([finish()])])),
    ],
    ["an event was too large", () => streamed([delta({ content: "a".repeat(300_000) }), finish()])],
    [
      "an event is named error",
      () =>
        readAnswer(
          path,
          "text/event-stream",
          Buffer.concat([Buffer.from('event: error\ndata: {"x":1}\n\n'), stream([finish()])]),
        ),
    ],
  ])("is not complete when %s", (_, read) => {
    expect(read()?.complete).toBe(false);
  });

  test("ends at its end mark", () => {
    const bytes = Buffer.concat([stream([delta({ content: "a" }), finish()]), stream([delta({ content: "b" })])]);
    expect(only(readAnswer(path, "text/event-stream; charset=utf-8", bytes))?.text).toBe("a");
  });

  test("is null when no event is an answer", () => {
    expect(streamed([{ error: { message: "no" } }])).toBeNull();
    expect(readAnswer(path, "text/event-stream", Buffer.alloc(0))).toBeNull();
  });

  test("says the same as the whole answer, however its text was cut", () => {
    for (const size of [1, 2, 7, 100]) {
      const view = streamed([
        ...chunksOf("It depends – naïve 🙂 answers do.", size).map((content) => delta({ content })),
        finish(),
      ]);
      const message = { content: "It depends – naïve 🙂 answers do." };
      expect(view).toEqual(whole({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
    }
  });
});

test("a chat answer is set beside the last thing that the user said", () => {
  const asked = request({
    messages: [
      { role: "user", content: "first" },
      { role: "user", content: "last" },
      { role: "tool", content: "result" },
    ],
  });
  const said = whole({ choices: [{ message: { content: "a" } }, { message: { refusal: "no" } }] });
  expect(asked && said && answeredBy(asked, said)).toEqual([
    { prompt: "last", text: "a", refusal: null },
    { prompt: "last", text: "", refusal: "no" },
  ]);
});
