/** A long text is looked through a stretch at a time, so that nobody waits for all of it, and gives what it gives at once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createGuard } from "../../../src/guard/create-guard.ts";
import { type Finder, findPattern, findSteps, findTerms, type Span } from "../../../src/guard/finding/finder.ts";
import { findPersonalData, personalDataKinds } from "../../../src/guard/finding/personal-data.ts";
import { findSecrets, secretKinds } from "../../../src/guard/finding/secrets.ts";
import { viewSteps, viewsOf } from "../../../src/guard/normalise/views.ts";
import { policySchema } from "../../../src/guard/policy.ts";
import type { Steps } from "../../../src/kernel/steps.ts";

/** What comes of it, and how many turns others had meanwhile. */
const run = <T>(steps: Steps<T>): { value: T; turns: number } => {
  for (let turns = 0; ; turns += 1) {
    const step = steps.next();
    if (step.done) return { value: step.value, turns };
  }
};

const finders: readonly Finder[] = [
  ...findTerms(["ab bc", "bc cd", "blue moon", "ß", "a😀"]),
  findPattern(String.raw`\bx{1,30}y?\b`),
  findPattern("(?i)(secret|key) ?[0-9]{2,6}"),
  findPattern("(?s)begin.*end"),
  ...findPersonalData(personalDataKinds),
  ...findSecrets(secretKinds),
];

const fragments = [
  ...["ab bc cd", "bc cd", "blue moon", "xxxxxxxxxxxx", "xxxy", "secret 123", "KEY99", "begin", "end", "a😀", "😀"],
  ...[
    "4111 1111 1111 1111",
    "4111 1111 1111 1111 2",
    "someone@example.com",
    "+44 20 7946 0958",
    "192.168.1.1",
    "8.8.8.8",
  ],
  ...["AKIAQ2Q2Q2Q2Q2Q2Q2Q2", "DE89 3704 0044 0532 0130 00", "-", " ", "1", "a", "ſ"],
];

/** Ordinary words with such things about every place where a stretch may end. */
const longText = fc
  .array(
    fc.tuple(
      fc.integer({ min: -90, max: 10 }),
      fc.array(fc.constantFrom(...fragments), { minLength: 1, maxLength: 12 }),
      fc.constantFrom("", " "),
    ),
    { minLength: 3, maxLength: 3 },
  )
  .map((places) => {
    let text = "";
    for (const [index, [shift, parts, gap]] of places.entries()) {
      text = text.padEnd((index + 1) * 16_384 + shift, "words and ") + parts.join(gap);
    }
    return text.padEnd(60_000, "words and ");
  });

describe("what is found in a long text", () => {
  test("is the same, stretch by stretch, as at once", () => {
    fc.assert(
      fc.property(longText, (text) => {
        for (const finder of finders) {
          expect(run(findSteps(finder, text)).value).toEqual(finder.find(text, 0));
        }
      }),
      { numRuns: 40 },
    );
  });

  test("is looked for in no more than a stretch and a match at a time", () => {
    const asked: number[] = [];
    const counting: Finder = {
      ...findPattern(String.raw`\bx{1,30}y?\b`),
      find(text): Span[] {
        asked.push(text.length);
        return [];
      },
    };
    const { turns } = run(findSteps(counting, "word ".repeat(200_000)));
    expect(turns).toBeGreaterThanOrEqual(60);
    expect(asked.length).toBeGreaterThanOrEqual(60);
    expect(Math.max(...asked)).toBeLessThanOrEqual(16_384 + 100);
  });
});

describe("the ways to read a long text", () => {
  const disguised = [
    "p4ssw0rd h@ck",
    "b l u e",
    "m-o-o-n x",
    "ignоre",
    "prévious",
    "a\u200bb",
    "ｗｉｄｅ",
    "%69%67",
    "aWdub3JlIHRoaXMgbm93",
    "1!1",
  ];

  test("are those of its parts", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...disguised), { minLength: 20, maxLength: 40 }), (some) => {
        const parts = Array.from({ length: 1_800 }, (_, index) => some[index % some.length] ?? "");
        const between = " and then ";
        const { views } = viewsOf(parts.join(between));
        // Every part alone, among all disguises, so that it is read in the same ways.
        const all = disguised.join(between);
        const alone = new Map(disguised.map((part) => [part, viewsOf(part + between + all).views]));
        for (const view of views) {
          const texts = parts.map((part) => {
            const same = alone.get(part)?.find(({ kind }) => kind === view.kind)?.text ?? "";
            return same.slice(0, same.indexOf(between));
          });
          expect(view.text).toBe(texts.join(between));
        }
      }),
      { numRuns: 10 },
    );
  });

  test.each<[string, string]>([
    ["digits within words", "t3ll m3 m0r3 ".repeat(80_000)],
    ["another script", "расскажи мне ".repeat(80_000)],
    ["accents", "téll më mörê ".repeat(80_000)],
    ["many encoded words", "dGVsbCBtZSBtb3JlIG5vdw== and ".repeat(30_000)],
    ["spelt words", "so t e l l me ".repeat(70_000)],
  ])("of 1 MB of %s leave others at least 50 turns", (_, text) => {
    expect(run(viewSteps(text)).turns).toBeGreaterThanOrEqual(50);
  });
});

test("a decision on a long text is the one on the same text in short", async () => {
  const policies = [
    { id: "terms", match: { terms: ["ab bc", "bc cd"] }, action: "redact" },
    { id: "not", match: { all: [{ terms: ["words"] }, { not: { regex: "(?i)secret [0-9]" } }] }, action: "flag" },
    { id: "cards", match: { personalData: ["credit-card"] }, action: "redact" },
  ].map((policy) => policySchema.parse({ ...policy, description: "a test", stage: "request" }));
  const guard = createGuard({
    policies,
    personaOf: () => ({ persona: "aligned" }),
    ask: async () => null,
    newId: () => "id",
  }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
  const decide = (text: string) =>
    guard?.request({
      carriers: [{ kind: "message", role: "user", choice: null, tool: null, at: ["messages", 0, "content"], text }],
      coverage: "full",
      gaps: [],
    });
  const said = " ab bc cd and 4111 1111 1111 1111 are words";
  const filler = "words ".repeat(20_000);
  const short = await decide(said);
  const long = await decide(filler + said + filler);
  const shifted = short?.edits.map((edit) => ({
    ...edit,
    start: edit.start + filler.length,
    end: edit.end + filler.length,
  }));
  expect(short?.edits).toHaveLength(2);
  expect(long?.edits).toEqual(shifted);
  expect(long?.findings.map(({ policy }) => policy)).toEqual(short?.findings.map(({ policy }) => policy));
});
