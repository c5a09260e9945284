/**
 * What is told of each exchange once it is over, from what the relay tells its observers. Wraps these; on the hot path it
 * keeps references and numbers, and puts the record together afterwards. Holds configured names, numbers and outcomes.
 */
import { readAnswer, readRequest } from "../dialect/dialect.ts";
import { type Decision, denies } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type {
  AnswerRecorder,
  DecidedExchange,
  DecisionObserver,
  ExchangeEnd,
  ExchangeObserver,
  ExchangeStart,
  RelayMeter,
  UnreadExchange,
} from "../relay/exchange.ts";
import type { Operation } from "./operation.ts";

type Timings = Parameters<RelayMeter["requestFinished"]>[3];

/** Where its span belongs. */
export interface Trace {
  traceId: string;
  /** Null for the first of its trace. */
  parentSpanId: string | null;
}

export interface ExchangeRecord {
  id: string;
  subject: string | null;
  /** The path below the base URL; of what was passed on unread the route's name. */
  route: string;
  /** Null for what was passed on unread. */
  operation: Operation | null;
  /** As the client got it. */
  end: ExchangeEnd;
  timings: Timings;
  /** Wall clock, milliseconds since 1970. */
  endedAt: number;
  /** Null where the exchange is not of the share that is traced. */
  trace: Trace | null;
  /** At most one for each stage. */
  decisions: readonly Decision[];
}

interface Options {
  /** Names of the models of each subject. */
  models: ReadonlyMap<string, readonly string[]>;
  /** Decides about an exchange as it begins. */
  traceOf(headers: ExchangeStart["requestHeaders"]): Trace | null;
  /** Whether a record is wanted of what is not traced as well. */
  always: boolean;
  tell(record: ExchangeRecord): void;
  /** A request that a policy refuses ends there: nobody observes it or meters its end. */
  refused(exchange: DecidedExchange, decision: Decision): void;
  clock: Pick<Clock, "now">;
}

export interface ExchangeRecords {
  observing(observer: ExchangeObserver): ExchangeObserver;
  deciding(decisions: DecisionObserver): DecisionObserver;
  metering(meter: RelayMeter): RelayMeter;
}

interface Followed {
  begun: ({ kind: "read" } & ExchangeStart) | ({ kind: "unread" } & UnreadExchange);
  trace: Trace | null;
  /** Of the answer, as far as it is kept; null once there was too much of it. */
  chunks: Buffer[] | null;
  bytes: number;
}

const operations: Readonly<Record<string, Operation["name"]>> = {
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

export const createExchangeRecords = (options: Options): ExchangeRecords => {
  const { models, traceOf, always, tell, refused, clock } = options;
  const decided = new Map<string, Decision[]>();
  /** The relay tells of one exchange's end twice, one right after the other: first its observer, then its meter. */
  let ended: Followed | null = null;

  /** Only of names that are configured: what a client calls a model is the client's own text. */
  const modelOf = ({ subject, path, requestBody }: ExchangeStart): string | null => {
    const configured = (subject === null ? undefined : models.get(subject)) ?? [];
    if (configured.length <= 1) return configured[0] ?? null;
    const named = readRequest(path, requestBody)?.model ?? null;
    return named !== null && configured.includes(named) ? named : null;
  };

  const tokensOf = (path: string, chunks: Buffer[] | null, end: ExchangeEnd): Operation["tokens"] => {
    if (chunks === null || end.contentEncoding !== undefined || end.outcome !== "complete") return null;
    const usage = readAnswer(path, end.contentType, Buffer.concat(chunks))?.usage ?? null;
    return usage === null ? null : { input: usage.promptTokens, output: usage.completionTokens };
  };

  const finish = ({ begun, trace, chunks }: Followed, end: ExchangeEnd, timings: Timings, endedAt: number): void => {
    const decisions = decided.get(begun.id) ?? [];
    decided.delete(begun.id);
    const common = { id: begun.id, end, timings, endedAt, trace, decisions };
    if (begun.kind === "unread") {
      tell({ ...common, subject: null, route: begun.route, operation: null });
      return;
    }
    const { subject, path } = begun;
    const operation: Operation = {
      name: operations[path] ?? "chat",
      provider: path === "/messages" ? "anthropic" : "openai",
      model: modelOf(begun),
      tokens: tokensOf(path, chunks, end),
    };
    tell({ ...common, subject, route: path, operation });
  };

  const follow = (begun: Followed["begun"], inner: AnswerRecorder | null): AnswerRecorder | null => {
    const trace = traceOf(begun.requestHeaders);
    if (trace === null && !(always && begun.kind === "read")) {
      decided.delete(begun.id);
      return inner;
    }
    const followed: Followed = { begun, trace, chunks: begun.kind === "read" ? [] : null, bytes: 0 };
    return {
      chunk(bytes) {
        inner?.chunk(bytes);
        followed.bytes += bytes.length;
        if (followed.bytes > keptAnswerBytes) followed.chunks = null;
        else followed.chunks?.push(bytes);
      },
      end(end) {
        ended = followed;
        inner?.end(end);
      },
    };
  };

  return {
    observing: (observer) => ({
      begin: (exchange) => follow({ kind: "read", ...exchange }, observer.begin(exchange)),
      beginUnread: (exchange) => follow({ kind: "unread", ...exchange }, observer.beginUnread?.(exchange) ?? null),
    }),
    deciding: (decisions) => ({
      decided(exchange, decision) {
        decisions.decided(exchange, decision);
        if (decision.stage === "request" && denies(decision.action)) {
          refused(exchange, decision);
          return;
        }
        const [oldest] = decided.size < mostDecided ? [] : decided.keys();
        if (oldest !== undefined) decided.delete(oldest);
        decided.set(exchange.id, [...(decided.get(exchange.id) ?? []), decision]);
      },
    }),
    metering: (meter) => ({
      ...meter,
      requestFinished(subject, route, end, timings) {
        meter.requestFinished(subject, route, end, timings);
        const followed = ended;
        ended = null;
        if (followed === null) return;
        const endedAt = clock.now();
        setImmediate(() => finish(followed, end, timings, endedAt));
      },
    }),
  };
};
