import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import type { LiveConversation } from "../../src/probe/conversations.ts";
import { requestTemplate } from "../../src/probe/request-template.ts";
import { bankable, createConversationBank } from "../../src/watch/conversation-bank.ts";
import { handTurnedClock } from "./hand-turned-clock.ts";

const saying = (text: string, size = 1): LiveConversation => ({
  turns: [
    { role: "user", text },
    { role: "assistant", text: "x".repeat(size - text.length) },
  ],
  parameters: {},
  headers: {},
});

const bankOf = (limits = { conversations: 3, characters: 100, ageMs: 1_000 }) => {
  const clock = handTurnedClock();
  const bank = createConversationBank({ clock, random: seededRandom(1), limits });
  const known = () =>
    new Set(Array.from({ length: 200 }, () => bank.recent()?.turns[0]?.text).filter((text) => text !== undefined));
  return { bank, clock, known };
};

describe("the conversation bank", () => {
  test("knows nothing at first", () => {
    const { bank } = bankOf();
    expect(bank.recent()).toBeNull();
    expect(bank.lastTrafficAt()).toBeNull();
  });

  test("gives any of the conversations that it keeps", () => {
    const { bank, known } = bankOf();
    for (const text of ["a", "b", "c"]) bank.keep(saying(text, 1));
    expect(known()).toEqual(new Set(["a", "b", "c"]));
  });

  test("lets the oldest go when there are too many", () => {
    const { bank, known } = bankOf();
    for (const text of ["a", "b", "c", "d", "e"]) bank.keep(saying(text, 1));
    expect(known()).toEqual(new Set(["c", "d", "e"]));
  });

  test("lets the oldest go when they are too large together", () => {
    const { bank, known } = bankOf();
    bank.keep(saying("a", 50));
    bank.keep(saying("b", 50));
    bank.keep(saying("c", 20));
    expect(known()).toEqual(new Set(["b", "c"]));
  });

  test("does not empty itself for one that it could never hold", () => {
    const { bank, known } = bankOf();
    bank.keep(saying("a", 50));
    bank.keep(saying("b", 101));
    expect(known()).toEqual(new Set(["a"]));
  });

  test("forgets with time, and the callers' keys with it", () => {
    const { bank, clock, known } = bankOf();
    bank.keep(saying("a", 1));
    clock.turn(600);
    bank.keep(saying("b", 1));
    clock.turn(400);
    expect(known()).toEqual(new Set(["b"]));
    clock.turn(600);
    expect(bank.recent()).toBeNull();
  });

  test("knows when the app called last", () => {
    const { bank, clock } = bankOf();
    clock.turn(5);
    bank.noteTraffic();
    clock.turn(5);
    expect(bank.lastTrafficAt()).toBe(5);
  });
});

describe("the rhythm of the app's calls", () => {
  test("is the last pauses between them", () => {
    const { bank, clock } = bankOf();
    bank.noteTraffic();
    for (let call = 1; call <= 70; call += 1) {
      clock.turn(call);
      bank.noteTraffic();
    }
    expect(bank.rhythm.pauses()).toEqual(Array.from({ length: 64 }, (_, place) => place + 7));
  });

  test("tells of the next call once, and not who no longer wants to know", () => {
    const { bank } = bankOf();
    const told: string[] = [];
    bank.rhythm.atNextCall(() => told.push("first"));
    bank.rhythm.atNextCall(() => told.push("second"))();
    bank.noteTraffic();
    bank.noteTraffic();
    expect(told).toEqual(["first"]);
  });

  test("who asks again while told is told at the call after", () => {
    const { bank } = bankOf();
    let told = 0;
    const again = (): void => {
      told += 1;
      bank.rhythm.atNextCall(again);
    };
    bank.rhythm.atNextCall(again);
    bank.noteTraffic();
    expect(told).toBe(1);
    bank.noteTraffic();
    expect(told).toBe(2);
  });
});

test("a template counts in the size of a conversation", () => {
  const { bank } = bankOf();
  const body = Buffer.from(JSON.stringify({ model: "m".repeat(90), messages: [{ role: "user", content: "a" }] }));
  const template = requestTemplate({ path: "/chat/completions", search: "", rawHeaders: [], body });
  bank.keep({ ...saying("a", 10), template });
  expect(bank.recent()).toBeNull();
});

test("only headers that make a call look like the app's are imitated", () => {
  const headers = {
    accept: "application/json",
    "accept-language": "de",
    "user-agent": "app/1",
    "x-stainless-lang": "js",
    "openai-organization": "o",
    "openai-project": "p",
    "openai-beta": "assistants=v2",
    authorization: "Bearer k",
    "api-key": "k",
    "x-api-key": "k",
    cookie: "c=1",
    host: "candor",
    "content-length": "7",
    "x-request-id": "1",
    "x-forwarded-for": "10.0.0.1",
    "set-cookie": ["a"],
  };
  const request = { model: "m", stream: false, parameters: {}, turns: [{ role: "user" as const, text: "a" }] };
  const conversation = bankable(request, [{ prompt: "a", text: "b", refusal: null }], headers, "billing");
  expect(Object.keys(conversation?.headers ?? {}).sort()).toEqual([
    "accept",
    "accept-language",
    "api-key",
    "authorization",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "user-agent",
    "x-api-key",
    "x-stainless-lang",
  ]);
});
