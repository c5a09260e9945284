import { expect, test } from "vitest";
import type { ExchangeEnd, RelayMeter } from "../../src/relay/exchange.ts";
import { noticingRateLimits } from "../../src/watch/app-rate-limits.ts";

test("an app that is told to ask less is noticed on any exchange of its subject, and still counted", () => {
  const finished: string[] = [];
  const noticed: string[] = [];
  const meter: RelayMeter = {
    requestStarted: () => {},
    requestFinished: (subject, _, { status }) => void finished.push(`${subject} ${status}`),
    requestRefused: () => {},
    bytes: () => {},
  };
  const watched = noticingRateLimits(meter, new Map([["bot", { noteRateLimited: () => void noticed.push("bot") }]]));
  const end = (status: number): ExchangeEnd => ({ outcome: "complete", status, contentType: "", durationMs: 1 });
  for (const [subject, status] of [
    ["bot", 200],
    ["bot", 429],
    ["other", 429],
  ] as const) {
    watched.requestFinished(subject, "chat", end(status), { firstByteMs: null, overheadMs: 0 });
  }
  expect(finished).toEqual(["bot 200", "bot 429", "other 429"]);
  expect(noticed).toEqual(["bot"]);
});
