import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { chatRequest, rawExchange, runRelay, until } from "./running-relay.ts";

const request = chatRequest('{"model":"gpt-test","stream":true}');

const open = async (port: number, bytes: string): Promise<Socket> => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(bytes);
  return socket;
};

describe("a client that goes away", () => {
  it("while the upstream has not answered yet takes the upstream's connection with it", async () => {
    const running = await runRelay();
    running.upstream.answer(() => {});
    const socket = await open(running.port, request);
    await until(() => running.upstream.seen.length === 1);
    const start = performance.now();
    socket.destroy();
    await until(() => running.upstream.aborted() === 1 && running.finished.length === 1);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(running.finished[0]?.end).toMatchObject({ outcome: "client-aborted", status: 0 });
    expect(running.finished[0]?.timings.firstByteMs).toBeNull();
  });

  it("while its request waits for a connection is never sent upstream", async () => {
    const running = await runRelay({
      config: ({ baseUrl }) => ({ upstreams: [{ id: "main", baseUrl, connections: 1 }] }),
    });
    let release = (): void => {};
    running.upstream.answer((_seen, wire) => {
      release = () => wire.json(200, {});
    });
    const first = await open(running.port, request);
    await until(() => running.upstream.seen.length === 1);
    const second = await open(running.port, request);
    await until(() => running.inFlight() === 2);
    second.destroy();
    await until(() => running.inFlight() === 1);
    release();
    await until(() => running.inFlight() === 0);
    running.upstream.answer((_seen, wire) => wire.json(200, {}));
    await rawExchange(running.port, request, (text) => text.includes("{}"));
    expect(running.upstream.seen).toHaveLength(2);
    // The one connection survived: nothing had been written on it for the client that left.
    expect(running.upstream.openSockets()).toBe(1);
    first.destroy();
  });

  it("in the middle of its request leaves nothing behind", async () => {
    const running = await runRelay();
    const socket = await open(running.port, request.slice(0, -4));
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.destroy();
    await rawExchange(running.port, request, (text) => text.includes("ok"));
    await until(() => running.finished.length === 1);
    expect(running.upstream.seen).toHaveLength(1);
    expect(running.copies).toHaveLength(1);
  });

  it("200 times, at every moment of an answer, leaves no socket and no exchange", async () => {
    const running = await runRelay();
    running.upstream.answer((_seen, wire) => {
      wire.stream();
      const timer = setInterval(() => wire.event("x".repeat(500)), 1);
      wire.response.on("close", () => clearInterval(timer));
    });
    const leave = async (index: number): Promise<void> => {
      const socket = await open(running.port, request);
      await new Promise((resolve) => setTimeout(resolve, index % 20));
      if (index % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    };
    for (let batch = 0; batch < 10; batch += 1) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => leave(index)));
    }
    await until(() => running.inFlight() === 0);
    // undici opens a connection anew for each that an abort has cost it, and closes it after 4 idle seconds.
    await until(() => running.upstream.openSockets() === 0, 10_000);
    expect(running.finished.every(({ end }) => end.outcome === "client-aborted")).toBe(true);
    expect(running.copies.every(({ end }) => end !== null)).toBe(true);
  });
});

describe("a client that reads slowly", () => {
  it("slows the upstream down instead of filling memory, and still gets every byte", async () => {
    const running = await runRelay();
    const total = 48 * 1024 * 1024;
    const piece = Buffer.alloc(64 * 1024, "y");
    let sent = 0;
    running.upstream.answer((_seen, { response }) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": total });
      const more = (): void => {
        while (sent < total) {
          sent += piece.length;
          if (!response.write(piece)) {
            response.once("drain", more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const socket = await open(running.port, request);
    socket.pause();
    let before = -1;
    // The flow has stopped when nothing moved for a while: what is under way then is in buffers.
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    // Kernel buffers on four socket ends, and one high-water mark of ours; a relay that buffers would have it all.
    expect(sent).toBeLessThan(total / 2);
    expect(running.bytes.down).toBeLessThan(total / 2);
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await until(() => running.finished.length === 1 && received > total, 15_000);
    expect(running.bytes.down).toBe(total);
    expect(running.finished[0]?.end.outcome).toBe("complete");
    socket.destroy();
  });

  it("and then not at all is given up after the idle timeout, and not blamed on the upstream", async () => {
    const running = await runRelay({
      config: ({ baseUrl }) => ({ upstreams: [{ id: "main", baseUrl, idleTimeoutMs: 200 }] }),
    });
    running.upstream.answer((_seen, { response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => {
        if (!response.writableNeedDrain) response.write("z".repeat(1_000_000));
      }, 1);
      response.on("close", () => clearInterval(timer));
    });
    const socket = await open(running.port, request);
    socket.pause();
    await until(() => running.finished.length === 1, 10_000);
    expect(running.finished[0]?.end.outcome).toBe("client-aborted");
    await until(() => running.upstream.aborted() === 1);
    socket.destroy();
  });
});
