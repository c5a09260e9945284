import { describe, expect, test } from "vitest";
import { readAnswer, readRequest } from "../../src/dialect/dialect.ts";
import { stream } from "./bodies.ts";

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

describe("a view of responses", () => {
  test("has instructions and turns, and the limit by the name that a fork uses", () => {
    expect(
      readRequest(
        "/responses",
        json({
          model: "m",
          instructions: "a",
          max_output_tokens: 9,
          input: [
            { role: "user", content: [{ type: "input_text", text: "b" }] },
            { type: "function_call", name: "f", arguments: "{}" },
            { type: "function_call_output", output: "c" },
          ],
        }),
      ),
    ).toMatchObject({
      parameters: { max_tokens: 9 },
      turns: [
        { role: "system", text: "a" },
        { role: "user", text: "b" },
        { role: "tool", text: "c" },
      ],
    });
  });

  const response = {
    status: "completed",
    output: [
      { type: "reasoning", summary: [{ type: "summary_text", text: "hm" }] },
      {
        type: "message",
        content: [
          { type: "output_text", text: "a" },
          { type: "refusal", refusal: "b" },
        ],
      },
      { type: "function_call", name: "f", arguments: "{}" },
    ],
    usage: { input_tokens: 3, output_tokens: 4 },
  };
  const view = {
    choices: [
      { text: "a", refusal: "b", reasoning: "hm", toolCalls: [{ name: "f", arguments: "{}" }], finishReason: "stop" },
    ],
    usage: { promptTokens: 3, completionTokens: 4 },
    complete: true,
  };

  test("of an answer is the same whole and streamed", () => {
    expect(readAnswer("/responses", "application/json", json(response))).toEqual(view);
    const events = [
      { type: "response.created", response: {} },
      { type: "response.completed", response },
    ];
    expect(readAnswer("/responses", "text/event-stream", stream(events))).toEqual(view);
  });

  test("does not exist of a stream without its end", () => {
    expect(readAnswer("/responses", "text/event-stream", stream([{ type: "response.created", response }]))).toBeNull();
  });
});

describe("a view of messages", () => {
  test("has the system prompt, tool results and turns", () => {
    const messages = [
      { role: "user", content: "b" },
      { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: {} }] },
      {
        role: "user",
        content: [
          { type: "tool_result", content: "c" },
          { type: "text", text: "d" },
        ],
      },
    ];
    expect(readRequest("/messages", json({ model: "m", max_tokens: 5, system: "a", messages }))).toMatchObject({
      parameters: { max_tokens: 5 },
      turns: [
        { role: "system", text: "a" },
        { role: "user", text: "b" },
        { role: "assistant", text: "" },
        { role: "tool", text: "c" },
        { role: "user", text: "d" },
      ],
    });
  });

  const view = {
    choices: [
      {
        text: "ab",
        refusal: null,
        reasoning: "hm",
        toolCalls: [{ name: "f", arguments: '{"x":1}' }],
        finishReason: "end_turn",
      },
    ],
    usage: { promptTokens: 3, completionTokens: 4 },
    complete: true,
  };

  test("of an answer is the same whole and streamed", () => {
    const content = [
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "ab" },
      { type: "tool_use", name: "f", input: { x: 1 } },
    ];
    const whole = { type: "message", content, stop_reason: "end_turn", usage: { input_tokens: 3, output_tokens: 4 } };
    expect(readAnswer("/messages", "application/json", json(whole))).toEqual(view);
    const grows = (index: number, delta: unknown) => ({ type: "content_block_delta", index, delta });
    const events = [
      { type: "message_start", message: { usage: { input_tokens: 3, output_tokens: 1 } } },
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
      grows(0, { type: "thinking_delta", thinking: "hm" }),
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
      grows(1, { type: "text_delta", text: "a" }),
      grows(1, { type: "text_delta", text: "b" }),
      { type: "content_block_start", index: 2, content_block: { type: "tool_use", name: "f", input: {} } },
      grows(2, { type: "input_json_delta", partial_json: '{"x"' }),
      grows(2, { type: "input_json_delta", partial_json: ":1}" }),
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 4 } },
      { type: "message_stop" },
    ];
    expect(readAnswer("/messages", "text/event-stream", stream(events))).toEqual(view);
    expect(readAnswer("/messages", "text/event-stream", stream(events.slice(0, -1)))?.complete).toBe(false);
  });
});
