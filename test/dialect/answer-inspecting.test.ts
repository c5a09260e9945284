/** Whatever was learnt from the answers before, each is inspected as it would be by itself. */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createAnswerInspecting } from "../../src/dialect/answer-inspecting.ts";
import { inspectAnswer } from "../../src/dialect/inspection.ts";

afterEach(() => void vi.restoreAllMocks());

/** Mostly as it usually is. */
const usually = (usual: fc.Arbitrary<unknown>, ...odd: unknown[]) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const id = usually(fc.constantFrom("a", "chatcmpl-9", "msg_1"), "", "two words", 'x","id":"y', "é", "\\u0061", 7, null);
const count = usually(fc.nat(), -1, 0.5, 1e21, null, "1", "x y", ["x y"], { id: "x y" });
const letters = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "a\nb",
      '"',
      "\\",
      '","content":"x',
      '"content"',
      'text":"',
      "\u2028",
      "\ud800",
      "\ufffd",
    ),
  },
);
const text = usually(letters, null, "", 5, ["x"], [{ type: "text", text: "x" }]);
const usage = fc.record({
  prompt_tokens: count,
  completion_tokens: count,
  details: fc.record({ cached_tokens: count }),
});

const answers: Record<string, fc.Arbitrary<unknown>> = {
  "/chat/completions": fc.record({
    id,
    created: count,
    model: fc.constantFrom("m", "n"),
    choices: fc.tuple(
      fc.record({
        index: fc.nat(1),
        message: fc.record({
          role: fc.constant("assistant"),
          content: text,
          refusal: usually(fc.constant(null), "no"),
        }),
        finish_reason: fc.constantFrom("stop", "length"),
      }),
    ),
    usage,
    system_fingerprint: id,
  }),
  "/completions": fc.record({ id, choices: fc.tuple(fc.record({ index: fc.nat(1), text })), usage }),
  "/responses": fc.record({
    id,
    created_at: count,
    output: fc.tuple(
      fc.record({
        id,
        type: fc.constant("message"),
        content: fc.tuple(fc.record({ type: fc.constant("output_text"), text })),
      }),
    ),
    max_output_tokens: count,
    usage,
  }),
  "/messages": fc.record({
    id,
    role: fc.constant("assistant"),
    content: fc.tuple(fc.record({ type: fc.constant("text"), text })),
    stop_reason: fc.constantFrom("end_turn", "max_tokens"),
    usage,
  }),
};

/** As some servers write JSON: without blanks, with them, over many lines. */
const written = (value: unknown, blanks: number): string => {
  if (blanks !== 1) return JSON.stringify(value, null, blanks);
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, " ");
};

describe("answers of which one is like another", () => {
  test.each(Object.entries(answers))("%s: say what each says by itself", (path, answer) => {
    const inspect = createAnswerInspecting();
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 12 }), fc.constantFrom(0, 0, 1, 2), (said, blanks) => {
        for (const one of said) {
          const bytes = Buffer.from(written(one, blanks));
          expect(inspect(path, bytes)).toEqual(inspectAnswer(path, bytes));
        }
      }),
      { numRuns: 1_500, seed: 5 },
    );
  });

  test.each(Object.entries(answers))("%s: say what each says by itself where one byte is another", (path, answer) => {
    const inspect = createAnswerInspecting();
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x22, 0x5c, 0x2c, 0x7d, 0x30, 0x0a));
    fc.assert(
      fc.property(answer, fc.array(fc.tuple(fc.nat(), byte), { maxLength: 4 }), (said, changes) => {
        const whole = Buffer.from(JSON.stringify(said));
        expect(inspect(path, whole)).toEqual(inspectAnswer(path, whole));
        for (const [at, value] of changes) {
          const changed = Buffer.from(whole);
          changed[at % whole.length] = value;
          expect(inspect(path, changed)).toEqual(inspectAnswer(path, changed));
        }
      }),
      { numRuns: 1_500, seed: 5 },
    );
  });

  test.each([
    ["a field of the same name that nobody reads", '"content":', '"content":'],
    ["one with blanks before its colon", '"content"\t \n  \r         :', '"content":'],
    ["one without, where that which is read has some", '"content":', '"content"\t \n  \r         : '],
    ["one written with an escape", '"c\\u006fntent":', '"content":'],
    ["one without, where that which is read has an escape", '"content":', '"c\\u006fntent":'],
  ])("are not taken for one another where there is %s", (_name, unread, read) => {
    const inspect = createAnswerInspecting();
    for (const [other, content] of [
      ["twin", "twin"],
      ["other", "twin"],
      ["twin", "other"],
      ["another", "another"],
    ]) {
      const bytes = Buffer.from(
        `{"usage":{${unread}"${other}"},"choices":[{"index":0,"message":{${read}"${content}"}}]}`,
      );
      expect(inspect("/chat/completions", bytes)).toEqual(inspectAnswer("/chat/completions", bytes));
      expect(inspectAnswer("/chat/completions", bytes).carriers).toMatchObject([{ text: content }]);
    }
  });

  const plain = (content: string, nth: number) =>
    Buffer.from(
      JSON.stringify({
        id: `chatcmpl-${nth}`,
        created: 1_700_000_000 + nth,
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: nth, completion_tokens_details: { reasoning_tokens: nth } },
      }),
    );

  test("are not taken apart again", () => {
    const inspect = createAnswerInspecting();
    inspect("/chat/completions", plain("It depends.\nAsk me again.", 1));
    const parse = vi.spyOn(JSON, "parse");
    for (let nth = 2; nth < 20; nth += 1) {
      expect(inspect("/chat/completions", plain(`It is ${nth}.`, nth))).toMatchObject({
        coverage: "full",
        carriers: [{ kind: "message", text: `It is ${nth}.`, at: ["choices", 0, "message", "content"] }],
      });
    }
    expect(parse).not.toHaveBeenCalled();
  });

  test("are learnt from seldom where they are never alike, and again when they are", () => {
    const inspect = createAnswerInspecting();
    const unlike = (nth: number) => Buffer.from(plain("x", nth).toString().replace('"index"', `"k${nth}":0,"index"`));
    for (let nth = 0; nth < 200; nth += 1) inspect("/chat/completions", unlike(nth));
    for (let nth = 0; nth < 64; nth += 1) inspect("/chat/completions", plain("x", nth));
    const parse = vi.spyOn(JSON, "parse");
    inspect("/chat/completions", plain("y", 7));
    expect(parse).not.toHaveBeenCalled();
  });
});
