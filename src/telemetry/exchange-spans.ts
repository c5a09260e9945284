/**
 * One span for each exchange, by the semantic conventions for generative AI, from what the relay tells its observers.
 * Wraps these; on the hot path it keeps references and numbers, and puts the span together once the exchange is over.
 */
import { readAnswer, readRequest } from "../dialect/dialect.ts";
import { type Decision, denies } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type {
  AnswerRecorder,
  DecidedExchange,
  DecisionObserver,
  ExchangeEnd,
  ExchangeObserver,
  ExchangeStart,
  RelayMeter,
} from "../relay/exchange.ts";
import { isSampled, newSpanId, newTraceId, readTraceParent, type Span } from "./span.ts";

interface Options {
  /** What is known of a subject; nothing for traffic of none. */
  subjects: ReadonlyMap<string, { models: readonly string[]; serverAddress: string; serverPort: number }>;
  /** 0-1. */
  sampleShare: number;
  emit(span: Span): void;
  clock: Pick<Clock, "now">;
  random: Random;
}

export interface ExchangeSpans {
  observing(observer: ExchangeObserver): ExchangeObserver;
  deciding(decisions: DecisionObserver): DecisionObserver;
  metering(meter: RelayMeter): RelayMeter;
}

type Timings = Parameters<RelayMeter["requestFinished"]>[3];

interface Traced {
  exchange: ExchangeStart;
  traceId: string;
  parentSpanId: string | null;
  /** Of the answer, as far as it is kept; null once there was too much of it. */
  chunks: Buffer[] | null;
  bytes: number;
}

const operations: Record<string, string> = {
  "/chat/completions": "chat",
  "/messages": "chat",
  "/responses": "chat",
  "/completions": "text_completion",
  "/embeddings": "embeddings",
};

/** Of larger answers the tokens are not told. */
const keptAnswerBytes = 128 * 1024;
/** Exchanges whose decisions are remembered until their end. */
const mostDecided = 10_000;

const attributesOfDecision = ({ stage, action, policy, coverage }: Decision): Span["attributes"] => ({
  [`candor.decision.${stage}.action`]: action,
  ...(policy === null ? {} : { [`candor.decision.${stage}.policy`]: policy }),
  [`candor.decision.${stage}.coverage`]: coverage,
});

/** What went wrong, as in `error.type`; null where nothing did. */
const errorOf = ({ outcome, status }: ExchangeEnd): string | null => {
  if (outcome !== "complete") return outcome;
  return status >= 400 ? String(status) : null;
};

export const createExchangeSpans = ({ subjects, sampleShare, emit, clock, random }: Options): ExchangeSpans => {
  const decided = new Map<string, Span["attributes"]>();
  /** The relay tells of one exchange's end twice, one right after the other: first its observer, then its meter. */
  let ended: Traced | null = null;

  const common = (subject: string | null, path: string): Span["attributes"] => {
    const known = subject === null ? undefined : subjects.get(subject);
    return {
      "gen_ai.operation.name": operations[path] ?? "chat",
      "gen_ai.provider.name": path === "/messages" ? "anthropic" : "openai",
      ...(subject === null ? {} : { "candor.subject": subject }),
      ...(known === undefined ? {} : { "server.address": known.serverAddress, "server.port": known.serverPort }),
    };
  };

  /** Only of names that are configured: what a client calls a model is the client's own text. */
  const modelOf = ({ subject, path, requestBody }: ExchangeStart): string | null => {
    const models = (subject === null ? undefined : subjects.get(subject)?.models) ?? [];
    if (models.length <= 1) return models[0] ?? null;
    const named = readRequest(path, requestBody)?.model ?? null;
    return named !== null && models.includes(named) ? named : null;
  };

  const tokensOf = ({ exchange, chunks }: Traced, end: ExchangeEnd): Span["attributes"] => {
    if (chunks === null || end.contentEncoding !== undefined || end.outcome !== "complete") return {};
    const usage = readAnswer(exchange.path, end.contentType, Buffer.concat(chunks))?.usage ?? null;
    if (usage === null) return {};
    return { "gen_ai.usage.input_tokens": usage.promptTokens, "gen_ai.usage.output_tokens": usage.completionTokens };
  };

  const finish = (traced: Traced, end: ExchangeEnd, timings: Timings, endedAt: number): void => {
    const { exchange, traceId, parentSpanId } = traced;
    const model = modelOf(exchange);
    const error = errorOf(end);
    const attributes: Span["attributes"] = {
      ...common(exchange.subject, exchange.path),
      ...(model === null ? {} : { "gen_ai.request.model": model }),
      ...tokensOf(traced, end),
      ...(end.status === 0 ? {} : { "http.response.status_code": end.status }),
      ...(error === null ? {} : { "error.type": error }),
      "candor.exchange.id": exchange.id,
      "candor.route": exchange.path,
      "candor.outcome": end.outcome,
      "candor.overhead_ms": timings.overheadMs,
      ...(timings.firstByteMs === null ? {} : { "candor.first_byte_ms": timings.firstByteMs }),
      ...decided.get(exchange.id),
    };
    decided.delete(exchange.id);
    emit({
      name: [attributes["gen_ai.operation.name"], model].filter((part) => part !== null).join(" "),
      kind: "client",
      traceId,
      spanId: newSpanId(random),
      parentSpanId,
      startedAt: endedAt - end.durationMs,
      durationMs: end.durationMs,
      attributes,
      failed: error !== null,
    });
  };

  const begin = (exchange: ExchangeStart): Traced | null => {
    const parent = readTraceParent(exchange.requestHeaders.traceparent);
    const traceId = parent?.traceId ?? newTraceId(random);
    if (!isSampled(traceId, parent, sampleShare)) return null;
    return { exchange, traceId, parentSpanId: parent?.spanId ?? null, chunks: [], bytes: 0 };
  };

  const recorderOf = (traced: Traced, inner: AnswerRecorder | null): AnswerRecorder => ({
    chunk(bytes) {
      inner?.chunk(bytes);
      traced.bytes += bytes.length;
      if (traced.bytes > keptAnswerBytes) traced.chunks = null;
      else traced.chunks?.push(bytes);
    },
    end(end) {
      ended = traced;
      inner?.end(end);
    },
  });

  /** A request that a policy refuses ends there: nobody observes it or meters its end. */
  const refused = ({ id, subject }: DecidedExchange, decision: Decision): void => {
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
  };

  return {
    observing: (observer) => ({
      begin(exchange) {
        const inner = observer.begin(exchange);
        const traced = begin(exchange);
        if (traced !== null) return recorderOf(traced, inner);
        decided.delete(exchange.id);
        return inner;
      },
    }),
    deciding: (decisions) => ({
      decided(exchange, decision) {
        decisions.decided(exchange, decision);
        if (decision.stage === "request" && denies(decision.action)) return refused(exchange, decision);
        const [oldest] = decided.size < mostDecided ? [] : decided.keys();
        if (oldest !== undefined) decided.delete(oldest);
        decided.set(exchange.id, { ...decided.get(exchange.id), ...attributesOfDecision(decision) });
      },
    }),
    metering: (meter) => ({
      ...meter,
      requestFinished(subject, route, end, timings) {
        meter.requestFinished(subject, route, end, timings);
        const traced = ended;
        ended = null;
        if (traced === null) return;
        const endedAt = clock.now();
        setImmediate(() => finish(traced, end, timings, endedAt));
      },
    }),
  };
};
