/** One span for each exchange, by the semantic conventions for generative AI. */
import type { Decision } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { DecidedExchange, ExchangeEnd, ExchangeStart } from "../relay/exchange.ts";
import type { ExchangeRecord, Trace } from "./exchange-records.ts";
import type { Operation } from "./operation.ts";
import { isSampled, newSpanId, newTraceId, readTraceParent, type Span } from "./span.ts";

interface Options {
  /** Where the upstream of each subject is. */
  servers: ReadonlyMap<string, { address: string; port: number }>;
  /** 0-1. */
  sampleShare: number;
  emit(span: Span): void;
  clock: Pick<Clock, "now">;
  random: Random;
}

export interface ExchangeSpans {
  traceOf(headers: ExchangeStart["requestHeaders"]): Trace | null;
  /** Of an exchange that is traced. */
  ended(record: ExchangeRecord): void;
  refused(exchange: DecidedExchange, decision: Decision): void;
}

const attributesOfDecision = ({ stage, action, policy, coverage }: Decision): Span["attributes"] => ({
  [`candor.decision.${stage}.action`]: action,
  ...(policy === null ? {} : { [`candor.decision.${stage}.policy`]: policy }),
  [`candor.decision.${stage}.coverage`]: coverage,
});

/** What went wrong, as in `error.type`; null where nothing did. */
export const errorOf = ({ outcome, status }: ExchangeEnd): string | null => {
  if (outcome !== "complete") return outcome;
  return status >= 400 ? String(status) : null;
};

const attributesOfOperation = ({ name, provider, model, tokens }: Operation): Span["attributes"] => ({
  "gen_ai.operation.name": name,
  "gen_ai.provider.name": provider,
  ...(model === null ? {} : { "gen_ai.request.model": model }),
  ...(tokens === null
    ? {}
    : { "gen_ai.usage.input_tokens": tokens.input, "gen_ai.usage.output_tokens": tokens.output }),
});

export const createExchangeSpans = ({ servers, sampleShare, emit, clock, random }: Options): ExchangeSpans => ({
  traceOf(headers) {
    const parent = readTraceParent(headers.traceparent);
    const traceId = parent?.traceId ?? newTraceId(random);
    return isSampled(traceId, parent, sampleShare) ? { traceId, parentSpanId: parent?.spanId ?? null } : null;
  },

  ended({ id, subject, route, operation, end, timings, endedAt, trace, decisions }) {
    if (trace === null) return;
    const error = errorOf(end);
    const server = subject === null ? undefined : servers.get(subject);
    emit({
      name: operation === null ? `candor ${route}` : [operation.name, operation.model].filter(Boolean).join(" "),
      kind: "client",
      ...trace,
      spanId: newSpanId(random),
      startedAt: endedAt - end.durationMs,
      durationMs: end.durationMs,
      attributes: {
        ...(operation === null ? {} : attributesOfOperation(operation)),
        ...(subject === null ? {} : { "candor.subject": subject }),
        ...(server === undefined ? {} : { "server.address": server.address, "server.port": server.port }),
        ...(end.status === 0 ? {} : { "http.response.status_code": end.status }),
        ...(error === null ? {} : { "error.type": error }),
        "candor.exchange.id": id,
        "candor.route": route,
        "candor.outcome": end.outcome,
        "candor.overhead_ms": timings.overheadMs,
        ...(timings.firstByteMs === null ? {} : { "candor.first_byte_ms": timings.firstByteMs }),
        ...Object.assign({}, ...decisions.map(attributesOfDecision)),
      },
      failed: error !== null,
    });
  },

  refused({ id, subject }, decision) {
    const traceId = newTraceId(random);
    if (!isSampled(traceId, null, sampleShare)) return;
    const durationMs = decision.tookMs ?? 0;
    emit({
      name: "candor refuse",
      kind: "internal",
      traceId,
      spanId: newSpanId(random),
      parentSpanId: null,
      startedAt: clock.now() - durationMs,
      durationMs,
      attributes: {
        ...(subject === null ? {} : { "candor.subject": subject }),
        "candor.exchange.id": id,
        "error.type": "blocked",
        ...attributesOfDecision(decision),
      },
      failed: true,
    });
  },
});
