import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { type MockUpstream, startMockUpstream } from "./mock-upstream.ts";
import { runRelay } from "./running-relay.ts";

const restMs = 300;
const ask = (baseUrl: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [] }),
    ...(signal === undefined ? {} : { signal }),
  });

/** A port that nobody listens on, until it is taken. */
const unusedPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
};

const servers: Server[] = [];
const upstreams: MockUpstream[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

/** Answers everything with an empty object, on this port. */
const listenOn = async (port: number): Promise<{ connections(): number }> => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
    socket.on("data", () =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { connections: () => connections };
};

const relayTo = (port: number, breaker: object = { failures: 3, restMs }) =>
  runRelay({
    config: () => ({
      upstreams: [{ id: "main", baseUrl: `http://127.0.0.1:${port}/v1`, breaker }],
      subjects: [{ id: "bot", models: ["m"] }],
    }),
  });

const statuses = async (baseUrl: string, count: number): Promise<number[]> => {
  const seen: number[] = [];
  for (let asked = 0; asked < count; asked += 1) {
    const response = await ask(baseUrl);
    await response.text();
    seen.push(response.status);
  }
  return seen;
};

describe("an upstream that can't be reached", () => {
  test("is left alone after failures in a row: 503 at once, in OpenAI's shape, with the time to wait", async () => {
    const { baseUrl, refused, logged } = await relayTo(await unusedPort());
    expect(await statuses(baseUrl, 5)).toEqual([502, 502, 502, 503, 503]);
    const response = await ask(baseUrl);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ error: { code: "upstream_unreachable", type: "api_error" } });
    expect(refused.filter(({ reason }) => reason === "unreachable")).toHaveLength(3);
    expect(JSON.stringify(logged).match(/requests are refused for now/g)).toHaveLength(1);
  });

  test("is tried by one request after its rest, and left alone again where that fails", async () => {
    const { baseUrl } = await relayTo(await unusedPort());
    await statuses(baseUrl, 4);
    await sleep(restMs + 50);
    const together = await Promise.all(Array.from({ length: 5 }, () => ask(baseUrl)));
    expect(together.map(({ status }) => status).toSorted()).toEqual([502, 503, 503, 503, 503]);
    expect(await statuses(baseUrl, 2)).toEqual([503, 503]);
  });

  test("is what those are told at once who wait for a connection when that is found out", async () => {
    const connectTimeoutMs = 1_000;
    const port = await unusedPort();
    let accepted = 0;
    const mute = createServer((socket) => {
      accepted += 1;
      socket.on("error", () => {});
      socket.on("end", () => socket.destroy());
    });
    servers.push(mute);
    await new Promise<void>((resolve) => mute.listen(port, "127.0.0.1", resolve));
    const { baseUrl, inFlight } = await runRelay({
      config: () => ({
        upstreams: [
          // Half of those who wait have no connection that could be theirs.
          {
            id: "main",
            baseUrl: `https://127.0.0.1:${port}/v1`,
            connections: 8,
            connectTimeoutMs,
            breaker: { failures: 3 },
          },
        ],
        subjects: [{ id: "bot", models: ["m"] }],
      }),
    });
    const first = Array.from({ length: 3 }, () => ask(baseUrl));
    await sleep(connectTimeoutMs / 2);
    const from = performance.now();
    const late = await Promise.all(Array.from({ length: 13 }, () => ask(baseUrl)));
    expect(performance.now() - from).toBeLessThan(connectTimeoutMs);
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([502, 502, 502]);
    expect(late.map(({ status }) => status)).toEqual(Array(13).fill(503));
    expect(late.map(({ headers }) => headers.get("retry-after"))).toEqual(Array(13).fill("1"));
    expect(await late[0]?.json()).toMatchObject({ error: { code: "upstream_unreachable", type: "api_error" } });
    expect(inFlight()).toBe(0);
    // Three at a time: when the first two of them failed, two others began.
    expect(accepted).toBeLessThanOrEqual(5);
  });

  test("is asked as before once it answers", async () => {
    const port = await unusedPort();
    const { baseUrl, logged } = await relayTo(port);
    await statuses(baseUrl, 4);
    await listenOn(port);
    await sleep(restMs + 50);
    expect(await statuses(baseUrl, 4)).toEqual([200, 200, 200, 200]);
    expect(JSON.stringify(logged)).toContain("can be reached again");
  });

  test("is tried by the next one where the client of the try has left", async () => {
    const port = await unusedPort();
    const { baseUrl } = await relayTo(port);
    await statuses(baseUrl, 4);
    await listenOn(port);
    await sleep(restMs + 50);
    const leaving = AbortSignal.timeout(1);
    await ask(baseUrl, leaving).catch(() => {});
    await sleep(50);
    expect((await statuses(baseUrl, 2)).at(-1)).toBe(200);
  });

  test("is asked every time where the breaker is switched off", async () => {
    const { baseUrl } = await relayTo(await unusedPort(), { failures: 0 });
    expect(await statuses(baseUrl, 8)).toEqual(Array(8).fill(502));
  });
});

test("an upstream that answers with errors is no upstream that can't be reached", async () => {
  const upstream = await startMockUpstream();
  upstreams.push(upstream);
  upstream.answer((_seen, wire) => wire.json(500, { error: {} }));
  const { baseUrl } = await relayTo(upstream.port);
  expect(await statuses(baseUrl, 8)).toEqual(Array(8).fill(500));
});

test("failures that are not in a row leave it open", async () => {
  const upstream = await startMockUpstream();
  upstreams.push(upstream);
  let asked = 0;
  upstream.answer((_seen, wire) => {
    asked += 1;
    if (asked % 2 === 0) wire.reset();
    else wire.json(200, {});
  });
  const { baseUrl } = await relayTo(upstream.port);
  expect(await statuses(baseUrl, 8)).toEqual([200, 502, 200, 502, 200, 502, 200, 502]);
});
