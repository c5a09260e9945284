import { describe, expect, test } from "vitest";
import { readReply } from "../../../src/classify/guards/guard-reply.ts";

const chat = (logprobs: unknown, finish_reason = "stop") => ({
  choices: [{ index: 0, message: { role: "assistant", content: "yes" }, finish_reason, logprobs }],
});
const raw = (logprobs: unknown, finish_reason = "stop") => ({
  choices: [{ index: 0, text: " yes", finish_reason, logprobs }],
});
const likely = (token: string, logprob: number) => ({ token, logprob });

describe("likelihoods, as servers give them", () => {
  test.each([
    ["none", chat(null), null],
    ["an empty list", chat({ content: [] }), null],
    [
      "of a chat",
      chat({ content: [{ token: "yes", logprob: -0.1, top_logprobs: [likely("yes", -0.1), likely("no", -2)] }] }),
      [["yes", [likely("yes", -0.1), likely("no", -2)]]],
    ],
    [
      "of a chat, without the chosen one",
      chat({ content: [{ token: "yes", logprob: -3, top_logprobs: [likely("no", -0.1)] }] }),
      [["yes", [likely("yes", -3), likely("no", -0.1)]]],
    ],
    [
      "of a chat, with what is next to impossible",
      chat({
        content: [{ token: "yes", logprob: 0, top_logprobs: [{ token: "no", logprob: null }, likely("No", -9999)] }],
      }),
      [["yes", [likely("yes", 0), likely("No", -9999)]]],
    ],
    [
      "of a raw prompt",
      raw({ tokens: [" yes"], token_logprobs: [-0.5], top_logprobs: [{ " yes": -0.5, " no": -1 }] }),
      [[" yes", [likely(" yes", -0.5), likely(" no", -1)]]],
    ],
    [
      "of a raw prompt, the chosen ones alone",
      raw({ tokens: [" yes", "."], token_logprobs: [-0.5, null] }),
      [
        [" yes", [likely(" yes", -0.5)]],
        [".", []],
      ],
    ],
    [
      "of a raw prompt, cut short",
      raw({ tokens: [" yes", "."], token_logprobs: [-0.5], top_logprobs: [{ " no": -1 }] }),
      [
        [" yes", [likely(" yes", -0.5), likely(" no", -1)]],
        [".", []],
      ],
    ],
    ["in a shape that nobody knows", raw({ text_offset: [0] }), null],
    ["above one", chat({ content: [{ token: "yes", logprob: 3, top_logprobs: [] }] }), null],
  ])("%s", (_name, body, tokens) => {
    const reply = readReply(body);
    expect(reply?.finished).toBe(true);
    expect(reply?.tokens?.map((one) => [one.token, one.likely]) ?? null).toEqual(tokens);
  });
});

test.each([
  ["two choices", { choices: [...chat(null).choices, ...chat(null).choices] }],
  ["no choice", { choices: [] }],
  ["no text", { choices: [{ message: { content: null } }] }],
  ["an error", { error: { message: "no" } }],
])("%s is no reply", (_name, body) => {
  expect(readReply(body)).toBeNull();
});

test("a reply that ran into the limit is not finished", () => {
  expect(readReply(chat(null, "length"))?.finished).toBe(false);
  expect(readReply(raw(null, "length"))).toMatchObject({ text: " yes", finished: false });
});
