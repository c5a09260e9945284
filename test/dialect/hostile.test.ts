import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answeredBy } from "../../src/dialect/answered.ts";
import { readAnswer, readRequest } from "../../src/dialect/dialect.ts";
import { inspectAnswer, inspectRequest } from "../../src/dialect/inspection.ts";
import { createStreamReading } from "../../src/dialect/streamed-texts.ts";
import { stream } from "./bodies.ts";

const paths = fc.constantFrom(
  ...["/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/models", "__proto__"],
);
const types = fc.constantFrom("application/json", "text/event-stream", "text/event-stream; charset=utf-8", "", "\0");

const keys = fc.constantFrom(
  ...["messages", "role", "content", "choices", "message", "delta", "index", "tool_calls", "function", "name"],
  ...[
    "arguments",
    "function_call",
    "finish_reason",
    "usage",
    "prompt_tokens",
    "prompt",
    "n",
    "echo",
    "text",
    "refusal",
  ],
  ...["input", "output", "instructions", "system", "item", "part", "response", "type", "content_block", "partial_json"],
  ...["logprobs", "tokens", "tools", "arguments", "output_index", "summary", "source", "reasoning_details"],
  ...["__proto__", "constructor", "toString", "data", "error", "stop", "model", "stream", "id", "custom"],
);
/** JSON that looks like these APIs' from afar and is wrong in every place. */
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom("message", "tool_use", "reasoning", "function_call", "response.output_text.delta", "text_delta"),
      fc.constantFrom(0, 1, -1, 1e21, "user", "stop"),
    ),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.array(fc.tuple(keys, tie("tree")), { maxLength: 6 }).map((fields) => Object.fromEntries(fields)),
  ),
}));

const readBoth = (path: string, type: string, request: Buffer, answer: Buffer): void => {
  const asked = readRequest(path, request);
  const said = readAnswer(path, type, answer);
  if (asked !== null && said !== null) answeredBy(asked, said);
  inspectRequest(path, request);
  inspectAnswer(path, answer);
};

describe("hostile input", () => {
  test("of random bytes never throws", () => {
    fc.assert(
      fc.property(paths, types, fc.uint8Array(), fc.uint8Array(), (path, type, request, answer) => {
        readBoth(path, type, Buffer.from(request), Buffer.from(answer));
      }),
      { numRuns: 500 },
    );
  });

  test("of malformed JSON trees never throws, whole or streamed", () => {
    fc.assert(
      fc.property(paths, types, tree, fc.array(tree, { maxLength: 3 }), (path, type, asked, said) => {
        const request = Buffer.from(JSON.stringify(asked) ?? "");
        readBoth(path, type, request, Buffer.from(JSON.stringify(said[0]) ?? ""));
        readBoth(path, type, request, stream(said));
        const texts = createStreamReading()(path);
        for (const event of said) {
          const data = JSON.stringify(event) ?? "";
          const read = texts?.read(data, { raw: Buffer.from(`data: ${data}\n\n`) });
          for (const { start, end, carrier } of read?.pieces ?? []) {
            expect(end - start).toBe(carrier.text.length);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("of great depth never throws", () => {
    const deep = Buffer.from(
      `{"messages":${"[".repeat(200_000)}${"]".repeat(200_000)},"choices":${"[".repeat(9)}${"]".repeat(9)}}`,
    );
    for (const path of ["/chat/completions", "/completions", "/responses", "/messages", "/embeddings"]) {
      readBoth(path, "application/json", deep, deep);
    }
  });

  test("of absurd indexes costs no more than what was sent", () => {
    const choices = [{ index: 9_007_199_254_740_991, delta: { tool_calls: [{ index: 1e15 }] }, finish_reason: "stop" }];
    const view = readAnswer("/chat/completions", "text/event-stream", stream([{ choices }]));
    expect(view?.choices).toHaveLength(1);
    expect(view?.choices[0]?.toolCalls).toHaveLength(1);
  });

  test("can't reach the prototype of what is read", () => {
    const view = readRequest("/chat/completions", Buffer.from('{"__proto__":{"temperature":1},"messages":[]}'));
    expect(view?.parameters).toEqual({});
    expect(Object.hasOwn(Object.prototype, "temperature")).toBe(false);
  });
});
