import { describe, expect, test } from "vitest";
import { inspectAnswer, inspectRequest } from "../../src/dialect/inspection.ts";

type Found = ReturnType<typeof inspectRequest>;
const request = (path: string, body: unknown) => inspectRequest(path, Buffer.from(JSON.stringify(body)));
const answer = (path: string, body: unknown) => inspectAnswer(path, Buffer.from(JSON.stringify(body)));
const brief = ({ carriers }: Found) =>
  carriers.map(({ kind, role, tool, text }) => `${kind} ${role} ${tool}: ${text.replaceAll("\n", "|")}`);

describe("the carriers of responses", () => {
  test("are instructions, items of every type and tools", () => {
    const found = request("/responses", {
      model: "m",
      instructions: "a",
      input: [
        { role: "user", content: "b" },
        {
          type: "message",
          role: "assistant",
          content: [
            { type: "output_text", text: "c" },
            { type: "refusal", refusal: "d" },
          ],
        },
        {
          type: "reasoning",
          id: "r",
          summary: [{ type: "summary_text", text: "e" }],
          content: [{ type: "reasoning_text", text: "f" }],
        },
        { type: "function_call", call_id: "1", name: "t", arguments: "g" },
        { type: "function_call_output", call_id: "1", output: "h" },
        { type: "custom_tool_call", call_id: "2", name: "u", input: "i" },
        { type: "custom_tool_call_output", call_id: "2", output: [{ type: "input_text", text: "j" }] },
        { type: "web_search_call", action: { type: "search", query: "k" } },
        { type: "code_interpreter_call", code: "l", outputs: [{ type: "logs", logs: "m" }] },
        { type: "item_reference", id: "x" },
      ],
      tools: [{ type: "function", name: "t", description: "n" }],
      text: { format: { type: "text" } },
    });
    expect(brief(found)).toEqual([
      "message system null: a",
      "message user null: b",
      "message assistant null: c",
      "refusal assistant null: d",
      "reasoning null null: e",
      "reasoning null null: f",
      "tool-arguments assistant t: g",
      "parameter assistant t: t",
      "tool-result tool t: h",
      "tool-arguments assistant u: i",
      "parameter assistant u: u",
      "tool-result tool u: j",
      'tool-arguments assistant web_search_call: {"type":"search","query":"k"}',
      "tool-arguments assistant code_interpreter_call: l",
      "tool-result assistant code_interpreter_call: type|logs|logs|m",
      "tool-definition null t: type|function|name|t|description|n",
      "parameter null null: format|type|text",
    ]);
    expect(found.coverage).toBe("full");
  });

  test("are the input where it is one text", () => {
    expect(brief(request("/responses", { model: "m", input: "a" }))).toEqual(["message user null: a"]);
  });

  test.each([
    ["image", { role: "user", content: [{ type: "input_image", image_url: "data:" }] }],
    ["file", { role: "user", content: [{ type: "input_file", file_id: "f" }] }],
    ["image", { type: "computer_call_output", output: { type: "computer_screenshot", image_url: "data:" } }],
    ["encrypted-reasoning", { type: "reasoning", summary: [], encrypted_content: "x" }],
    ["unknown-part", { type: "telepathy", thought: "y" }],
  ])("have a gap %s", (gap, item) => {
    expect(request("/responses", { input: [item] }).gaps).toEqual([gap]);
  });

  test("of an answer are its output items, and not what it repeats from the request", () => {
    const found = answer("/responses", {
      id: "r",
      object: "response",
      instructions: "be kind",
      tools: [{ name: "t" }],
      output: [
        {
          type: "message",
          role: "assistant",
          content: [{ type: "output_text", text: "a", logprobs: [{ token: "a" }] }],
        },
      ],
    });
    expect(brief(found)).toEqual(["message assistant null: a", "logprobs assistant null: a"]);
  });
});

describe("the carriers of messages", () => {
  test("are system, blocks of every turn and tools", () => {
    const found = request("/messages", {
      model: "m",
      system: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }],
      messages: [
        { role: "user", content: "b" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "c", signature: "s s" },
            { type: "text", text: "d" },
            { type: "tool_use", id: "1", name: "t", input: { q: "e" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "1", content: [{ type: "text", text: "f" }] },
            { type: "document", title: "g g", source: { type: "text", data: "h" } },
          ],
        },
      ],
      tools: [{ name: "t", input_schema: {} }],
    });
    expect(brief(found)).toEqual([
      "message system null: a",
      "message user null: b",
      "reasoning assistant null: c",
      "message assistant null: d",
      'tool-arguments assistant t: {"q":"e"}',
      "parameter assistant t: t",
      "tool-result user t: f",
      "message user null: h",
      "parameter user null: g g",
      "tool-definition null t: name|t|input_schema",
    ]);
    expect(found.coverage).toBe("full");
  });

  test.each([
    ["image", { type: "image", source: { type: "base64", data: "x" } }],
    ["file", { type: "document", source: { type: "base64", data: "x" } }],
    ["encrypted-reasoning", { type: "redacted_thinking", data: "x" }],
    ["unknown-part", { type: "telepathy" }],
  ])("have a gap %s", (gap, block) => {
    expect(request("/messages", { messages: [{ role: "user", content: [block] }] }).gaps).toEqual([gap]);
  });

  test("of an answer are its blocks", () => {
    const content = [
      { type: "text", text: "a" },
      { type: "tool_use", id: "1", name: "t", input: { q: 1 } },
    ];
    expect(brief(answer("/messages", { id: "m", role: "assistant", content, stop_reason: "tool_use" }))).toEqual([
      "message assistant null: a",
      'tool-arguments assistant t: {"q":1}',
      "parameter assistant t: t",
    ]);
  });
});

describe("the carriers of completions and embeddings", () => {
  test("are prompts, suffixes, inputs and each choice", () => {
    expect(brief(request("/completions", { prompt: ["a", "b"], suffix: "c" }))).toEqual([
      "message null null: a",
      "message null null: b",
      "message null null: c",
    ]);
    expect(brief(request("/embeddings", { input: "a", user: "u" }))).toEqual([
      "message null null: a",
      "parameter null null: u",
    ]);
    const choices = [
      { index: 0, text: "a", logprobs: { tokens: ["a"] } },
      { index: 1, text: "b" },
    ];
    expect(brief(answer("/completions", { choices }))).toEqual([
      "message null null: a",
      "logprobs null null: a",
      "message null null: b",
    ]);
    expect(answer("/embeddings", { object: "list", data: [{ embedding: "AAAA" }], model: "m" }).carriers).toEqual([]);
  });

  test.each(["/completions", "/embeddings"])("can't be read where tokens are given as numbers (%s)", (path) => {
    expect(request(path, { prompt: [1, 2], input: [[1], [2]] }).gaps).toEqual(["unknown-part"]);
  });
});

test("a path of no dialect is not inspected at all", () => {
  expect(request("/threads", { a: "b" })).toEqual({ carriers: [], coverage: "none", gaps: ["unknown-path"] });
});
