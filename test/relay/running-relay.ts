/** A relay on real sockets between a test and its mock upstream, with everything it reports kept for the test to read. */
import { connect } from "node:net";
import { afterEach } from "vitest";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { createEgress } from "../../src/egress/egress.ts";
import type { Decision, Guard } from "../../src/guard/guard.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Log } from "../../src/kernel/log.ts";
import type {
  DecidedExchange,
  ExchangeEnd,
  ExchangeObserver,
  ExchangeStart,
  RelayMeter,
} from "../../src/relay/exchange.ts";
import type { Holding } from "../../src/relay/guarded-answer.ts";
import { createRelay, type Relay } from "../../src/relay/relay.ts";
import { type MockUpstream, startMockUpstream } from "./mock-upstream.ts";

type Input = Parameters<typeof configSchema.parse>[0];

interface Copy {
  start: ExchangeStart;
  chunks: Buffer[];
  end: ExchangeEnd | null;
}

interface Finished {
  subject: string;
  route: string;
  end: ExchangeEnd;
  timings: { firstByteMs: number | null; overheadMs: number };
}

export interface RunningRelay {
  relay: Relay;
  port: number;
  origin: string;
  baseUrl: string;
  upstream: MockUpstream;
  copies: Copy[];
  finished: Finished[];
  refused: { route: string; reason: string }[];
  inFlight(): number;
  bytes: { up: number; down: number };
  logged: unknown[][];
  /** What was decided and carried out, in order. */
  decided: { exchange: DecidedExchange; decision: Decision }[];
}

interface Setup {
  config?: (upstream: MockUpstream) => Record<string, unknown>;
  keys?: ReadonlyMap<string, string>;
  observer?: ExchangeObserver;
  guard?: Guard;
  holding?: Partial<Holding>;
}

const defaultHolding: Holding = {
  answerBytes: 8 * 1024 * 1024,
  streamBytes: 1024 * 1024,
  keepAliveMs: 10_000,
  lastEvent: "done",
};

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Everything it starts is ended after the test. */
export const runRelay = async ({
  config,
  keys = new Map(),
  observer,
  guard,
  holding,
}: Setup = {}): Promise<RunningRelay> => {
  const upstream = await startMockUpstream();
  const settings: Config = configSchema.parse({
    upstreams: [{ id: "main", baseUrl: upstream.baseUrl }],
    subjects: [{ id: "support-bot", models: ["gpt-test"] }],
    drain: { minSeconds: 0, timeoutSeconds: 0 },
    ...config?.(upstream),
  } satisfies Record<string, unknown> as Input);

  const copies: Copy[] = [];
  const copying: ExchangeObserver = {
    begin(start) {
      const copy: Copy = { start, chunks: [], end: null };
      copies.push(copy);
      return {
        chunk: (bytes) => void copy.chunks.push(bytes),
        end(end) {
          copy.end = end;
        },
      };
    },
  };
  const finished: Finished[] = [];
  const refused: RunningRelay["refused"] = [];
  const bytes = { up: 0, down: 0 };
  let inFlight = 0;
  const meter: RelayMeter = {
    requestStarted() {
      inFlight += 1;
    },
    requestFinished(subject, route, end, timings) {
      inFlight -= 1;
      finished.push({ subject, route, end, timings });
    },
    requestRefused: (route, reason) => void refused.push({ route, reason }),
    bytes(direction, count) {
      bytes[direction] += count;
    },
  };
  const decided: RunningRelay["decided"] = [];
  const logged: unknown[][] = [];
  const note = (...line: unknown[]): void => void logged.push(line);
  const log = { debug: note, info: note, warn: note, error: note } as Log;

  const egress = createEgress(settings.upstreams, { requestHeaders: settings.relay.requestHeaders });
  const relay = createRelay({ ...settings, meter, clock: systemClock, log });
  relay.use(
    relay.prepare({
      ...settings,
      egress,
      keys,
      ...(guard === undefined ? {} : { guard }),
      holding: { ...defaultHolding, ...holding },
      observer: observer ?? copying,
      decisions: { decided: (exchange, decision) => void decided.push({ exchange, decision }) },
      meter,
    }),
  );
  const { port } = await relay.listen("127.0.0.1", 0);
  endings.push(
    () => upstream.close(),
    () => egress.close(),
    () => relay.close(),
  );
  const origin = `http://127.0.0.1:${port}`;
  return {
    relay,
    port,
    origin,
    baseUrl: `${origin}/v1`,
    upstream,
    copies,
    finished,
    refused,
    inFlight: () => inFlight,
    bytes,
    logged,
    decided,
  };
};

/** Waits until `holds` does; for what happens on another socket. */
export const until = async (holds: () => boolean, patienceMs = 5_000): Promise<void> => {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > patienceMs) throw new Error(`still not so after ${patienceMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

/** Sends bytes as they are and gives what came back until the connection closed, or until `enough` of it has. */
export const rawExchange = (
  port: number,
  bytes: string | Buffer,
  enough: (text: string) => boolean = () => false,
): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (enough(text)) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });

/** A raw request with a JSON body. */
export const chatRequest = (body: string, headers: readonly string[] = []): string =>
  [
    "POST /v1/chat/completions HTTP/1.1",
    "host: app",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body,
  ].join("\r\n");
