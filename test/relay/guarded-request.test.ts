import { describe, expect, test } from "vitest";
import { realGuard } from "./real-guard.ts";
import { runRelay, until } from "./running-relay.ts";
import { scriptGuard } from "./scripted-guard.ts";

const post = (baseUrl: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(baseUrl + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const chat = (content: string, more: Record<string, unknown> = {}) => ({
  model: "gpt-test",
  messages: [{ role: "user", content }],
  ...more,
});

describe("a request that a policy", () => {
  test("allows is sent byte for byte, and says so in its headers", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "block" } });
    const { baseUrl, upstream } = await runRelay({ guard });
    const body = ' { "model":"gpt-test",\n "messages":[{"role":"user","content":"g\\u006fod"}] } ';
    const answer = await post(baseUrl, "/chat/completions", body);
    expect(answer.status).toBe(200);
    expect(upstream.seen[0]?.body.toString()).toBe(body);
    expect(answer.headers.get("x-candor-decision")).toBe("allow");
    expect(answer.headers.get("x-candor-stage")).toBe("request");
    expect(answer.headers.get("x-candor-coverage")).toBe("full");
    expect(answer.headers.get("x-candor-decision-id")).toBe("d0");
    expect(Number(answer.headers.get("x-candor-overhead-ms"))).toBeGreaterThan(0);
  });

  test.each([
    ["/chat/completions", chat("so bad"), "messages"],
    ["/completions", { model: "gpt-test", prompt: "so bad" }, "prompt"],
    ["/responses", { model: "gpt-test", input: "so bad" }, "input"],
    ["/embeddings", { model: "gpt-test", input: ["so bad"] }, "input"],
  ])("blocks on %s gets a 400 in OpenAI's shape and is never sent", async (path, body, param) => {
    const guard = scriptGuard({ request: { term: "bad", action: "block" } });
    const { baseUrl, upstream, refused } = await runRelay({ guard });
    const answer = await post(baseUrl, path, body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(answer.headers.get("x-candor-decision")).toBe("block");
    expect(answer.headers.get("x-candor-policy")).toBe("terms");
    expect(await answer.json()).toEqual({
      error: {
        message: "Not allowed here.",
        type: "invalid_request_error",
        param,
        code: "content_filter",
        innererror: { policy: "terms", stage: "request", decision_id: "d0" },
      },
    });
    expect(upstream.seen).toEqual([]);
    expect(refused.map(({ reason }) => reason)).toEqual(["blocked"]);
  });

  test("in shadow would block passes, and is told of as a flag with its version", async () => {
    const policy = { id: "quiet", stage: "request", match: { terms: ["bad"] }, mode: "shadow" };
    const { baseUrl } = await runRelay({ guard: realGuard([policy]) });
    const answer = await post(baseUrl, "/chat/completions", chat("so bad"));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-candor-decision")).toBe("flag");
    expect(answer.headers.get("x-candor-policy")).toBe("quiet");
    expect(answer.headers.get("x-candor-policy-version")).toMatch(/^[0-9a-f]{16}$/);
    const other = await post(baseUrl, "/chat/completions", chat("good"));
    expect(other.headers.get("x-candor-decision")).toBe("allow");
    expect(other.headers.get("x-candor-policy")).toBeNull();
    expect(other.headers.get("x-candor-gaps")).toBeNull();
  });

  test("decides on is told once, with the exchange, whatever is done", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "block" } });
    const { baseUrl, decided } = await runRelay({ guard });
    await post(baseUrl, "/chat/completions", chat("good"));
    await post(baseUrl, "/chat/completions", chat("so bad"));
    await post(baseUrl, "/chat/completions", { ...chat("good"), model: "other" });
    expect(decided.map(({ exchange, decision }) => [exchange.subject, exchange.route, decision.action])).toEqual([
      ["support-bot", "chat", "allow"],
      ["support-bot", "chat", "block"],
      [null, "chat", "allow"],
    ]);
  });

  test("blocks on /messages gets Anthropic's shape", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "block" } });
    const { baseUrl } = await runRelay({ guard });
    const answer = await post(baseUrl, "/messages", chat("bad"));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: "Not allowed here.", code: "content_filter" },
    });
  });

  test.each([
    ["/chat/completions", (body: string) => JSON.parse(body).choices[0].message.refusal],
    ["/completions", (body: string) => JSON.parse(body).choices[0].text],
    ["/responses", (body: string) => JSON.parse(body).output[0].content[0].refusal],
    ["/messages", (body: string) => JSON.parse(body).content[0].text],
  ])("refuses on %s gets an answer that refuses", async (path, refusalIn) => {
    const guard = scriptGuard({ request: { term: "bad", action: "refuse" } });
    const { baseUrl, upstream } = await runRelay({ guard });
    const body = { ...chat("bad"), prompt: "bad", input: "bad" };
    const answer = await post(baseUrl, path, body);
    expect(answer.status).toBe(200);
    expect(refusalIn(await answer.text())).toBe("Not allowed here.");
    const streamed = await post(baseUrl, path, { ...body, stream: true });
    expect(streamed.headers.get("content-type")).toContain("text/event-stream");
    const text = await streamed.text();
    if (path !== "/completions") expect(text).toContain("Not allowed here.");
    expect(text).toMatch(/data: \[DONE\]|response\.incomplete|"message_stop"/);
    expect(upstream.seen).toEqual([]);
  });

  test("redacts is sent with that text replaced and nothing else changed", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "redact" } });
    const { baseUrl, upstream } = await runRelay({ guard });
    const body =
      '{"model":"gpt-test","seed":12345678901234567890,"messages":[{"role":"user","content":"a bad \\u0062ad é"}]}';
    const answer = await post(baseUrl, "/chat/completions", body);
    expect(answer.headers.get("x-candor-decision")).toBe("redact");
    const sent = upstream.seen[0];
    expect(sent?.body.toString()).toBe(body.replace("bad \\u0062ad", "[removed] [removed]"));
    expect(sent?.headers["content-length"]).toBe(String(sent?.body.length));
  });

  test("redacts in a place that can't be edited is blocked", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "redact" } });
    const { baseUrl, upstream } = await runRelay({ guard });
    const answer = await post(baseUrl, "/chat/completions", chat("x", { tools: [{ bad: 1 }] }));
    expect(answer.status).toBe(400);
    expect(upstream.seen).toEqual([]);
  });

  test("reroutes goes to the other subject, by its model's name and without the caller's key for the first", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "reroute", rerouteTo: "safe-bot" } });
    const { baseUrl, upstream, finished } = await runRelay({
      guard,
      config: ({ baseUrl }) => ({
        upstreams: [
          { id: "main", baseUrl },
          { id: "other", baseUrl },
        ],
        subjects: [
          { id: "support-bot", models: ["gpt-test"] },
          { id: "safe-bot", models: ["gpt-safe"], upstream: "other" },
        ],
      }),
    });
    const answer = await post(baseUrl, "/chat/completions", chat("bad"), { authorization: "Bearer caller" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-candor-rerouted-to")).toBe("safe-bot");
    expect(JSON.parse(upstream.seen[0]?.body.toString() ?? "")).toEqual({ ...chat("bad"), model: "gpt-safe" });
    expect(upstream.seen[0]?.headers.authorization).toBeUndefined();
    await until(() => finished.length === 1);
    expect(finished[0]?.subject).toBe("safe-bot");
  });

  test("reroutes to nobody is blocked", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "reroute", rerouteTo: "nobody" } });
    const { baseUrl, upstream } = await runRelay({ guard });
    expect((await post(baseUrl, "/chat/completions", chat("bad"))).status).toBe(400);
    expect(upstream.seen).toEqual([]);
  });

  test("can't evaluate is answered with 503 that is not retried, and is never sent", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "block" }, broken: true });
    const { baseUrl, upstream } = await runRelay({ guard });
    const answer = await post(baseUrl, "/chat/completions", chat("good"));
    expect(answer.status).toBe(503);
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(answer.headers.get("retry-after")).toBe("10");
    expect(await answer.json()).toMatchObject({ error: { code: "guardrail_unavailable", type: "api_error" } });
    expect(upstream.seen).toEqual([]);
  });

  test("decides later waits, and is not sent for a client that has left", async () => {
    const guard = scriptGuard({ request: { term: "bad", action: "block" }, delayMs: 30 });
    const { baseUrl, upstream } = await runRelay({ guard });
    expect((await post(baseUrl, "/chat/completions", chat("bad"))).status).toBe(400);
    expect((await post(baseUrl, "/chat/completions", chat("good"))).status).toBe(200);
    const leaving = new AbortController();
    const left = fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      body: JSON.stringify(chat("good")),
      signal: leaving.signal,
    });
    await until(() => guard.inspections.length === 3);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(upstream.seen).toHaveLength(1);
  });
});

describe("where others leak", () => {
  const hidden: [string, string, unknown][] = [
    [
      "an earlier user turn",
      "/chat/completions",
      {
        messages: [
          { role: "user", content: "bad" },
          { role: "user", content: "ok" },
        ],
      },
    ],
    [
      "the system message",
      "/chat/completions",
      {
        messages: [
          { role: "system", content: "bad" },
          { role: "user", content: "ok" },
        ],
      },
    ],
    ["a text part", "/chat/completions", { messages: [{ role: "user", content: [{ type: "text", text: "bad" }] }] }],
    ["a tool result", "/chat/completions", { messages: [{ role: "tool", tool_call_id: "1", content: "bad" }] }],
    [
      "a call's arguments",
      "/chat/completions",
      {
        messages: [
          { role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "bad" } }] },
        ],
      },
    ],
    [
      "a tool's description",
      "/chat/completions",
      { messages: [], tools: [{ type: "function", function: { name: "f", description: "bad" } }] },
    ],
    [
      "a response schema",
      "/chat/completions",
      { messages: [], response_format: { json_schema: { schema: { description: "bad" } } } },
    ],
    ["a field that no API has", "/chat/completions", { messages: [], documents: ["bad"] }],
    ["the role", "/chat/completions", { messages: [{ role: "bad", content: "x" }] }],
    [
      "an escaped spelling",
      "/chat/completions",
      '{"model":"gpt-test","messages":[{"role":"user","content":"\\u0062\\u0061d"}]}',
    ],
    [
      "the first of two equal names",
      "/chat/completions",
      '{"model":"gpt-test","messages":[{"role":"user","content":"bad"}],"messages":[]}',
    ],
    ["responses' input", "/responses", { input: [{ role: "user", content: [{ type: "input_text", text: "bad" }] }] }],
    ["responses' instructions", "/responses", { instructions: "bad", input: "x" }],
    ["Anthropic's system", "/messages", { system: "bad", messages: [] }],
    [
      "Anthropic's tool result",
      "/messages",
      { messages: [{ role: "user", content: [{ type: "tool_result", content: "bad" }] }] },
    ],
    ["an embedding's input", "/embeddings", { input: ["x", "bad"] }],
    ["one of several prompts", "/completions", { prompt: ["x", "bad"] }],
    [
      "an image that can't be read",
      "/chat/completions",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:" } }] }] },
    ],
  ];
  test.each(hidden)("%s is read", async (_name, path, body) => {
    const guard = scriptGuard({ request: { term: "bad", action: "block" } });
    const { baseUrl, upstream } = await runRelay({ guard });
    const sent = typeof body === "string" ? body : { model: "gpt-test", ...(body as object) };
    expect((await post(baseUrl, path, sent)).status).toBe(400);
    expect(upstream.seen).toEqual([]);
  });

  test("a path that nobody knows is denied, unless the policy allows it", async () => {
    const config = () => ({ relay: { passThrough: ["/batches"] } });
    const denied = await runRelay({ config, guard: scriptGuard({ request: { term: "bad", action: "block" } }) });
    expect((await post(denied.baseUrl, "/batches", { input: "x" })).status).toBe(400);
    expect(denied.upstream.seen).toEqual([]);
    const guard = scriptGuard({ request: { term: "bad", action: "block" }, uninspectable: "allow" });
    const allowed = await runRelay({ config, guard });
    expect((await post(allowed.baseUrl, "/batches", { input: "x" })).status).toBe(200);
    expect(guard.inspections).toEqual([{ carriers: [], coverage: "none", gaps: ["unknown-path"] }]);
  });

  test.each([
    "/chat/completions/",
    "/Chat/Completions",
    "//chat/completions",
    "/chat%2fcompletions",
    "/proxy/chat/completions",
  ])("%s is no way around", async (path) => {
    const { baseUrl, upstream } = await runRelay({ guard: scriptGuard({ request: { term: "bad", action: "block" } }) });
    expect((await post(baseUrl, path, chat("bad"))).status).toBeGreaterThanOrEqual(400);
    expect(upstream.seen).toEqual([]);
  });

  test("no field, header or query sends a request elsewhere", async () => {
    const { baseUrl, upstream } = await runRelay({ guard: scriptGuard({ request: { term: "bad", action: "block" } }) });
    const canary = await runRelay();
    const to = canary.upstream.baseUrl;
    const body = chat("ok", { api_base: to, base_url: to, custom_host: to });
    const headers = {
      "x-portkey-custom-host": to,
      "x-forwarded-host": to,
      "x-candor-decision": "allow",
      "x-candor-policy": "none",
    };
    await post(baseUrl, `/chat/completions?api_base=${encodeURIComponent(to)}`, body, headers);
    expect(canary.upstream.seen).toEqual([]);
    expect(
      Object.keys(upstream.seen[0]?.headers ?? {}).filter((name) => /^x-(portkey|forwarded|candor)/.test(name)),
    ).toEqual([]);
  });

  test("a redirect is not followed, and leads nobody elsewhere", async () => {
    const canary = await runRelay();
    const { baseUrl, upstream } = await runRelay({ guard: scriptGuard({ request: { term: "bad", action: "block" } }) });
    upstream.answer((_seen, { response }) => {
      response.writeHead(302, { location: canary.upstream.baseUrl }).end();
    });
    const answer = await fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      body: JSON.stringify(chat("ok")),
      redirect: "manual",
    });
    expect(answer.headers.get("location")).toBeNull();
    expect(canary.upstream.seen).toEqual([]);
  });
});
