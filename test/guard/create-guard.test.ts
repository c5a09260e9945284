import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Carrier, Inspection } from "../../src/dialect/carriers.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import type { Ask } from "../../src/guard/decide.ts";
import type { Decision, ExchangeGuard } from "../../src/guard/guard.ts";
import { loadPolicies } from "../../src/guard/load-policies.ts";
import { policySchema } from "../../src/guard/policy.ts";

const message = (text: string): Carrier => ({
  kind: "message",
  role: "user",
  choice: null,
  tool: null,
  at: ["messages", 0, "content"],
  text,
});
const full = (...texts: string[]): Inspection => ({ carriers: texts.map(message), coverage: "full", gaps: [] });

const nobody: Ask = () => Promise.reject(new Error("deterministic policies ask nobody"));

const begin = (policies: Record<string, unknown>[], persona = "aligned", ask = nobody): ExchangeGuard | null =>
  createGuard({
    policies: policies.map((policy, index) =>
      policySchema.parse({ id: `p${index}`, description: "a test", stage: "request", action: "block", ...policy }),
    ),
    personaOf: () => ({ persona }),
    ask,
    newId: () => "id",
  }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });

const begun = (...given: Parameters<typeof begin>): ExchangeGuard => {
  const guard = begin(...given);
  if (guard === null) throw new Error("no policy concerns the exchange");
  return guard;
};
const now = (decision: Decision | Promise<Decision>): Decision => {
  if (decision instanceof Promise) throw new Error("deterministic policies decide at once");
  return decision;
};

test.each([
  [{ terms: ["secret plan"] }, "the SECRET PLAN is", true],
  [{ terms: ["ass"] }, "a class assignment", false],
  [{ terms: ["c++"] }, "in C++17", true],
  [{ terms: ["été"] }, "l'été.", true],
  [{ regex: "a[0-9]+b" }, "xa12bx", true],
  [{ regex: "a[0-9]+b" }, "xabx", false],
  [{ all: [{ terms: ["one"] }, { terms: ["two"] }] }, "two, one", true],
  [{ all: [{ terms: ["one"] }, { terms: ["two"] }] }, "one", false],
  [{ any: [{ terms: ["one"] }, { terms: ["two"] }] }, "two", true],
  [{ not: { terms: ["please"] } }, "now", true],
  [{ not: { terms: ["please"] } }, "please", false],
])("%j on %j matches: %s", (match, text, matches) => {
  expect(now(begun([{ match }]).request(full(text))).action).toBe(matches ? "block" : "allow");
});

test("a term that starts in an astral letter is found once", () => {
  const guard = begun([{ match: { terms: ["\u{10400}x"] }, action: "redact" }]);
  expect(now(guard.request(full("\u{10400}x \u{10400}x"))).edits).toHaveLength(2);
});

test("a pattern that takes a backtracking engine for ever ends", () => {
  const guard = begun([{ match: { regex: "^(a+)+$" } }]);
  expect(now(guard.request(full(`${"a".repeat(5_000)}b`))).action).toBe("allow");
});

test("the strictest enforced policy decides, a shadow only says what it would have done", () => {
  const decision = now(
    begun([
      { match: { terms: ["x"] }, action: "flag" },
      { match: { terms: ["x"] }, action: "refuse", message: "no" },
      { match: { terms: ["x"] }, action: "block", mode: "shadow" },
    ]).request(full("an x here")),
  );
  expect(decision).toMatchObject({ action: "refuse", policy: "p1", message: "no", unavailable: false });
  expect(decision.findings.map(({ result }) => result)).toEqual(["enforced", "enforced", "would"]);
  expect(decision.findings[0]?.where).toBe("message user messages[0].content");
});

test("a decision never holds the text that matched", () => {
  const decision = now(begun([{ match: { terms: ["hunter2"] } }]).request(full("it is hunter2")));
  expect(JSON.stringify(decision)).not.toContain("hunter2");
});

test("redactions that overlap become one edit, so that no tail of either stays", () => {
  const decision = now(
    begun([{ match: { terms: ["red fox", "fox den"] }, action: "redact" }]).request(full("a red fox den")),
  );
  expect(decision.edits).toEqual([{ at: ["messages", 0, "content"], start: 2, end: 13, replacement: "[redacted]" }]);
});

test("what a policy does not concern costs nothing: no subject, route or persona of it", () => {
  const match = { terms: ["x"] };
  expect(begin([{ match, where: { subjects: ["other"] } }])).toBeNull();
  expect(begin([{ match, where: { routes: ["embeddings"] } }])).toBeNull();
  expect(begin([{ match, where: { personas: ["inverted"] } }])).toBeNull();
  expect(begin([{ match, where: { personas: ["inverted"] } }], "inverted")).not.toBeNull();
});

test("what can't be inspected passes, unless a policy names it", () => {
  const unseen: Inspection = { carriers: [], coverage: "none", gaps: ["image"] };
  const match = { terms: ["x"] };
  expect(now(begun([{ match }]).request(unseen)).action).toBe("allow");
  expect(now(begun([{ match, gaps: ["image"] }]).request(unseen)).action).toBe("block");
});

test("a gap that is denied stops a stream at once", () => {
  const stream = begun([{ match: { terms: ["x"] }, stage: "response", gaps: ["image"] }]).stream(() => {});
  stream.gap("audio");
  expect(stream.decision).toBeNull();
  stream.gap("image");
  expect(stream.decision?.action).toBe("block");
});

test.each([
  [{ action: "reroute" }, "id of a subject"],
  [{ action: "reroute", to: "s", stage: "response" }, "only requests"],
  [{ action: "redact", gaps: ["image"] }, "can't be redacted"],
  [{ action: "block", match: undefined }, "say what the policy looks for"],
  [{ action: "block", exempts: ["other"] }, "only a policy that allows"],
  [{ action: "allow", match: undefined }, "needs the ids"],
  [{ action: "allow", exempts: ["other"] }, "holds for all of an exchange"],
  [{ action: "allow", match: undefined, exempts: ["other"], mode: "shadow" }, "made or not"],
  [{ action: "allow", match: undefined, exempts: ["other"], where: { carriers: ["message"] } }, "no carriers"],
])("a policy that could not be enforced is refused: %j", (part, why) => {
  const policy = { id: "p", description: "d", stage: "request", match: { terms: ["x"] }, ...part };
  expect(policySchema.safeParse(policy).error?.message).toContain(why);
});

const folders: string[] = [];
afterEach(() => Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true }))));
const folder = async (text: string | null): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), "candor-policies-"));
  folders.push(path);
  if (text !== null) await writeFile(join(path, "some.yaml"), text);
  return path;
};
const yaml = (id: string, rest: string): string =>
  `- {id: ${id}, description: d, stage: request, action: block, ${rest}}\n`;

const exception = (id: string, exempts: string): string =>
  `- {id: ${id}, description: d, stage: request, action: allow, exempts: ${exempts}}\n`;

test("policies are read from a folder", async () => {
  const path = await folder(`policies:\n${yaml("one", "match: {terms: [x]}")}`);
  expect((await loadPolicies([path], { subjects: [], judge: false })).map(({ id }) => id)).toEqual(["one"]);
});

test.each([
  [null, "holds no .yaml file"],
  [`policies:\n${yaml("one", "match: {terms: []}")}`, "some.yaml"],
  [`policies:\n${yaml("one", 'match: {regex: "(?=a)"}')}`, "linear time"],
  [`policies:\n${yaml("one", "match: {terms: [x]}, where: {subjects: [nobody]}")}`, 'no subject is called "nobody"'],
  [`policies:\n${yaml("one", "match: {terms: [x]}").repeat(2)}`, "another policy"],
  [`policies:\n${exception("one", "[two]")}`, 'no policy is called "two"'],
  [`policies:\n${exception("one", "[one]")}`, "an exception itself"],
  [
    `policies:\n${yaml("two", "match: {terms: [x]}").replace("request", "response")}${exception("one", "[two]")}`,
    "about the response",
  ],
  [`policies:\n${yaml("one", "match: {judge: {question: Is this so at all?}}")}`, "add classify.judge"],
])("a folder of %j is refused: %s", async (text, why) => {
  await expect(loadPolicies([await folder(text)], { subjects: ["s"], judge: false })).rejects.toThrow(why);
});

describe("an exception", () => {
  const policies = [
    { id: "keys", match: { terms: ["bluebird"] } },
    { id: "other", match: { terms: ["redfox"] } },
    { id: "answers", stage: "response", match: { terms: ["bluebird"] } },
    { id: "red-team", action: "allow", exempts: ["keys"], where: { headers: { "x-team": "red-*" } } },
    { id: "and-answers", stage: "response", action: "allow", exempts: ["answers"], where: { routes: ["embeddings"] } },
  ].map((policy) => policySchema.parse({ description: "a test", stage: "request", action: "block", ...policy }));
  const guard = createGuard({ policies, personaOf: () => ({ persona: "aligned" }), ask: nobody, newId: () => "id" });
  const at = (route: string, requestHeaders: Record<string, string>): ExchangeGuard => {
    const one = guard.begin({ id: "x", subject: "s", route, requestHeaders });
    if (one === null) throw new Error("no policy concerns the exchange");
    return one;
  };

  test("is from the policies that it names, where it holds, and is told each time", () => {
    const excepted = now(at("chat", { "x-team": "red-1" }).request(full("a bluebird")));
    expect(excepted).toMatchObject({
      action: "allow",
      asked: ["other"],
      findings: [{ policy: "keys", action: "block", result: "bypass", matcher: "exempted:red-team", where: null }],
    });
    expect(excepted.findings[0]?.version).toBe(now(at("chat", {}).request(full("a bluebird"))).findings[0]?.version);
    expect(now(at("chat", { "x-team": "red-1" }).request(full("a redfox")))).toMatchObject({
      action: "block",
      policy: "other",
    });
  });

  test("holds nowhere else", () => {
    for (const headers of [{}, { "x-team": "blue" }, { "x-other": "red-1" }])
      expect(now(at("chat", headers).request(full("a bluebird"))).action).toBe("block");
    expect(now(at("chat", { "x-team": "red-1" }).answer(full("a bluebird"))).action).toBe("block");
  });

  test("from all that reads an answer lets it pass at once, and tells so", () => {
    const answers = at("embeddings", {});
    expect(answers.response).toBe("watch");
    const stream = answers.stream(() => {});
    stream.push({ kind: "message", choice: 0, index: 0, tool: null }, "a bluebird");
    stream.end([]);
    expect(stream.decision).toMatchObject({ action: "allow", findings: [{ policy: "answers", result: "bypass" }] });
  });
});

describe("texts that are meant well", () => {
  const except = ["help@example.com", "*@docs.example.com", "AKIAIOSFODNN7EXAMPLE"];
  const match = { any: [{ personalData: ["email"] }, { secrets: "all" }] };
  const guard = begun([{ match, except, action: "redact", replacement: "[R]" }]);

  test.each([
    ["mail help@example.com or HELP@EXAMPLE.COM", 0],
    ["mail anybody.at.all@docs.example.com", 0],
    ["the documentation's AKIAIOSFODNN7EXAMPLE", 0],
    [Buffer.from("please do write to help@example.com today").toString("base64"), 0],
    ["mail help@example.com.evil.org", 1],
    ["mail xhelp@example.com, docs.example.com@evil.org", 2],
    ["AKIAQ2Q2Q2Q2Q2Q2Q2Q2 and help@example.com", 1],
  ])("are left alone and nothing else is: %s", (text, edits) => {
    expect(now(guard.request(full(text))).edits).toHaveLength(edits);
  });

  test("take time in proportion to a text, however many letters stand open", () => {
    const open = begun([{ match: { regex: "(?s)begin.*end" }, except: ["*a*a*a*a*a*a*a*a*a*b"] }]);
    const from = performance.now();
    expect(now(open.request(full(`begin ${"a".repeat(20_000)} end`))).action).toBe("block");
    expect(performance.now() - from).toBeLessThan(5_000);
  });
});

test("what is beyond the most texts that a model is asked about is not let through unasked", async () => {
  let asked = 0;
  const ask: Ask = async () => {
    asked += 1;
    return 0;
  };
  const match = { judge: { question: "Is there anything dangerous in this text?" } };
  const texts = Array.from({ length: 65 }, (_, index) => `text number ${index}`);
  const guard = begun([{ match }], "aligned", ask);
  expect(await guard.request(full(...texts.slice(1)))).toMatchObject({ action: "allow", unavailable: false });
  expect(asked).toBe(64);
  expect(await guard.request(full(...texts))).toMatchObject({ action: "block", unavailable: true });
  const open = begun([{ match, onError: "allow" }], "aligned", ask);
  expect(await open.request(full(...texts))).toMatchObject({ action: "allow", findings: [{ result: "error" }] });
});

test("a model that breaks in any way leaves a denying policy closed", async () => {
  const match = { score: { atLeast: 0.5 } };
  for (const broken of [
    async () => null,
    async () => Number.NaN,
    () => Promise.reject(new Error("no")),
  ] satisfies Ask[])
    expect([broken.toString(), await begun([{ match }], "aligned", broken).request(full("a text"))]).toMatchObject([
      broken.toString(),
      { action: "block", unavailable: true },
    ]);
});

test("a finding tells its place by the protocol's own names, never by one that a client chose", () => {
  const guard = begun([{ match: { terms: ["key"] }, where: {} }]);
  const at = ["tools", 0, "function", "parameters", "the-users-name", "description"];
  const decision = now(guard.request({ carriers: [{ ...message("key"), at }], coverage: "full", gaps: [] }));
  expect(decision.findings[0]?.where).toBe("message user tools[0].function.parameters.*.description");
  expect(decision.asked).toEqual(["p0"]);
});

test("where deciding breaks off in a later turn, nothing passes and it is told", async () => {
  const told: unknown[] = [];
  const guard = createGuard({
    policies: [
      policySchema.parse({
        id: "p",
        description: "d",
        stage: "response",
        match: { score: { atLeast: 0.5 } },
        action: "block",
      }),
    ],
    personaOf: () => ({ persona: "aligned" }),
    ask: () => Promise.reject(new Error("it promised not to")),
    failed: (error) => void told.push(error),
    newId: () => "id",
  }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
  expect(await guard?.answer(full("words"))).toMatchObject({ id: "id", action: "block", unavailable: true });
  const stream = guard?.stream(() => {});
  stream?.push({ kind: "message", choice: 0, index: 0, tool: null }, "words");
  stream?.end([]);
  await expect.poll(() => stream?.decision).toMatchObject({ action: "block", unavailable: true });
  expect(told).toHaveLength(2);
});
