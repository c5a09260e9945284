import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { chatRequest, type RunningRelay, rawExchange, runRelay, until } from "./running-relay.ts";

const request = chatRequest('{"model":"gpt-test","stream":true}');
const drainWith = (minSeconds: number, timeoutSeconds: number): Promise<RunningRelay> =>
  runRelay({ config: () => ({ drain: { minSeconds, timeoutSeconds } }) });

const untilRefused = async (port: number): Promise<void> => {
  const refused = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("connect", () => {
        socket.destroy();
        resolve(false);
      });
      socket.on("error", () => resolve(true));
    });
  while (!(await refused())) await new Promise((resolve) => setTimeout(resolve, 2));
};

describe("draining", () => {
  it("lets 100 running streams finish, and only then is done", async () => {
    const running = await drainWith(0, 30);
    const ends: (() => void)[] = [];
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      wire.event("first");
      ends.push(() => {
        wire.event("[DONE]");
        wire.response.end();
      });
    });
    const answers = Array.from({ length: 100 }, () => rawExchange(running.port, request));
    await until(() => ends.length === 100);
    let drained = false;
    const done = running.relay.drain().then(() => {
      drained = true;
    });
    await until(() => running.inFlight() === 100);
    await untilRefused(running.port);
    expect(drained).toBe(false);
    for (const end of ends) end();
    await done;
    for (const text of await Promise.all(answers)) expect(text).toContain("data: [DONE]\n\n");
    expect(running.finished.map(({ end }) => end.outcome)).toEqual(Array(100).fill("complete"));
  });

  it("still takes requests at first, and tells their clients that the connection closes", async () => {
    const running = await drainWith(0.4, 0);
    const done = running.relay.drain();
    const text = await rawExchange(running.port, request);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/\r\nconnection: close\r\n/i);
    await done;
    await expect(fetch(`${running.baseUrl}/models`)).rejects.toThrow();
  });

  it("breaks off what is not done in time: streams by an error event, others by 503", async () => {
    const running = await drainWith(0, 0.1);
    running.upstream.answer(({ body }, wire) => {
      if (!String(body).includes("stream")) return;
      wire.stream();
      wire.event("first");
    });
    const stream = rawExchange(running.port, request);
    const whole = rawExchange(running.port, chatRequest('{"model":"gpt-test"}'));
    await until(() => running.upstream.seen.length === 2);
    await running.relay.drain();
    expect(await stream).toMatch(/data: first\n\n(.|\r\n)*data: \{"error":.*"code":"shutting_down"/);
    expect(await whole).toMatch(/^HTTP\/1\.1 503 (.|\r\n)*"code":"shutting_down"/);
    expect(running.finished.map(({ end }) => end.outcome)).toEqual(["timeout", "timeout"]);
    await until(() => running.upstream.aborted() === 2);
  });

  it("is over at once when it is asked for a second time", async () => {
    const running = await drainWith(3_000, 3_000);
    running.upstream.answer(() => {});
    const whole = rawExchange(running.port, request);
    await until(() => running.upstream.seen.length === 1);
    const first = running.relay.drain();
    const second = running.relay.drain();
    await Promise.all([first, second]);
    expect(await whole).toMatch(/^HTTP\/1\.1 503 /);
  });

  it("closes idle connections, and those that become idle", async () => {
    const running = await drainWith(0, 30);
    let release = (): void => {};
    running.upstream.answer((_seen, wire) => {
      release = () => wire.json(200, { late: true });
    });
    const idle = rawExchange(running.port, "");
    const busy = rawExchange(running.port, request);
    await until(() => running.upstream.seen.length === 1);
    const done = running.relay.drain();
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    await done;
    expect(await idle).toBe("");
    expect(await busy).toContain('{"late":true}');
  });
});
