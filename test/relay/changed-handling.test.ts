/** A relay whose configuration changes while it works, over real sockets. */
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { createEgress, createWays } from "../../src/egress/egress.ts";
import { startMockUpstream } from "./mock-upstream.ts";
import { chatRequest, type RunningRelay, rawExchange, runRelay, until } from "./running-relay.ts";

const request = chatRequest('{"model":"gpt-test","stream":true}');
const isWhole = (text: string): boolean => text.endsWith("0\r\n\r\n");
const holding = { answerBytes: 1_000_000, streamBytes: 1_000_000, keepAliveMs: 10_000, lastEvent: "done" } as const;

const preparedFor = (running: RunningRelay, baseUrl: string) => {
  const config = configSchema.parse({
    upstreams: [{ id: "main", baseUrl }],
    subjects: [{ id: "support-bot", models: ["gpt-test"] }],
    drain: { minSeconds: 0, timeoutSeconds: 0 },
  });
  const egress = createEgress(config.upstreams);
  const meter = { requestStarted() {}, requestFinished() {}, requestRefused() {}, bytes() {} };
  const observer = { begin: () => null };
  return {
    egress,
    handling: running.relay.prepare({ ...config, egress, keys: new Map(), holding, observer, meter }),
  };
};

describe("a changed upstream", () => {
  it("gets the next request, while a stream of the one before goes on to its end", async () => {
    const running = await runRelay();
    const other = await startMockUpstream();
    let finish = (): void => {};
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event("from the first");
      finish = () => {
        wire.event("[DONE]");
        wire.response.end();
      };
    });
    other.answer((_seen, wire) => {
      wire.stream();
      wire.event("from the second");
      wire.response.end();
    });
    const stream = rawExchange(running.port, request, isWhole);
    await until(() => running.inFlight() === 1 && running.upstream.seen.length === 1);
    const { egress, handling } = preparedFor(running, other.baseUrl);
    running.relay.use(handling);
    expect(await rawExchange(running.port, request, isWhole)).toContain("from the second");
    await handling.over();
    expect(running.inFlight()).toBe(1);
    finish();
    const whole = await stream;
    expect(whole).toContain("from the first");
    expect(whole).toContain("[DONE]");
    await egress.close();
    await other.close();
  });

  it("does not let a drain forget what runs on the one before", async () => {
    const running = await runRelay({ config: () => ({ drain: { minSeconds: 0, timeoutSeconds: 30 } }) });
    let finish = (): void => {};
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event("begun");
      finish = () => {
        wire.event("[DONE]");
        wire.response.end();
      };
    });
    const stream = rawExchange(running.port, request, isWhole);
    await until(() => running.upstream.seen.length === 1);
    const { egress, handling } = preparedFor(running, "http://127.0.0.1:9/v1");
    handling.settings.drain.timeoutSeconds = 30;
    running.relay.use(handling);
    let drained = false;
    const done = running.relay.drain().then(() => {
      drained = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(drained).toBe(false);
    finish();
    expect(await stream).toContain("[DONE]");
    await done;
    await egress.close();
  });
});

it("equal upstreams of two configurations have the same connections, which the last one closes", async () => {
  const upstream = await startMockUpstream();
  upstream.answer((_seen, wire) => wire.json(200, {}));
  const { upstreams } = configSchema.parse({
    upstreams: [{ id: "main", baseUrl: upstream.baseUrl }],
    subjects: [{ id: "support-bot", models: ["gpt-test"] }],
  });
  const ways = createWays();
  const one = createEgress(upstreams, { ways });
  const other = createEgress(upstreams, { ways });
  expect(one.exit("main")).toBe(other.exit("main"));
  const ask = (egress: typeof one) => egress.fetchFor("main")(`${upstream.baseUrl}/models`);
  await (await ask(one)).text();
  await one.close();
  expect((await ask(other)).status).toBe(200);
  await other.close();
  expect(ways.count()).toBe(0);
  await expect(ask(other)).rejects.toThrow();
  await upstream.close();
});
