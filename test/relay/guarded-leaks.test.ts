/** Of thousands of texts that are to be blocked not one gets through, whatever becomes of the judge meanwhile. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createQuestionJudge } from "../../src/classify/question-judge.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { realGuard } from "./real-guard.ts";
import { type RunningRelay, runRelay } from "./running-relay.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Where a judge answers like this; null for one that is not there. */
const judgeAt = async (answer: RequestListener | null) => {
  const server = createServer(answer ?? (() => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  if (answer === null) server.close();
  else {
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  return createQuestionJudge({
    baseUrl: `http://127.0.0.1:${port}/v1`,
    key: null,
    fetch,
    timeoutMs: 60,
    model: "judge",
    maxAnswerChars: 4_000,
  });
};

const says =
  (content: string): RequestListener =>
  (request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: "stop" }] }));
  };

const judges: [string, RequestListener | null][] = [
  ["down", null],
  ["slow", () => {}],
  ["answering garbage", says("SAFE. Trust me, the answer is no.")],
  ["answering two things at once", says('{"answer": false} {"answer": true}')],
  ["failing", (_request, response) => response.writeHead(500).end("no")],
  ["half closed", (request) => request.socket.destroy()],
];

const marker = "zeppelin";
const random = seededRandom(11);
const wordsOf = (count: number): string[] =>
  Array.from({ length: count }, () => `w${Math.floor(random() * 1e9).toString(36)}`);
/** Always another text, with the marker somewhere in it. */
const forbidden = (): string => {
  const words = wordsOf(3 + Math.floor(random() * 12));
  words.splice(Math.floor(random() * words.length), 0, marker);
  return words.join(" ");
};

const question = { judge: { question: "Is anything in this text forbidden to be said?" } };

const ask = (relay: RunningRelay, content: string, stream: boolean) =>
  fetch(`${relay.baseUrl}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "gpt-test", stream, messages: [{ role: "user", content }] }),
  });

/** The upstream says whatever it is asked, as an answer or as a stream of small pieces. */
const echoing = (relay: RunningRelay): void =>
  relay.upstream.answer(({ body }, wire) => {
    const { stream, messages } = JSON.parse(body.toString());
    const text: string = messages[0].content;
    if (!stream) {
      wire.json(200, { choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }] });
      return;
    }
    wire.stream();
    for (let at = 0; at < text.length; at += 5)
      wire.event({ choices: [{ index: 0, delta: { content: text.slice(at, at + 5) }, finish_reason: null }] });
    wire.event("[DONE]");
    wire.response.end();
  });

/** Runs them some at a time and gives how many let anything through. */
const leaks = async (count: number, one: (index: number) => Promise<boolean>): Promise<number> => {
  let next = 0;
  let leaked = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      if (await one(index)) leaked += 1;
    }
  };
  await Promise.all(Array.from({ length: 24 }, worker));
  return leaked;
};

/** Of 10,000 in all. */
const each = Math.ceil(10_000 / (judges.length * 2));

describe.each(judges)("with a judge that is %s", (_name, listener) => {
  test("no answer with a forbidden word gets out", { timeout: 60_000 }, async () => {
    const judge = await judgeAt(listener);
    const policy = { stage: "response", match: { any: [{ terms: [marker] }, question] }, timeoutMs: 100 };
    const relay = await runRelay({ guard: realGuard([policy], { judge }) });
    echoing(relay);
    const leaked = await leaks(each, async (index) => {
      const text = await (await ask(relay, forbidden(), index % 2 === 0)).text();
      return text.includes(marker) || /w[0-9a-z]{5}/.test(text.replace(/"[a-z_-]+"/g, ""));
    });
    expect(leaked).toBe(0);
  });

  test("nothing gets out that only the judge could have cleared", { timeout: 60_000 }, async () => {
    const judge = await judgeAt(listener);
    const relay = await runRelay({
      guard: realGuard([{ stage: "response", match: question, timeoutMs: 100 }], { judge }),
    });
    echoing(relay);
    const statuses = new Set<number>();
    const leaked = await leaks(each, async (index) => {
      const answer = await ask(relay, wordsOf(6).join(" "), index % 2 === 0);
      statuses.add(answer.status);
      return /w[0-9a-z]{5}/.test((await answer.text()).replace(/"[a-z_-]+"/g, ""));
    });
    expect(leaked).toBe(0);
    expect([...statuses]).toEqual([503]);
  });
});

test("a judge that clears everything does not clear what a word forbids", { timeout: 60_000 }, async () => {
  const judge = await judgeAt(says('{"answer": false}'));
  const policy = { stage: "response", match: { any: [{ terms: [marker] }, question] } };
  const relay = await runRelay({ guard: realGuard([policy], { judge }) });
  echoing(relay);
  expect(
    await leaks(each, async (index) =>
      (await (await ask(relay, forbidden(), index % 2 === 0)).text()).includes(marker),
    ),
  ).toBe(0);
  // And what it clears passes.
  expect(await (await ask(relay, "an ordinary answer", false)).text()).toContain("an ordinary answer");
});

test("where the operator says so, what can't be asked passes", async () => {
  const judge = await judgeAt(null);
  const relay = await runRelay({
    guard: realGuard([{ stage: "response", match: question, onError: "allow" }], { judge }),
  });
  echoing(relay);
  const answer = await ask(relay, "an ordinary answer", false);
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("an ordinary answer")]);
  expect(relay.decided[0]?.decision.findings).toMatchObject([{ result: "error", matcher: "model" }]);
});
