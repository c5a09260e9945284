import { describe, expect, test } from "vitest";
import { answeredBy } from "../../src/dialect/answered.ts";
import { readAnswer, readRequest } from "../../src/dialect/dialect.ts";
import { json, stream } from "./bodies.ts";

const path = "/completions";
const request = (body: unknown) => readRequest(path, json(body));
const whole = (body: unknown) => readAnswer(path, "application/json", json(body));

const answered = (asked: unknown, texts: string[]) => {
  const view = request(asked);
  const answer = whole({ choices: texts.map((text, index) => ({ index, text, finish_reason: "stop" })) });
  return view && answer && answeredBy(view, answer).map(({ prompt, text }) => [prompt, text]);
};

describe("a completions request", () => {
  test.each<[string, unknown, string[]]>([
    ["one prompt", "a", ["a"]],
    ["several prompts", ["a", "b"], ["a", "b"]],
    ["token numbers, which can't be read", [1, 2], []],
    ["nothing", undefined, []],
  ])("with %s", (_, prompt, texts) => {
    expect(request({ prompt })?.turns).toEqual(texts.map((text) => ({ role: "user", text })));
  });

  test("says how many choices answer each prompt and whether they repeat it", () => {
    expect(request({ prompt: "a", n: 2, echo: true, max_tokens: 9 })).toMatchObject({
      prompts: { choicesEach: 2, echo: true },
      parameters: { max_tokens: 9 },
    });
  });
});

describe("a completions answer", () => {
  test("is read whole", () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    expect(whole({ choices: [{ text: "a", index: 0, finish_reason: "length", logprobs: null }], usage })).toEqual({
      choices: [{ text: "a", refusal: null, toolCalls: [], finishReason: "length" }],
      usage: { promptTokens: 1, completionTokens: 2 },
      complete: true,
    });
  });

  test("is put together from a stream", () => {
    const piece = (index: number, text: string, finish_reason: string | null = null) => ({
      choices: [{ index, text, finish_reason }],
    });
    const bytes = stream([piece(1, "x"), piece(0, "a"), piece(0, "b", "stop"), piece(1, "y", "stop")]);
    const view = readAnswer(path, "text/event-stream", bytes);
    expect(view?.choices.map(({ text }) => text)).toEqual(["ab", "xy"]);
    expect(view?.complete).toBe(true);
    expect(readAnswer(path, "text/event-stream", stream([piece(0, "a")]))?.complete).toBe(false);
  });

  test("is null when it answers nothing", () => {
    expect(whole({ error: {} })).toBeNull();
  });

  test("is set beside its own prompt", () => {
    expect(answered({ prompt: ["p", "q"], n: 2 }, ["1", "2", "3", "4"])).toEqual([
      ["p", "1"],
      ["p", "2"],
      ["q", "3"],
      ["q", "4"],
    ]);
  });

  test("loses the echo of its prompt and nothing else", () => {
    expect(answered({ prompt: "p", echo: true }, ["ppx"])).toEqual([["p", "px"]]);
    expect(answered({ prompt: "p" }, ["px"])).toEqual([["p", "px"]]);
    expect(answered({ prompt: [1], echo: true }, ["px"])).toEqual([[null, "px"]]);
  });
});

describe("embeddings", () => {
  test("have a model and a count of tokens, and nothing that was said", () => {
    expect(readRequest("/embeddings", json({ model: "e", input: "secret" }))).toEqual({
      model: "e",
      stream: false,
      parameters: {},
      turns: [],
    });
    const body = { data: [{ embedding: [0.1] }], usage: { prompt_tokens: 4, total_tokens: 4 } };
    expect(readAnswer("/embeddings", "application/json", json(body))).toEqual({
      choices: [],
      usage: { promptTokens: 4, completionTokens: 0 },
      complete: true,
    });
    expect(readAnswer("/embeddings", "application/json", json({ error: {} }))).toBeNull();
  });
});
