import { expect, it } from "vitest";
import type { Reply } from "../../src/probe/asking.ts";
import { createOwnSpans } from "../../src/telemetry/own-spans.ts";
import type { Span } from "../../src/telemetry/span.ts";
import { createHandClock } from "../probe/hand-clock.ts";

const question = { turns: [{ role: "user" as const, text: "what was asked" }], parameters: {}, headers: {} };

const world = (sampleShare = 1) => {
  const clock = createHandClock();
  const spans: Span[] = [];
  const own = createOwnSpans({ sampleShare, emit: (span) => void spans.push(span), clock, random: () => 0.5 });
  const ask = async (reply: Reply): Promise<Reply> =>
    own.probing("support", async () => {
      clock.jump(120);
      return reply;
    })(question, new AbortController().signal);
  return { clock, spans, own, ask };
};

const answered: Reply = { kind: "answered", text: "what was said", tokens: { prompt: 9, completion: 4 } };
const failed: Reply = { kind: "failed", reason: "rate-limited", retryAfterMs: null, detail: "what the server said" };

it("a probe is a span of its own trace, with its tokens and nothing that was said", async () => {
  const { spans, ask, clock } = world();
  expect(await ask(answered)).toBe(answered);
  expect(spans).toMatchObject([
    {
      name: "candor probe",
      parentSpanId: null,
      startedAt: clock.now() - 120,
      durationMs: 120,
      failed: false,
      attributes: { "candor.subject": "support", "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 4 },
    },
  ]);
  expect(JSON.stringify(spans)).not.toContain("what was");
});

it("a probe that failed says why, by kind alone", async () => {
  const { spans, ask } = world();
  await ask(failed);
  expect(spans).toMatchObject([{ failed: true, attributes: { "error.type": "rate-limited" } }]);
  expect(JSON.stringify(spans)).not.toContain("what the server");
});

it("what is not of the share has no span, and is asked all the same", async () => {
  const { spans, ask } = world(0);
  expect(await ask(answered)).toBe(answered);
  expect(spans).toEqual([]);
});

it("a judgement is told to the meter and has a span", () => {
  const { own, spans } = world();
  const told: unknown[] = [];
  const meter = own.judging({ judged: (...parts) => void told.push(parts), cacheHit: () => void told.push("hit") });
  const judgement = { kind: "error", reason: "timeout", source: "judge-v1", detail: "d" } as never;
  meter.judged(judgement, 40);
  meter.cacheHit("judge-v1");
  expect(told).toEqual([[judgement, 40], "hit"]);
  expect(spans).toMatchObject([
    { name: "candor judge", durationMs: 40, attributes: { "candor.classifier": "judge-v1", "error.type": "timeout" } },
  ]);
});
