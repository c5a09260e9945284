import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Script as UpstreamScript } from "./mock-upstream.ts";
import { type RunningRelay, runRelay, until } from "./running-relay.ts";
import { scriptGuard } from "./scripted-guard.ts";

const paths = ["/chat/completions", "/completions", "/responses", "/messages"] as const;
type Path = (typeof paths)[number];

const ask = ({ baseUrl }: RunningRelay, path: string, more: Record<string, unknown> = {}) =>
  fetch(baseUrl + path, { method: "POST", body: JSON.stringify({ model: "gpt-test", ...more }) });

const wholeAnswer = (path: Path, text: string): unknown =>
  ({
    "/chat/completions": {
      id: "c",
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    },
    "/completions": { id: "c", choices: [{ index: 0, text, finish_reason: "stop" }] },
    "/responses": {
      id: "r",
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
    },
    "/messages": { id: "m", role: "assistant", content: [{ type: "text", text }], stop_reason: "end_turn" },
  })[path];

/** The events of a stream that delivers these pieces. */
const eventsOf = (path: Path, pieces: readonly string[], end = "\n"): string => {
  const text = pieces.join("");
  const at = { item_id: "i", output_index: 0, content_index: 0 };
  const item = { type: "message", id: "i", role: "assistant", content: [{ type: "output_text", text }] };
  const choice = (delta: unknown, finish: string | null = null) => ({
    id: "c",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const events: Record<Path, unknown[]> = {
    "/chat/completions": [
      choice({ role: "assistant", content: "" }),
      ...pieces.map((content) => choice({ content })),
      choice({}, "stop"),
    ],
    "/completions": [
      ...pieces.map((piece) => ({ id: "c", choices: [{ index: 0, text: piece, finish_reason: null }] })),
      { choices: [{ index: 0, text: "", finish_reason: "stop" }] },
    ],
    "/responses": [
      { type: "response.created", response: { id: "r", output: [] } },
      ...pieces.map((delta) => ({ type: "response.output_text.delta", ...at, delta })),
      { type: "response.output_text.done", ...at, text },
      { type: "response.completed", response: { id: "r", output: [item] } },
    ],
    "/messages": [
      { type: "message_start", message: { id: "m", content: [] } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      ...pieces.map((piece) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: piece } })),
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
      { type: "message_stop" },
    ],
  };
  const done = path === "/chat/completions" || path === "/completions" ? `data: [DONE]${end}${end}` : "";
  return events[path].map((event) => `: hi${end}data: ${JSON.stringify(event)}${end}${end}`).join("") + done;
};

/** What a client reads out of a stream: the text of its deltas, and everything said anywhere in it. */
const textOf = (stream: string): string => {
  let text = "";
  for (const block of stream.split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = block
      .split(/\r\n|\n|\r/)
      .flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []))
      .join("\n");
    if (data === "" || data === "[DONE]") continue;
    const event = JSON.parse(data);
    const choice = event.choices?.[0];
    const delta = typeof event.delta === "string" ? event.delta : event.delta?.text;
    if (event.type === "response.refusal.delta") continue;
    text += choice?.delta?.content ?? choice?.text ?? delta ?? "";
  }
  return text;
};

const streaming =
  (bytes: Buffer, cuts: readonly number[] = []): UpstreamScript =>
  async (_seen, { response }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const edges = [0, ...[...cuts].filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
    for (const [place, edge] of edges.slice(1).entries()) {
      response.write(bytes.subarray(edges[place], edge));
      if (place % 4 === 3) await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  };

describe("what is decided on an answer is told once, as it was carried out", () => {
  const stream = (texts: string[]) => streaming(Buffer.from(eventsOf("/chat/completions", texts)));
  const whole =
    (text: string): UpstreamScript =>
    (_seen, wire) =>
      wire.json(200, wholeAnswer("/chat/completions", text));

  test.each([
    ["an answer that is allowed", "hold", whole("good"), "allow"],
    ["an answer that is blocked", "hold", whole("so bad"), "block"],
    ["a held stream that is allowed", "hold", stream(["go", "od"]), "allow"],
    ["a held stream that is blocked", "hold", stream(["fine, ", "b", "ad"]), "block"],
    ["a watched answer", "watch", whole("so bad"), "block"],
    ["a watched stream", "watch", stream(["b", "ad"]), "block"],
  ] as const)("%s", async (_name, mode, script, action) => {
    const relay = await runRelay({ guard: scriptGuard({ mode, response: { term: "bad", action: "block" } }) });
    relay.upstream.answer(script);
    await (await ask(relay, "/chat/completions", { stream: script !== whole("") })).text().catch(() => {});
    await until(() => relay.decided.length > 0);
    expect(relay.decided.map(({ decision }) => [decision.stage, decision.action])).toEqual([["response", action]]);
  });

  test("an edit that can't be made is told as the block that it became", async () => {
    const guard = scriptGuard({ response: { term: "bad", action: "redact" } });
    const begin = guard.begin;
    const nowhere: typeof guard = {
      ...guard,
      begin(exchange) {
        const own = begin(exchange);
        return (
          own && {
            ...own,
            answer: async (inspection) => {
              const decision = await own.answer(inspection);
              return { ...decision, edits: decision.edits.map((edit) => ({ ...edit, at: ["no", "where"] })) };
            },
          }
        );
      },
    };
    const relay = await runRelay({ guard: nowhere });
    relay.upstream.answer(whole("so bad"));
    const answer = await ask(relay, "/chat/completions");
    expect(answer.status).toBe(400);
    expect(relay.decided.map(({ decision }) => decision.action)).toEqual(["block"]);
  });
});

describe("a whole answer", () => {
  test.each(paths)("that is allowed passes byte for byte (%s)", async (path) => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    const bytes = ` ${JSON.stringify(wholeAnswer(path, "good"))}\n`;
    relay.upstream.answer((_seen, { response }) => {
      response.writeHead(200, { "content-type": "application/json", "x-request-id": "req" }).end(bytes);
    });
    const answer = await ask(relay, path);
    expect(await answer.text()).toBe(bytes);
    expect(answer.headers.get("x-request-id")).toBe("req");
    expect(answer.headers.get("x-candor-decision")).toBe("allow");
    expect(relay.upstream.seen[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test.each(paths)("that is blocked gets a 400, and none of it passes (%s)", async (path) => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    relay.upstream.answer((_seen, wire) => wire.json(200, wholeAnswer(path, "so bad")));
    const answer = await ask(relay, path);
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(text).not.toContain("bad");
    expect(JSON.parse(text)).toMatchObject({ error: { code: "content_filter", param: "completion" } });
    await until(() => relay.finished.length === 1);
    expect(relay.finished[0]?.end).toMatchObject({ outcome: "blocked", status: 400 });
    // What watches the model still sees what it said.
    expect(relay.copies[0]?.end).toMatchObject({ outcome: "complete", status: 200 });
  });

  test.each(paths)("that is refused says so as the dialect does (%s)", async (path) => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "refuse" } }) });
    relay.upstream.answer((_seen, wire) => wire.json(200, wholeAnswer(path, "so bad")));
    const answer = await ask(relay, path);
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toContain("Not allowed here.");
    expect(text).toMatch(/content_filter|"stop_reason":"refusal"/);
    expect(text).not.toContain("bad");
  });

  test.each(paths)("that is redacted is as long as it says (%s)", async (path) => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "redact" } }) });
    relay.upstream.answer((_seen, wire) => wire.json(200, wholeAnswer(path, "so bad é")));
    const answer = await ask(relay, path);
    const text = await answer.text();
    expect(JSON.parse(text)).toEqual(wholeAnswer(path, "so [removed] é"));
    expect(answer.headers.get("content-length")).toBe(String(Buffer.byteLength(text)));
  });

  test("of many choices is blocked for any of them, its calls and its tokens", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    const ok = { index: 0, message: { content: "ok" } };
    const others = [
      { index: 1, message: { content: "bad" } },
      { index: 1, message: { content: null, tool_calls: [{ function: { name: "f", arguments: "bad" } }] } },
      { index: 1, message: { content: "ok" }, logprobs: { content: [{ token: "b" }, { token: "ad" }] } },
      { index: 1, message: { content: "ok", reasoning_content: "bad" } },
      { index: 1, message: { content: "ok", extra: { deep: ["bad"] } } },
    ];
    for (const other of others) {
      relay.upstream.answer((_seen, wire) => wire.json(200, { choices: [ok, other] }));
      expect((await ask(relay, "/chat/completions")).status).toBe(400);
    }
  });

  test("that is an error of the upstream's passes unread", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    relay.upstream.answer((_seen, wire) => wire.json(429, { error: { message: "bad" } }, { "retry-after": "3" }));
    const answer = await ask(relay, "/chat/completions");
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("3");
  });

  test.each([
    ["compressed all the same", "deny", 400],
    ["compressed all the same", "allow", 200],
    ["larger than what is held", "deny", 400],
    ["larger than what is held", "allow", 200],
  ] as const)("%s is a gap: %s", async (kind, uninspectable, status) => {
    const guard = scriptGuard({ response: { term: "bad", action: "block" }, uninspectable, delayMs: 5 });
    const relay = await runRelay({ guard, holding: { answerBytes: 1000 } });
    const body = Buffer.from(JSON.stringify(wholeAnswer("/chat/completions", "x".repeat(200_000))));
    const encoded = kind === "compressed all the same";
    relay.upstream.answer((_seen, { response }) => {
      response.writeHead(200, {
        "content-type": "application/json",
        ...(encoded ? { "content-encoding": "gzip" } : {}),
      });
      response.end(encoded ? gzipSync(body) : body);
    });
    const answer = await ask(relay, "/chat/completions");
    expect(answer.status).toBe(status);
    const text = await answer.text();
    if (status === 200) expect(text === body.toString()).toBe(true);
    expect(guard.decisions.at(-1)?.gaps).toEqual([encoded ? "encoded-body" : "too-large"]);
  });

  test("that can't be judged is withheld with 503", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" }, broken: true }) });
    relay.upstream.answer((_seen, wire) => wire.json(200, wholeAnswer("/chat/completions", "good")));
    const answer = await ask(relay, "/chat/completions");
    expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([503, "false"]);
  });

  test("that is only watched passes at once and is judged on a copy, compressed or not", async () => {
    const guard = scriptGuard({ response: { term: "bad", action: "flag" }, mode: "watch" });
    const relay = await runRelay({ guard });
    const bytes = gzipSync(JSON.stringify(wholeAnswer("/chat/completions", "bad")));
    relay.upstream.answer((_seen, { response }) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(bytes);
    });
    expect(await (await ask(relay, "/chat/completions")).text()).toContain("bad");
    await until(() => guard.decisions.length === 1);
    expect(guard.decisions[0]?.action).toBe("flag");
  });
});

const text = fc.array(fc.constantFrom("b", "ba", "bad", "d", "é", "🎈", '"', "\n", "\\", "x "), { maxLength: 12 });
const hides = (said: string) => said.replaceAll("bad", "[removed]");

describe("a streamed answer", () => {
  test.each(paths)(
    "has the same verdict as the whole one, and no byte of it passes after a blocked span began (%s)",
    async (path) => {
      const blocking = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
      await fc.assert(
        fc.asyncProperty(text, fc.array(fc.nat(4000), { maxLength: 30 }), async (pieces, cuts) => {
          const whole = pieces.join("");
          blocking.upstream.answer(streaming(Buffer.from(eventsOf(path, pieces)), cuts));
          const answer = await ask(blocking, path, { stream: true });
          const got = await answer.text();
          if (!whole.includes("bad")) {
            expect(got).toBe(eventsOf(path, pieces));
            return;
          }
          expect(got).toContain(
            answer.status === 400 ? "content_filter" : "Not allowed here.".slice(0, path === "/completions" ? 0 : 17),
          );
          const before = whole.slice(0, whole.indexOf("bad"));
          const delivered = answer.status === 400 ? "" : textOf(got).replace("Not allowed here.", "");
          expect(before.startsWith(delivered)).toBe(true);
        }),
        { numRuns: 40, seed: 7 },
      );
    },
  );

  test.each(paths)("is redacted to the same text, whatever the pieces, chunks and line ends (%s)", async (path) => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "redact" } }) });
    const cuts = fc.array(fc.nat(4000), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(text, cuts, fc.constantFrom("\n", "\r\n", "\r"), async (pieces, cuts, end) => {
        relay.upstream.answer(streaming(Buffer.from(eventsOf(path, pieces, end)), cuts));
        const got = await (await ask(relay, path, { stream: true })).text();
        expect(textOf(got)).toBe(hides(pieces.join("")));
        expect(got).not.toContain("bad");
      }),
      { numRuns: 40, seed: 8 },
    );
  });

  test("passes byte by byte as it does in one piece", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    const bytes = Buffer.from(eventsOf("/chat/completions", ["Grüße ", "🎈", " b", "a", "!"], "\r\n"));
    relay.upstream.answer(streaming(bytes, [...bytes.keys()]));
    expect(await (await ask(relay, "/chat/completions", { stream: true })).text()).toBe(bytes.toString());
  });

  test("that is blocked before any text is out gets a true 400, and its upstream is let go", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    relay.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event({ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] });
      wire.event({ choices: [{ index: 0, delta: { content: "bad" } }] });
    });
    const answer = await ask(relay, "/chat/completions", { stream: true });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/json");
    await until(() => relay.upstream.aborted() === 1 && relay.finished.length === 1);
    expect(relay.finished[0]?.end).toMatchObject({ outcome: "blocked", status: 400 });
    expect(relay.copies[0]?.end?.outcome).toBe("blocked");
  });

  test.each([
    ["/chat/completions", "content_filter"],
    ["/completions", "content_filter"],
    ["/responses", "response.incomplete"],
    ["/messages", "message_delta"],
  ] as const)("on %s that is blocked midway may close with an error, which clients throw", async (path, before) => {
    const heard = Promise.withResolvers<void>();
    const guard = scriptGuard({ response: { term: "bad", action: "block" } });
    const relay = await runRelay({ guard, holding: { lastEvent: "error" } });
    relay.upstream.answer(async (_seen, wire) => {
      const events = eventsOf(path, ["good ", "bad"]).split("\n\n");
      const cut = events.findIndex((event) => event.includes("bad"));
      wire.stream();
      wire.response.write(`${events.slice(0, cut).join("\n\n")}\n\n`);
      await heard.promise;
      wire.response.write(`${events.slice(cut).join("\n\n")}\n\n`);
    });
    const answer = await ask(relay, path, { stream: true });
    heard.resolve();
    const events = (await answer.text()).trim().split("\n\n");
    expect(events.at(-2)).toContain(before);
    const last = JSON.parse(events.at(-1)?.split("data: ")[1] ?? "");
    expect(last.error ?? last).toMatchObject({ code: "content_filter", message: "Not allowed here." });
    expect(events.join("\n")).not.toMatch(/bad|\[DONE\]|message_stop/);
  });

  test("that came in one read and is blocked gets a true error: nothing of it has left", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    relay.upstream.answer((_seen, wire) => {
      const events = ["good", "bad"].map((content) => JSON.stringify({ choices: [{ index: 0, delta: { content } }] }));
      wire.response.writeHead(200, { "content-type": "text/event-stream" });
      wire.response.write(events.map((event) => `data: ${event}\n\n`).join(""));
    });
    const answer = await ask(relay, "/chat/completions", { stream: true });
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain("good");
    await until(() => relay.upstream.aborted() === 1);
  });

  test("that is read slowly slows the upstream down, and still comes whole", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    const words = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "good" } }] })}\n\n`;
    const comment = `: ${"x".repeat(16_000)}\n\n`;
    const total = 2_000;
    let sent = 0;
    relay.upstream.answer((_seen, { response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(words);
      const more = (): void => {
        while (sent < total) {
          sent += 1;
          if (!response.write(comment)) {
            response.once("drain", more);
            return;
          }
        }
        response.end("data: [DONE]\n\n");
      };
      more();
    });
    const answer = await ask(relay, "/chat/completions", { stream: true });
    let before = -1;
    // The flow has stopped when nothing moved for a while: what is under way then is in buffers.
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(sent).toBeLessThan(total / 2);
    const length = words.length + comment.length * total + "data: [DONE]\n\n".length;
    expect((await answer.text()).length).toBe(length);
  });

  test("that is blocked midway ends every open choice with content_filter, then [DONE]", async () => {
    const heard = Promise.withResolvers<void>();
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    relay.upstream.answer(async (_seen, wire) => {
      wire.stream();
      wire.event({ id: "c", model: "m", choices: [{ index: 0, delta: { content: "good" } }] });
      wire.event({ id: "c", model: "m", choices: [{ index: 1, delta: { content: "fine " } }] });
      await heard.promise;
      wire.event({ id: "c", model: "m", choices: [{ index: 1, delta: { content: "bad" } }] });
    });
    const answer = await ask(relay, "/chat/completions", { stream: true });
    heard.resolve();
    expect(answer.headers.get("x-candor-decision")).toBe("pending");
    const events = (await answer.text()).trim().split("\n\n");
    expect(events.at(-1)).toBe("data: [DONE]");
    const last = JSON.parse(events.at(-2)?.slice(6) ?? "");
    expect(last).toMatchObject({ id: "c", model: "m", object: "chat.completion.chunk" });
    expect(last.choices).toEqual(
      [0, 1].map((index) => ({
        index,
        delta: { refusal: "Not allowed here." },
        logprobs: null,
        finish_reason: "content_filter",
      })),
    );
    await until(() => relay.upstream.aborted() === 1);
  });

  test.each([
    [
      "calls by index",
      [
        { tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: "b" } }] },
        { tool_calls: [{ index: 1, id: "b", function: { name: "g", arguments: "x" } }] },
        { tool_calls: [{ index: 0, function: { arguments: "ad" } }] },
      ],
    ],
    ["reasoning", [{ reasoning_content: "ba" }, { content: "x" }, { reasoning_content: "d" }]],
    ["a refusal", [{ refusal: "ba" }, { refusal: "d" }]],
    ["a field that nobody knows", [{ extra: "ba" }, { extra: "d" }]],
  ])("is put together from %s before it is judged", async (_name, deltas) => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    const events = deltas.map((delta) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`).join("");
    relay.upstream.answer(streaming(Buffer.from(`${events}data: [DONE]\n\n`)));
    const got = await (await ask(relay, "/chat/completions", { stream: true })).text();
    expect(got).toContain("content_filter");
    expect(got).not.toContain('"ad"');
  });

  test("that can't be read is denied at once, or passes where that is allowed", async () => {
    for (const [uninspectable, status] of [
      ["deny", 400],
      ["allow", 200],
    ] as const) {
      const guard = scriptGuard({ response: { term: "bad", action: "block" }, uninspectable });
      const relay = await runRelay({ guard });
      relay.upstream.answer(streaming(Buffer.from("data: what?\n\ndata: [DONE]\n\n")));
      const answer = await ask(relay, "/chat/completions", { stream: true });
      expect(answer.status).toBe(status);
      if (status === 200) expect(await answer.text()).toBe("data: what?\n\ndata: [DONE]\n\n");
    }
  });

  test.each([
    ["deny", 400],
    ["allow", 200],
  ] as const)("that fills what may be kept back is a gap: %s", async (uninspectable, status) => {
    const guard = scriptGuard({ response: { term: "bad", action: "block" }, uninspectable, delayMs: 20 });
    const relay = await runRelay({ guard, holding: { streamBytes: 4_000 } });
    const bytes = Buffer.from(
      eventsOf(
        "/chat/completions",
        Array.from({ length: 3_000 }, () => "good "),
      ),
    );
    relay.upstream.answer(
      streaming(
        bytes,
        Array.from({ length: 40 }, (_, at) => at * 5_000),
      ),
    );
    const answer = await ask(relay, "/chat/completions", { stream: true });
    expect(answer.status).toBe(status);
    if (status === 200) expect((await answer.text()) === bytes.toString()).toBe(true);
  });

  test("that waits long for a verdict tells the client that it lives, and can still be blocked", async () => {
    const guard = scriptGuard({ response: { term: "bad", action: "block" }, delayMs: 120 });
    const relay = await runRelay({ guard, holding: { keepAliveMs: 20 } });
    relay.upstream.answer(streaming(Buffer.from(eventsOf("/chat/completions", ["so bad"]))));
    const answer = await ask(relay, "/chat/completions", { stream: true });
    expect(answer.status).toBe(200);
    const got = await answer.text();
    expect(got).toContain(": hold\n\n");
    expect(got).toMatch(/"finish_reason":"content_filter".*\n\ndata: \[DONE\]\n\n$/s);
    expect(textOf(got.replaceAll(": hold\n\n", ""))).toBe("");
  });

  test("that can't be judged is withheld with 503", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" }, broken: true }) });
    relay.upstream.answer(streaming(Buffer.from(eventsOf("/chat/completions", ["good"]))));
    expect((await ask(relay, "/chat/completions", { stream: true })).status).toBe(503);
  });

  test("that is only watched passes at once, blocked terms and all", async () => {
    const guard = scriptGuard({ response: { term: "bad", action: "flag" }, mode: "watch" });
    const relay = await runRelay({ guard });
    const bytes = Buffer.from(eventsOf("/chat/completions", ["so ", "ba", "d"]));
    relay.upstream.answer(streaming(bytes, [10, 50, 90]));
    expect(await (await ask(relay, "/chat/completions", { stream: true })).text()).toBe(bytes.toString());
    await until(() => guard.decisions.length === 1);
    expect(guard.decisions[0]?.action).toBe("flag");
  });

  test("that its upstream breaks off is never made to look complete", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    relay.upstream.answer(async (_seen, wire) => {
      wire.stream();
      wire.event({ choices: [{ index: 0, delta: { content: "good b" } }] });
      await new Promise((resolve) => setTimeout(resolve, 20));
      wire.reset();
    });
    const answer = await ask(relay, "/chat/completions", { stream: true });
    const got = await answer.text().catch(() => "broken");
    expect(got).not.toContain("[DONE]");
    expect(got).not.toContain("good b");
  });

  test("that its client leaves is left by the relay too", async () => {
    const relay = await runRelay({ guard: scriptGuard({ response: { term: "bad", action: "block" } }) });
    relay.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event({ choices: [{ index: 0, delta: { content: "good " } }] });
    });
    const leaving = new AbortController();
    const answer = await fetch(`${relay.baseUrl}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "gpt-test", stream: true }),
      signal: leaving.signal,
    });
    leaving.abort();
    await expect(answer.text()).rejects.toThrow();
    await until(() => relay.upstream.aborted() === 1 && relay.finished.length === 1);
    expect(relay.finished[0]?.end.outcome).toBe("client-aborted");
  });
});

test("no policy on an exchange leaves it as it was", async () => {
  const relay = await runRelay({ guard: { begin: () => null } });
  relay.upstream.answer(streaming(Buffer.from("data: what?\n\n")));
  const answer = await ask(relay, "/chat/completions", { stream: true });
  expect(await answer.text()).toBe("data: what?\n\n");
  expect([...answer.headers.keys()].filter((name) => name.startsWith("x-candor-"))).toEqual(["x-candor-exchange-id"]);
});
