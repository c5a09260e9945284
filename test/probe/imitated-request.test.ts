import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { forkedQuestion, freshQuestion, type LiveConversation } from "../../src/probe/conversations.ts";
import { freshLike } from "../../src/probe/fresh-values.ts";
import { type ImitationOptions, imitatedRequest, mostTokens } from "../../src/probe/imitated-request.ts";
import { requestTemplate } from "../../src/probe/request-template.ts";

const options = (changes: Partial<ImitationOptions> = {}): ImitationOptions => ({
  model: "served-model",
  key: null,
  passCallerKey: true,
  maxAnswerTokens: 300,
  random: seededRandom(5),
  now: () => 1_790_000_000_000,
  ...changes,
});

const liveOf = (body: string, rawHeaders: string[] = ["User-Agent", "app/1"], search = ""): LiveConversation => {
  const template = requestTemplate({ path: "/chat/completions", search, rawHeaders, body: Buffer.from(body) });
  const { messages } = JSON.parse(body);
  const turns = messages.map(({ role, content }: { role: "user"; content: string | { text: string }[] }) => ({
    role,
    text: typeof content === "string" ? content : content.map(({ text }) => text).join("\n"),
  }));
  return { turns: [...turns, { role: "assistant", text: "Hi." }], parameters: {}, headers: {}, template };
};

const sentAsFork = (live: LiveConversation, changes?: ImitationOptions) => {
  const question = forkedQuestion("Why?", live);
  if (question === null) throw new Error("the conversation can be forked");
  return imitatedRequest(question, changes ?? options());
};
const sentAsFresh = (live: LiveConversation, changes?: ImitationOptions) =>
  imitatedRequest(freshQuestion("Why?", live), changes ?? options());

const simple = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}';

describe("a body", () => {
  it.each([
    {
      name: "compact",
      body: '{"model":"m","messages":[{"role":"user","content":"Hé"}],"temperature":1.0,"stream":false}',
      fork: '{"model":"m","messages":[{"role":"user","content":"Hé"},{"role":"assistant","content":"Hi."},{"role":"user","content":"Why?"}],"temperature":1.0,"stream":false}',
    },
    {
      name: "as Python's json.dumps writes it",
      body: '{"messages": [{"content": "H\\u00e9", "role": "user"}], "model": "m", "top_p": 0.90}',
      fork: '{"messages": [{"content": "H\\u00e9", "role": "user"}, {"content": "Hi.", "role": "assistant"}, {"content": "Why?", "role": "user"}], "model": "m", "top_p": 0.90}',
    },
    {
      name: "indented",
      body: '{\n  "model": "m",\n  "messages": [\n    {\n      "role": "user",\n      "content": "Hello"\n    }\n  ]\n}\n',
      fork: '{\n  "model": "m",\n  "messages": [\n    {\n      "role": "user",\n      "content": "Hello"\n    },\n    {\n      "role": "assistant",\n      "content": "Hi."\n    },\n    {\n      "role": "user",\n      "content": "Why?"\n    }\n  ]\n}\n',
    },
    {
      name: "with contents in parts",
      body: '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}]}',
      fork: '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]},{"role":"assistant","content":"Hi."},{"role":"user","content":[{"type":"text","text":"Why?"}]}]}',
    },
    {
      name: "with tools, a format and metadata",
      body: '{"tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":"Hello"}],"response_format":{"type":"text"},"metadata":{"a":"b"},"model":"m"}',
      fork: '{"tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi."},{"role":"user","content":"Why?"}],"response_format":{"type":"text"},"metadata":{"a":"b"},"model":"m"}',
    },
  ])("$name is written letter by letter as the app writes its own", ({ body, fork }) => {
    expect(sentAsFork(liveOf(body)).body).toBe(fork);
  });

  test("keeps every member but the conversation as it was, whatever it is", () => {
    const rest = fc.dictionary(fc.string({ minLength: 2 }), fc.jsonValue(), { maxKeys: 6 });
    fc.assert(
      fc.property(rest, fc.constantFrom(undefined, 1, 2, "\t"), (members, space) => {
        const { __proto__: _, n: __, ...others } = members;
        const request = { ...others, model: "m", messages: [{ role: "user", content: "Hello" }] };
        const { messages, ...kept } = JSON.parse(sentAsFork(liveOf(JSON.stringify(request, null, space))).body);
        const { messages: _before, ...before } = JSON.parse(JSON.stringify(request));
        expect(kept).toEqual(before);
        expect(Object.keys(kept)).toEqual(Object.keys(before));
        expect(messages).toHaveLength(3);
      }),
    );
  });

  it.each([
    ["no conversation", '{"model":"m","input":"Hello"}'],
    ["an empty one", '{"model":"m","messages":[]}'],
    ["two conversations", '{"model":"m","messages":[{"role":"user","content":"a"}],"messages":[]}'],
    ["no JSON", "hello"],
    ["a list", "[1,2]"],
  ])("with %s is no template", (_name, body) => {
    const crossed = { path: "/chat/completions", search: "", rawHeaders: [], body: Buffer.from(body) };
    expect(requestTemplate(crossed)).toBeNull();
  });

  test("of another dialect is no template", () => {
    expect(requestTemplate({ path: "/messages", search: "", rawHeaders: [], body: Buffer.from(simple) })).toBeNull();
  });

  const withTools =
    '{"model":"m","tools":[],"tool_choice":"auto","parallel_tool_calls":true,"response_format":{"type":"json_object"},"n":3,"messages":[{"role":"user","content":"a"}]}';

  test("asks for one answer, with the app's tools", () => {
    const { n, tools } = JSON.parse(sentAsFork(liveOf(withTools)).body);
    expect({ n, tools }).toEqual({ n: 1, tools: [] });
  });

  test("has no tools and no answer format where those are to be removed", () => {
    const body = JSON.parse(sentAsFork(liveOf(withTools), options({ forkTools: "remove" })).body);
    expect(Object.keys(body)).toEqual(["model", "n", "messages"]);
  });

  it.each([
    { own: "", imitate: {}, always: { max_tokens: 300 }, tokens: [300, 300] },
    { own: '"max_tokens":50,', imitate: { max_tokens: 50 }, always: { max_tokens: 50 }, tokens: [50, 50] },
    { own: '"max_tokens":900,', imitate: { max_tokens: 900 }, always: { max_tokens: 300 }, tokens: [900, 300] },
    {
      own: '"reasoning_effort":"low",',
      imitate: { reasoning_effort: "low" },
      always: { reasoning_effort: "low", max_completion_tokens: 300 },
      tokens: [300, 300],
    },
  ])("with the bound {$own} is bounded as asked for, and budgeted so", ({ own, imitate, always, tokens }) => {
    const live = liveOf(`{${own}"model":"m","messages":[{"role":"user","content":"a"}]}`);
    const question = freshQuestion("Why?", live);
    for (const [place, answerBound] of (["imitate", "always"] as const).entries()) {
      const { model: _m, messages: _t, ...rest } = JSON.parse(sentAsFresh(live, options({ answerBound })).body);
      expect(rest).toEqual(place === 0 ? imitate : always);
      const most = mostTokens(question, { answerBound, maxAnswerTokens: 300 });
      const free = mostTokens(question, { answerBound: "always", maxAnswerTokens: 0 });
      expect(most - free).toBe(tokens[place]);
    }
  });

  test("of a new conversation is nobody's: ids of users are new ones, names are left out", () => {
    const body =
      '{"model":"m","user":"alice","safety_identifier":"user-8a7f33c1","metadata":{"session": "s-83746512", "app": "shop"},"messages":[{"role":"user","content":"a"}]}';
    const fork = JSON.parse(sentAsFork(liveOf(body)).body);
    expect(fork).toMatchObject({ user: "alice", safety_identifier: "user-8a7f33c1" });
    const fresh = JSON.parse(sentAsFresh(liveOf(body)).body);
    expect(Object.keys(fresh)).toEqual(["model", "safety_identifier", "metadata", "messages"]);
    expect(fresh.safety_identifier).toMatch(/^user-(?!8a7f33c1)[0-9a-f]{8}$/);
    expect(fresh.metadata).toEqual({ session: expect.stringMatching(/^s-(?!83746512)[0-9]{8}$/), app: "shop" });
  });
});

describe("headers", () => {
  const raw = [
    ["Accept", "application/json"],
    ["Authorization", "Bearer caller"],
    ["x-tenant", "t-1"],
    ["X-Stainless-Retry-Count", "2"],
    ["Idempotency-Key", "stainless-node-retry-0b4b1c0e-8d5f-4f6e-9a7b-1c2d3e4f5a6b"],
    ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ["X-Request-Id", "nothing that could be renewed"],
    ["content-type", "application/json"],
  ].flat();
  const names = (headers: string[]): string[] => headers.filter((_item, place) => place % 2 === 0);
  const valueUnder = (headers: string[], name: string): string | undefined => headers[headers.indexOf(name) + 1];

  test("keep order and case; ids of one request come anew, and those that can't are left out", () => {
    const { headers } = sentAsFork(liveOf(simple, raw));
    expect(names(headers)).toEqual(names(raw).filter((name) => name !== "X-Request-Id"));
    expect(valueUnder(headers, "Authorization")).toBe("Bearer caller");
    expect(valueUnder(headers, "X-Stainless-Retry-Count")).toBe("0");
    const key = valueUnder(headers, "Idempotency-Key");
    expect(key).toMatch(/^stainless-node-retry-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(raw).not.toContain(key);
    expect(valueUnder(headers, "traceparent")).toMatch(/^00-(?!4bf9)[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it.each(["x-correlation-id", "X-Amzn-Trace-Id", "x-b3-spanid", "x-idempotency-key", "tracestate", "baggage"])(
    "%s comes anew, or not at all",
    (name) => {
      const anew = sentAsFork(liveOf(simple, [name, "id=83746512"])).headers;
      expect(anew).toEqual([name, expect.stringMatching(/^id=(?!83746512)[0-9]{8}$/)]);
      expect(sentAsFork(liveOf(simple, [name, "no id"])).headers).toEqual([]);
    },
  );

  test("of one conversation never bring the same id twice", () => {
    const shared = options();
    const keys = Array.from({ length: 50 }, () =>
      valueUnder(sentAsFork(liveOf(simple, raw), shared).headers, "Idempotency-Key"),
    );
    expect(new Set(keys).size).toBe(50);
  });

  test("of a new conversation hold neither the caller's key nor a tenant", () => {
    const { headers } = sentAsFresh(liveOf(simple, raw));
    expect(headers.join()).not.toMatch(/caller|t-1/);
    expect(names(headers)).not.toContain("Authorization");
  });

  it.each([
    { place: "Authorization", value: "Bearer caller", sent: "Bearer own" },
    { place: "api-key", value: "caller", sent: "own" },
    { place: "X-Api-Key", value: "caller", sent: "own" },
  ])("a configured key takes the place of the caller's in $place", ({ place, value, sent }) => {
    const live = liveOf(simple, ["A", "b", place, value, "User-Agent", "app/1"]);
    expect(sentAsFresh(live, options({ key: "own" })).headers).toEqual([place, sent, "User-Agent", "app/1"]);
    const fork = sentAsFork(live, options({ key: "own", passCallerKey: false }));
    expect(fork.headers).toEqual(["A", "b", place, sent, "User-Agent", "app/1"]);
  });

  test("a configured key follows the others where the app sends none", () => {
    expect(sentAsFork(liveOf(simple), options({ key: "own" })).headers).toEqual([
      "User-Agent",
      "app/1",
      "authorization",
      "Bearer own",
    ]);
  });

  test("the query is the app's", () => {
    expect(sentAsFork(liveOf(simple, [], "?api-version=7")).search).toBe("?api-version=7");
  });
});

describe("a value that must not come twice", () => {
  const source = { random: seededRandom(1), now: 0x19_0000_0000_00 };

  it.each([
    ["req_011CSHoEeqs5C35K2UUqR7Fy", /^req_[0-9A-Za-z]{24}$/],
    ["4BF92F3577B34DA6", /^[0-9A-F]{16}$/],
    ["1732406400123", /^[0-9]{13}$/],
    ["01900000-0000-7abc-8def-0123456789ab", /^19000000-0000-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    ["0B4B1C0E-8D5F-4F6E-9A7B-1C2D3E4F5A6B", /^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/],
  ])("%s keeps its shape", (value, shape) => {
    const fresh = freshLike(value, source);
    expect(fresh).toMatch(shape);
    expect(fresh).not.toBe(value);
  });

  it.each(["", "alice", "v2", "on-off"])("%j holds no id", (value) => {
    expect(freshLike(value, source)).toBeNull();
  });
});
