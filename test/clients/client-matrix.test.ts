/** Real clients against a relay with policies, on real sockets. Writes what it saw to docs/clients.md. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { Script } from "../relay/mock-upstream.ts";
import { realGuard } from "../relay/real-guard.ts";
import { runRelay, until } from "../relay/running-relay.ts";

type Signal = AbortSignal & { onText?: () => void };
interface Seen {
  texts?: string[];
  calls?: unknown[];
  finish?: string | null;
}
interface Session {
  json(): Promise<Seen>;
  stream(signal?: Signal): Promise<Seen>;
  tools(): Promise<Seen>;
  /** Null where its API has no such thing. */
  many: (() => Promise<Seen>) | null;
}
interface Driver {
  name: string;
  /** How leaving a stream early is noted, where a caller has to do more for it than to say so. */
  leaving?: string;
  open(baseUrl: string): Promise<Session>;
}

/** npm writes it last, so it is there only where all of them are. */
const installed = existsSync(new URL("node_modules/.package-lock.json", import.meta.url));
if (!installed)
  console.log("clients skipped: they are not installed; `sh scripts/setup.sh --test` does it and says why not");
const load = async (): Promise<Driver[]> => {
  const { href } = new URL("drivers.js", import.meta.url);
  return ((await import(href)) as { drivers: Driver[] }).drivers;
};
const drivers = installed ? await load() : [];

/** Long enough that its beginning leaves before the last word is there. */
const beginning = "Hello there, this is an ordinary answer of some length, and now comes ";
const pieces = (word: string) => [...(beginning.match(/.{1,7}/g) ?? []), word];

/** Says that and, once it was heard, the word, calls a tool where one is offered, in the dialect that it is asked in. */
const upstreamSaying =
  (word: string, heard: Promise<void> = Promise.resolve()): Script =>
  async (seen, wire) => {
    const { stream = false, n = 1, tools } = JSON.parse(seen.body.toString());
    const isMessages = seen.url.endsWith("/messages");
    const text = pieces(word).join("");
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    if (isMessages && !stream) {
      const content = tools ? [{ type: "tool_use", id: "t", name: "f", input: { x: 1 } }] : [{ type: "text", text }];
      wire.json(200, {
        id: "m",
        type: "message",
        role: "assistant",
        model: "m",
        content,
        stop_reason: "end_turn",
        usage: { input_tokens: 1, output_tokens: 1 },
      });
    } else if (!stream) {
      const call = { id: "t", type: "function", function: { name: "f", arguments: '{"x":1}' } };
      const message = tools
        ? { role: "assistant", content: null, tool_calls: [call] }
        : { role: "assistant", content: text };
      const choices = Array.from({ length: n }, (_, index) => ({
        index,
        message,
        finish_reason: tools ? "tool_calls" : "stop",
      }));
      wire.json(200, { id: "c", object: "chat.completion", created: 1, model: "m", choices, usage });
    } else if (isMessages) {
      wire.stream();
      const event = (data: { type: string }) =>
        void wire.response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
      event({
        type: "message_start",
        message: {
          id: "m",
          type: "message",
          role: "assistant",
          content: [],
          model: "m",
          usage: { input_tokens: 1, output_tokens: 1 },
        },
      } as never);
      event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } } as never);
      for (const piece of pieces(word)) {
        if (piece === word) await heard;
        event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: piece } } as never);
      }
      if (word === "forever") return;
      event({ type: "content_block_stop", index: 0 } as never);
      event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 3 } } as never);
      event({ type: "message_stop" });
      wire.response.end();
    } else {
      wire.stream();
      const chunk = (delta: unknown, finish: string | null = null) =>
        wire.event({
          id: "c",
          object: "chat.completion.chunk",
          created: 1,
          model: "m",
          choices: [{ index: 0, delta, finish_reason: finish }],
        });
      chunk({ role: "assistant", content: "" });
      for (const content of pieces(word)) {
        if (content === word) await heard;
        chunk({ content });
      }
      if (word === "forever") return;
      chunk({}, "stop");
      wire.event("[DONE]");
      wire.response.end();
    }
  };

const columns = [
  "JSON",
  "stream",
  "tools",
  "n=2",
  "blocked before",
  "blocked midway",
  "upstream error",
  "abort",
] as const;
const table = new Map<string, Map<string, string>>();
const note = (client: string, column: (typeof columns)[number], text: string): void => {
  const row = table.get(client) ?? new Map<string, string>();
  table.set(client, row.set(column, text));
};

interface Failure {
  name: string;
  status: number | null;
}
/** What a caller can tell an error by. */
const failureOf = async (asked: Promise<unknown>): Promise<Failure> => {
  try {
    await asked;
  } catch (error) {
    const { status, statusCode, lastError } = error as {
      status?: number;
      statusCode?: number;
      lastError?: { statusCode?: number };
    };
    const { name } = (error as Error).constructor;
    return { name, status: status ?? statusCode ?? lastError?.statusCode ?? null };
  }
  throw new Error("it did not fail");
};

const blocking = () =>
  realGuard([
    { id: "in", stage: "request", match: { terms: ["banned"] } },
    { id: "out", stage: "response", match: { terms: ["bad"] } },
  ]);

describe.skipIf(!installed)("a real client", () => {
  test("of each kind is in the table", () => {
    expect(new Set(drivers.map(({ name }) => name)).size).toBe(8);
  });

  test.each(drivers)(
    "$name gets whole answers, streams, calls and choices as without policies",
    async ({ name, open }) => {
      const relay = await runRelay({ guard: blocking() });
      relay.upstream.answer(upstreamSaying("you"));
      const client = await open(relay.baseUrl);
      expect((await client.json()).texts).toEqual([`${beginning}you`]);
      note(name, "JSON", "as sent");
      const streamed = await client.stream();
      expect(streamed.texts).toEqual([`${beginning}you`]);
      note(name, "stream", `as sent, ends with \`${streamed.finish}\``);
      expect((await client.tools()).calls).toEqual([{ x: 1 }]);
      note(name, "tools", "as sent");
      if (client.many !== null) expect((await client.many()).texts).toEqual([`${beginning}you`, `${beginning}you`]);
      note(name, "n=2", client.many === null ? "its API has none" : "as sent");
    },
  );

  test.each(drivers)("$name gets a 400 once when it is blocked before the first byte", async ({ name, open }) => {
    const relay = await runRelay({ guard: realGuard([{ stage: "request", match: { terms: ["hello"] } }]) });
    const client = await open(relay.baseUrl);
    const failure = await failureOf(client.json());
    expect(failure.status).toBe(400);
    expect((await failureOf(client.stream())).status).toBe(400);
    expect(relay.upstream.seen).toEqual([]);
    expect(relay.decided).toHaveLength(2);
    note(name, "blocked before", `\`${failure.name}\`, status 400, not retried`);
  });

  test.each(drivers)(
    "$name gets an end with a reason, and nothing of what was blocked midway",
    async ({ name, open }) => {
      const relay = await runRelay({ guard: blocking() });
      // The word comes when its client has the beginning: what comes in one read with it is withheld altogether.
      const signal: Signal = new AbortController().signal;
      const heard = new Promise<void>((resolve) => {
        signal.onText = resolve;
      });
      relay.upstream.answer(upstreamSaying("bad", heard));
      const { texts, finish } = await (await open(relay.baseUrl)).stream(signal);
      const [text = ""] = texts ?? [];
      expect(text).toMatch(/^Hello there, /);
      expect(text).not.toContain("bad");
      expect(["content_filter", "content-filter", "refusal"]).toContain(finish);
      expect(relay.upstream.seen).toHaveLength(1);
      note(name, "blocked midway", `ends with \`${finish}\``);
    },
  );

  test.each(drivers)("$name gets the upstream's own error", async ({ name, open }) => {
    const relay = await runRelay({ guard: blocking() });
    const error = { message: "no such bad thing", type: "invalid_request_error", param: null, code: "x" };
    relay.upstream.answer((_seen, wire) => wire.json(404, { type: "error", error }));
    const failure = await failureOf((await open(relay.baseUrl)).json());
    expect(failure.status).toBe(404);
    note(name, "upstream error", `\`${failure.name}\`, status 404`);
  });

  test.each(drivers)("$name lets the upstream go when it leaves", async ({ name, leaving: how, open }) => {
    const relay = await runRelay({ guard: blocking() });
    relay.upstream.answer(upstreamSaying("forever"));
    const leaving = new AbortController();
    const signal: Signal = leaving.signal;
    signal.onText = () => leaving.abort();
    await (await open(relay.baseUrl)).stream(signal).catch(() => {});
    await until(() => relay.upstream.aborted() === 1);
    note(name, "abort", how ?? "upstream let go");
  });
});

const documentAt = new URL("../../docs/clients.md", import.meta.url);
const documentOf = (): string =>
  [
    "# Clients",
    "",
    "What real clients see through a relay with policies, as `test/clients/client-matrix.test.ts` saw it on real sockets.",
    "`npm test` installs them and fails where this page says something else; `UPDATE_DOCS=1 npx vitest run test/clients` writes it.",
    "",
    `| client | ${columns.join(" | ")} |`,
    `|---|${columns.map(() => "---").join("|")}|`,
    ...[...table].map(([client, row]) => `| ${client} | ${columns.map((column) => row.get(column)).join(" | ")} |`),
    "",
  ].join("\n");

afterAll(async () => {
  // Some of the tests alone make no table, and one that failed has said so itself.
  if (!installed || drivers.some(({ name }) => table.get(name)?.size !== columns.length)) return;
  if (process.env.UPDATE_DOCS === "1") await writeFile(documentAt, documentOf());
  else expect(await readFile(documentAt, "utf8")).toBe(documentOf());
});
