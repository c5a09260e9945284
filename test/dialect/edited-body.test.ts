import { describe, expect, test } from "vitest";
import { editBody, type PlacedEdit } from "../../src/dialect/edited-body.ts";
import { inspectAnswer, inspectRequest } from "../../src/dialect/inspection.ts";

/** Replaces every `secret` in every carrier of a body. */
const hideIn = (found: ReturnType<typeof inspectRequest>, body: string): string | null => {
  const edits = found.carriers.flatMap(({ at, text }): PlacedEdit[] =>
    [...text.matchAll(/secret/g)].map(({ index }) => ({ at, start: index, end: index + 6, replacement: "[…]" })),
  );
  return editBody(Buffer.from(body), found.carriers, edits)?.toString() ?? null;
};
const hideInRequest = (path: string, body: string) => hideIn(inspectRequest(path, Buffer.from(body)), body);
const hideInAnswer = (path: string, body: string) => hideIn(inspectAnswer(path, Buffer.from(body)), body);

describe("an edited body", () => {
  test("differs at the carriers only: numbers keep their digits, names their order, spaces their place", () => {
    const body = `{ "seed": 12345678901234567890, "z": 1.50,\n"messages": [{"content": "a \\u0073ecret\\n", "role": "user"}, {"role":"user","content":[{"type":"text","text":"secretsecret \\"ü\\""}]}] , "model": "secret" }`;
    expect(hideInRequest("/chat/completions", body)).toBe(
      `{ "seed": 12345678901234567890, "z": 1.50,\n"messages": [{"content": "a […]\\n", "role": "user"}, {"role":"user","content":[{"type":"text","text":"[…][…] \\"ü\\""}]}] , "model": "secret" }`,
    );
  });

  test("reaches into tools and the objects that tools are called with", () => {
    const body =
      '{"tools":[{"name":"f","description":"a secret","input_schema":{"enum":["secret"]}}],"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{"k":"secret"}}]}]}';
    expect(hideInRequest("/messages", body)).toBe(
      '{"tools":[{"name":"f","description":"a […]","input_schema":{"enum":["[…]"]}}],"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{"k":"[…]"}}]}]}',
    );
  });

  test("loses the tokens of a choice whose text is edited, and keeps those of others", () => {
    const choice = (index: number, content: string) =>
      `{"index":${index},"message":{"content":"${content}"},"logprobs":{"content":[{"token":"${content}"}]}}`;
    expect(hideInAnswer("/chat/completions", `{"choices":[${choice(0, "secret")},${choice(1, "b")}]}`)).toBe(
      `{"choices":[{"index":0,"message":{"content":"[…]"},"logprobs":null},${choice(1, "b")}]}`,
    );
  });

  test.each([
    ["the name of a field", '{"messages":[],"tools":[{"secret":1}]}'],
    ["what two strings make together", '{"messages":[],"tools":[{"a":"sec","b":"ret"}]}', { start: 0, end: 9 }],
  ])("does not exist where an edit touches %s", (_name, body, span?: { start: number; end: number }) => {
    if (span === undefined) expect(hideInRequest("/chat/completions", body)).toBeNull();
    else {
      const { carriers } = inspectRequest("/chat/completions", Buffer.from(body));
      const edit = { at: ["tools", 0], ...span, replacement: "" };
      expect(editBody(Buffer.from(body), carriers, [edit])).toBeNull();
    }
  });

  test("does not exist for an edit of no carrier", () => {
    const body = Buffer.from('{"messages":[]}');
    expect(editBody(body, [], [{ at: ["messages"], start: 0, end: 1, replacement: "" }])).toBeNull();
  });
});
