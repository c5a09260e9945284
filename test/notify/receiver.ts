/** A receiver over a real socket that answers by a script and keeps what it was sent. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { HandClock } from "../probe/hand-clock.ts";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  bytes: Buffer;
}

/** `silent`: no answer at all; a number: the status. */
export type Answer = number | "silent" | "cut" | { status: number; headers: Record<string, string> };

/** Answers in turn; the last one for ever, 200 without any. */
export const startReceiver = async (...script: Answer[]) => {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const bytes = Buffer.from(await new Response(request).arrayBuffer());
    received.push({ path: request.url ?? "", headers: request.headers, body: bytes.toString(), bytes });
    const answer = (script.length > 1 ? script.shift() : script[0]) ?? 200;
    if (answer === "silent") return;
    if (answer === "cut") return void request.socket.destroy();
    const { status, headers } = typeof answer === "number" ? { status: answer, headers: {} } : answer;
    response.writeHead(status, headers).end("answered");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
};

/** Lets sockets have their turn until it is so. */
export const until = async (isSo: () => boolean): Promise<void> => {
  const end = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error("it did not come to that");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

/** Turns the clock, second by second, until it is so; returns the milliseconds that it took. */
export const turnUntil = async (clock: HandClock, isSo: () => boolean): Promise<number> => {
  const from = clock.monotonic();
  const end = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error("it did not come to that");
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!isSo()) await clock.advance(500);
  }
  return clock.monotonic() - from;
};
