/** Rows 1 to 5 of the fault matrix: what an upstream does wrong. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { form } from "../e2e/running-candor.ts";
import { chatRequest, rawExchange, runRelay, until } from "../relay/running-relay.ts";
import { isFull, ms, quantile, report, sized } from "./measured.ts";
import { metricIn, type RealCandor, serveReal, startUpstream } from "./real-candor.ts";

const stream = chatRequest('{"model":"gpt-test","stream":true}', ["connection: close"]);
const whole = chatRequest('{"model":"gpt-test"}', ["connection: close"]);

/** Accepts connections and never says a word. */
const startMute = async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, accepted: () => accepted };
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
};

/** Streams so many times at once; gives what came and how long each took from its first event on, in milliseconds. */
const streamTimed = async (port: number, count: number) => {
  const texts: string[] = [];
  const took: number[] = [];
  const one = async (): Promise<void> => {
    let from = Number.NaN;
    const text = await rawExchange(port, stream, (soFar) => {
      if (Number.isNaN(from) && soFar.includes("data:")) from = performance.now();
      return false;
    });
    texts.push(text);
    took.push(performance.now() - from);
  };
  await Promise.all(Array.from({ length: count }, one));
  return { texts, took };
};

const statusOf = (text: string): string => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? "none";
const codeOf = (text: string): string => /"code":"([a-z_]+)"/.exec(text)?.[1] ?? "none";
const kindsOf = (values: readonly string[]): string[] => [...new Set(values)].sort();

const connectTimeoutMs = 800;
const lateMs = 50;
const failures = 5;

/** Milliseconds of the wall clock, by which two processes can be compared. */
const now = (): number => performance.timeOrigin + performance.now();

interface Asked {
  text: string;
  port: number;
  /** How long the connection took to stand; the request was written after that. */
  connectMs: number;
  /** When the request was written, and when the answer came. */
  sentAt: number;
  answeredAt: number;
}

/** @param sent when it is to be sent at the earliest */
const askAlone = async (port: number, request: string, sent?: Promise<unknown>): Promise<Asked> => {
  const socket = connect(port, "127.0.0.1");
  const from = now();
  const asked = { text: "", port: 0, connectMs: Number.NaN, sentAt: Number.NaN, answeredAt: Number.NaN };
  const send = (): void => {
    asked.sentAt = now();
    asked.port = socket.localPort ?? 0;
    socket.write(request);
  };
  socket.on("error", () => {});
  socket.on("connect", () => {
    asked.connectMs = now() - from;
    if (sent === undefined) send();
    else void sent.then(send);
  });
  socket.on("data", (chunk) => {
    if (asked.text === "") asked.answeredAt = now();
    asked.text += chunk;
  });
  await once(socket, "close");
  return asked;
};

/** Gives where the upstream is, and a way to make it fail once Candor has been asked of it. */
type Failing = () => Promise<{ baseUrl: string; isAsked?: boolean; fail?(): Promise<void>; tried?(): number }>;
const refusing: Failing = async () => ({ baseUrl: `http://127.0.0.1:${await freePort()}/v1` });
const unknown: Failing = async () => ({ baseUrl: "http://candor-faults.invalid/v1" });
const mute: Failing = async () => {
  const { port, accepted } = await startMute();
  return { baseUrl: `https://127.0.0.1:${port}/v1`, tried: accepted };
};
const gone: Failing = async () => {
  const upstream = await startUpstream();
  return { baseUrl: upstream.baseUrl, isAsked: true, fail: () => upstream.close() };
};
type Connections = "connections that stand" | "new connections";
const unreachable: [string, Connections, Failing][] = [
  ["refuses connections", "connections that stand", refusing],
  ["refuses connections", "new connections", refusing],
  ["has a name that no resolver knows", "connections that stand", unknown],
  ["never completes a handshake", "connections that stand", mute],
  ["never completes a handshake", "new connections", mute],
  ["answered until it was gone", "connections that stand", gone],
];

/** Asks what the upstream of this model answers, so often. */
const serveSome = async (port: number, model: string, count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 20) {
    const answers = Array.from({ length: Math.min(left, 20) }, () =>
      askAlone(port, chatRequest(`{"model":"${model}"}`, ["connection: close"])),
    );
    for (const { text } of await Promise.all(answers)) expect(statusOf(text)).toBe("200");
  }
};

/** A real process in front of this upstream and of a good one. */
const serveBoth = async (upstream: { baseUrl: string } & Record<string, unknown>) => {
  const good = await startUpstream();
  return serveReal(upstream.baseUrl, {
    withArrivals: true,
    upstreams: [
      { ...upstream, id: "main" },
      { id: "good", baseUrl: good.baseUrl },
    ],
    subjects: [
      { id: "support-bot", upstream: "main", models: ["gpt-test"], probes: { enabled: false } },
      { id: "other-bot", upstream: "good", models: ["good"], probes: { enabled: false } },
    ],
  });
};

/**
 * Sends a request so many times at once, to a process that has served others, so that its code is compiled as that of one
 * at work is. @param prepare what is done just before
 */
const askAtOnce = async (
  candor: RealCandor,
  { count, over, prepare }: { count: number; over: Connections; prepare?(): Promise<void> },
) => {
  const go = Promise.withResolvers<void>();
  const standing =
    over === "new connections" ? null : Array.from({ length: count }, () => askAlone(candor.port, whole, go.promise));
  await serveSome(candor.port, "good", 1_000);
  await prepare?.();
  await candor.arrivals();
  go.resolve();
  const all = await Promise.all(standing ?? Array.from({ length: count }, () => askAlone(candor.port, whole)));
  const arrivals = await candor.arrivals();
  return {
    statuses: all.map(({ text }) => statusOf(text)),
    codes: kindsOf(all.map(({ text }) => codeOf(text))),
    /** Milliseconds. */
    connect: Math.max(...all.map(({ connectMs }) => connectMs)),
    sinceSent: all.map(({ sentAt, answeredAt }) => answeredAt - sentAt),
    sinceRead: all.map(({ port, answeredAt }) => answeredAt - (arrivals.get(port) ?? Number.NaN)),
  };
};

test.for(unreachable)(
  "an upstream that %s is a 502 within the connect timeout, 503 after five of these, and nothing hangs, over %s",
  // Where all wait for the same moment, a machine that was busy just then delays even the quickest of them.
  { retry: 2, timeout: 60_000 },
  async ([name, over, start], context) => {
    const { baseUrl, isAsked = false, fail, tried } = await start();
    const candor = await serveBoth({ baseUrl, connectTimeoutMs });
    const count = sized(600, 1_000);
    const { statuses, codes, connect, sinceSent, sinceRead } = await askAtOnce(candor, {
      count,
      over,
      async prepare() {
        if (isAsked) await serveSome(candor.port, "gpt-test", 1);
        await fail?.();
      },
    });
    const failed = statuses.filter((status) => status === "502").length;
    const refused = statuses.filter((status) => status === "503").length;
    const left = metricIn(await candor.metrics(), "candor_requests_in_flight");
    const isTold = failed + refused === count && failed <= failures && left === 0;
    const most = connectTimeoutMs + lateMs;
    report(context, {
      row: 1,
      fault: `the upstream ${name}, ${count} requests at once over ${over}, to a process that has served others`,
      target: `502 within the connect timeout (${connectTimeoutMs} ms) and ${lateMs} ms of its sending, or 503 where at most ${failures} had failed so, in OpenAI's shape; none hangs`,
      seen: `${failed} times 502, ${refused} times 503, ${codes}; connected after ${ms(connect)} at most; median ${ms(quantile(sinceSent, 0.5))} after it was sent, longest ${ms(Math.max(...sinceSent))}, and ${ms(Math.max(...sinceRead))} after Candor had read it; ${left} left${tried === undefined ? "" : `; ${tried()} connections tried`}; ${form}`,
      isMet: isTold && Math.max(...sinceSent) <= most,
    });
    expect({ failed, refused, left }).toEqual({ failed: failures, refused: count - failures, left: 0 });
    expect(codes).toEqual(["upstream_unreachable"]);
    // What the relay itself does. How soon it comes to read a request, and its client to read the answer, is up to the
    // machine as well, most of all where there are as many connections to take.
    expect(quantile(sinceRead, 0.5)).toBeLessThanOrEqual(most);
    if (over === "connections that stand") expect(quantile(sinceSent, 0.5)).toBeLessThanOrEqual(most);
    // Who is not let into the system's queue of connections tries again after a second.
    expect(connect).toBeLessThan(1_000);
    if (tried !== undefined) expect(tried()).toBeLessThanOrEqual(2 * failures);
  },
);

test("an upstream that never answers is a 504 when the time for its first byte is over", {
  retry: 2,
}, async (context) => {
  const headersTimeoutMs = 1_000;
  const { port } = await startMute();
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const candor = await serveBoth({ baseUrl, headersTimeoutMs });
  const count = sized(50, 500);
  const { statuses, sinceSent: took, sinceRead } = await askAtOnce(candor, { count, over: "connections that stand" });
  report(context, {
    row: 2,
    fault: `the upstream accepts ${count} requests and never answers`,
    target: `504 within the time for the first byte (${headersTimeoutMs} ms) +-250 ms`,
    seen: `${kindsOf(statuses)}; ${ms(Math.min(...took))} to ${ms(Math.max(...took))} after it was sent, median ${ms(quantile(took, 0.5))}, at most ${ms(Math.max(...sinceRead))} after Candor had read it`,
    isMet: Math.max(...took) <= headersTimeoutMs + 250 && Math.min(...took) >= headersTimeoutMs - 250,
  });
  expect(kindsOf(statuses)).toEqual(["504"]);
  expect(Math.min(...took)).toBeGreaterThanOrEqual(headersTimeoutMs - 250);
  expect(quantile(took, 0.5)).toBeLessThanOrEqual(headersTimeoutMs + 250);
});

test("every stream that stalls is ended by an error event when the idle timeout is over", async (context) => {
  const idleTimeoutMs = 1_500;
  const running = await runRelay({
    config: ({ baseUrl }) => ({ upstreams: [{ id: "main", baseUrl, idleTimeoutMs, connections: 2_000 }] }),
  });
  running.upstream.answer((_seen, wire) => {
    wire.stream();
    wire.event({ choices: [] });
  });
  const count = sized(200, 1_000);
  const { texts, took } = await streamTimed(running.port, count);
  const ended = texts.filter((text) => codeOf(text) === "upstream_timeout" && !text.includes("[DONE]"));
  report(context, {
    row: 3,
    fault: `${count} streams fall silent after their first event`,
    target: `all end with an error event at the idle timeout (${idleTimeoutMs} ms) +-1 s, counted from that event`,
    seen: `${ended.length} of ${count} ended so; ${ms(Math.min(...took))} to ${ms(Math.max(...took))}`,
    isMet: ended.length === count && Math.max(...took) <= idleTimeoutMs + 1_000,
  });
  expect(ended).toHaveLength(count);
  expect(Math.min(...took)).toBeGreaterThanOrEqual(idleTimeoutMs - 1_000);
  expect(quantile(took, isFull ? 1 : 0.9)).toBeLessThanOrEqual(idleTimeoutMs + 1_000);
  await until(() => running.inFlight() === 0 && running.upstream.aborted() === count);
});

test("no stream that is reset midway is passed off as complete", async (context) => {
  const running = await runRelay();
  const count = sized(400, 1_000);
  running.upstream.answer((seen, wire) => {
    wire.stream();
    // Some between two events, some within one.
    wire.event({ choices: [] });
    if (seen.body.length % 2 === 0) wire.response.write('data: {"half');
    setTimeout(wire.reset, running.upstream.seen.length % 5);
  });
  let complete = 0;
  let told = 0;
  const requests = [stream, chatRequest('{"model":"gpt-test", "stream":true}', ["connection: close"])];
  for (let batch = 0; batch < count; batch += 100) {
    const texts = await Promise.all(
      Array.from({ length: 100 }, (_, index) => rawExchange(running.port, requests[index % 2] ?? stream)),
    );
    for (const text of texts) {
      const says = text.includes('"error"');
      if (says) told += 1;
      if (text.includes("[DONE]") || (!says && text.endsWith("\r\n0\r\n\r\n"))) complete += 1;
    }
  }
  await until(() => running.inFlight() === 0);
  report(context, {
    row: 4,
    fault: `the upstream resets ${count} streams midway`,
    target: "an error event or a broken connection, never a fake [DONE]; 0 reported as complete",
    seen: `${complete} looked complete, ${told} ended with an error event, ${count - told} with a broken connection`,
    isMet: complete === 0 && told > 0,
  });
  expect(complete).toBe(0);
  // Those that were reset between two events can be told, and are.
  expect(told).toBeGreaterThanOrEqual(count / 4);
  expect(running.finished.map(({ end }) => end.outcome)).not.toContain("complete");
});
