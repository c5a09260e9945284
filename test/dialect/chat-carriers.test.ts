import { describe, expect, test } from "vitest";
import { inspectAnswer, inspectRequest } from "../../src/dialect/inspection.ts";

const path = "/chat/completions";
const request = (body: unknown) => inspectRequest(path, Buffer.from(JSON.stringify(body)));
const answer = (body: unknown) => inspectAnswer(path, Buffer.from(JSON.stringify(body)));
const brief = ({ carriers }: ReturnType<typeof request>) =>
  carriers.map(
    ({ kind, role, choice, tool, at, text }) => `${kind} ${role ?? choice} ${tool} ${at.join(".")}: ${text}`,
  );

describe("a chat request's carriers", () => {
  test("are every turn of every role, in order", () => {
    const found = request({
      model: "m",
      messages: [
        { role: "system", content: "a" },
        { role: "developer", content: "b" },
        { role: "user", content: "c", name: "ann b" },
        {
          role: "assistant",
          content: null,
          refusal: "d",
          reasoning_content: "e",
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: '{"g":1}' } }],
        },
        { role: "tool", tool_call_id: "1", content: "h" },
        { role: "assistant", function_call: { name: "old", arguments: "i" } },
        { role: "function", name: "old", content: "j" },
      ],
    });
    expect(brief(found)).toEqual([
      "message system null messages.0.content: a",
      "message developer null messages.1.content: b",
      "message user null messages.2.content: c",
      "parameter user null messages.2.name: ann b",
      "refusal assistant null messages.3.refusal: d",
      "reasoning assistant null messages.3.reasoning_content: e",
      'tool-arguments assistant f messages.3.tool_calls.0.function.arguments: {"g":1}',
      "parameter assistant f messages.3.tool_calls.0.function.name: f",
      "tool-result tool f messages.4.content: h",
      "tool-arguments assistant old messages.5.function_call.arguments: i",
      "parameter assistant old messages.5.function_call.name: old",
      "tool-result tool old messages.6.content: j",
      "parameter tool old messages.6.name: old",
    ]);
    expect(found.coverage).toBe("full");
  });

  test("are text parts one by one, and other media are gaps", () => {
    const found = request({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "image_url", image_url: { url: "data:x" } },
            { type: "input_audio", input_audio: { data: "x" } },
            { type: "file", file: { filename: "b c.pdf", file_data: "data" } },
            { type: "hologram", words: ["d"] },
            "e",
          ],
        },
      ],
    });
    expect(found.coverage).toBe("partial");
    expect(found.gaps).toEqual(["image", "audio", "file", "unknown-part"]);
    expect(found.carriers.map(({ text }) => text)).toEqual(["a", "b c.pdf", "type\nhologram\nwords\nd", "e"]);
  });

  test("are tools, schemas, steering fields and fields that nobody knows", () => {
    const found = request({
      model: "m",
      messages: [],
      tools: [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } }],
      functions: [{ name: "g" }],
      stop: ["s"],
      metadata: { k: "v" },
      response_format: { type: "json_schema", json_schema: { name: "n" } },
      prediction: { type: "content", content: "p" },
      documents: [{ text: "rag" }],
      user: "u",
    });
    expect(found.carriers.map(({ kind, tool, text }) => `${kind} ${tool} ${text.replaceAll("\n", "|")}`)).toEqual([
      "tool-definition f type|function|function|name|f|description|d|parameters|type|object",
      "tool-definition g name|g",
      "parameter null s",
      "parameter null k|v",
      "parameter null type|json_schema|json_schema|name|n",
      "parameter null type|content|content|p",
      "parameter null text|rag",
      "parameter null u",
    ]);
  });

  test.each([
    ["messages named twice", '{"messages":[],"messages":[]}', "unreadable-body"],
    [
      "a name twice in other spelling",
      '{"messages":[{"role":"user","content":"a","conten\\u0074":"b"}]}',
      "unreadable-body",
    ],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "unreadable-body"],
    ["no JSON", "x", "unreadable-body"],
    ["great depth", `{"metadata":${"[".repeat(5000)}${"]".repeat(5000)}}`, "too-large"],
  ])("have a gap for %s", (_name, body, gap) => {
    expect(inspectRequest(path, Buffer.from(body as string)).gaps).toEqual([gap]);
  });
});

describe("a chat answer's carriers", () => {
  test("are every choice's text, refusal, reasoning, calls and tokens", () => {
    const found = answer({
      id: "x",
      model: "m",
      choices: [
        {
          index: 1,
          message: { role: "assistant", content: "a", reasoning: "b" },
          logprobs: { content: [{ token: "a", top_logprobs: [] }, { token: "!" }], refusal: null },
          finish_reason: "stop",
        },
        {
          index: 0,
          message: { content: null, refusal: "c", tool_calls: [{ id: "1", function: { name: "f", arguments: "d" } }] },
        },
      ],
    });
    expect(found.carriers.map(({ kind, choice, text }) => `${kind} ${choice} ${text}`)).toEqual([
      "message 1 a",
      "reasoning 1 b",
      "logprobs 1 a!",
      "refusal 0 c",
      "tool-arguments 0 d",
      "parameter 0 f",
    ]);
    expect(found.coverage).toBe("full");
  });
});
