/** Spans of what Candor does beside the traffic: probes and judgements. Each is a trace of its own; none tells what was said. */
import type { JudgingMeter } from "../classify/cached.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Ask } from "../probe/asking.ts";
import { isSampled, newSpanId, newTraceId, type Span } from "./span.ts";

interface Options {
  /** 0-1. */
  sampleShare: number;
  emit(span: Span): void;
  clock: Pick<Clock, "now" | "monotonic">;
  random: Random;
}

export interface OwnSpans {
  probing(subject: string, ask: Ask): Ask;
  judging(meter: JudgingMeter): JudgingMeter;
}

export const createOwnSpans = ({ sampleShare, emit, clock, random }: Options): OwnSpans => {
  const tell = (
    parts: Pick<Span, "name" | "kind" | "durationMs">,
    error: string | null,
    attributes: Span["attributes"],
  ): void => {
    const traceId = newTraceId(random);
    if (!isSampled(traceId, null, sampleShare)) return;
    emit({
      ...parts,
      traceId,
      spanId: newSpanId(random),
      parentSpanId: null,
      startedAt: clock.now() - parts.durationMs,
      attributes: { ...attributes, ...(error === null ? {} : { "error.type": error }) },
      failed: error !== null,
    });
  };
  return {
    probing: (subject, ask) => async (question, signal) => {
      const began = clock.monotonic();
      const reply = await ask(question, signal);
      const durationMs = clock.monotonic() - began;
      const tokens =
        reply.kind === "answered"
          ? { "gen_ai.usage.input_tokens": reply.tokens.prompt, "gen_ai.usage.output_tokens": reply.tokens.completion }
          : {};
      tell({ name: "candor probe", kind: "client", durationMs }, reply.kind === "failed" ? reply.reason : null, {
        "candor.subject": subject,
        ...tokens,
      });
      return reply;
    },
    judging: (meter) => ({
      ...meter,
      judged(judgement, durationMs) {
        meter.judged(judgement, durationMs);
        tell(
          { name: "candor judge", kind: "internal", durationMs },
          judgement.kind === "judged" ? null : judgement.reason,
          {
            "candor.classifier": judgement.source,
          },
        );
      },
    }),
  };
};
