import { get, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Running, run } from "./running-control.ts";

let running: Running;
beforeEach(async () => {
  running = await run();
});
afterEach(() => running.control.close());

/** An open page: what it was told so far, and a promise of its next words. */
const listen = async () => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: "127.0.0.1", port: running.port, path: "/api/events", agent: false }, resolve).on("error", reject);
  });
  response.setEncoding("utf8");
  let heard = "";
  response.on("data", (text: string) => {
    heard += text;
  });
  const until = async (words: string): Promise<string> => {
    while (!heard.includes(words)) await new Promise((resolve) => response.once("data", resolve));
    return heard;
  };
  return { response, until, heard: () => heard };
};

const announce = (...subjects: string[]): void => {
  for (const subject of subjects) for (const listener of running.world.listeners) listener(subject);
};
const turn = (ms: number): void => running.world.timers.find((timer) => timer.ms === ms)?.run();

test("many entries in a short time are one event", async () => {
  const page = await listen();
  await page.until("retry: 3000");
  announce("support", "search", "support");
  expect(running.world.timers.filter(({ ms }) => ms === 500)).toHaveLength(1);
  turn(500);
  expect(await page.until("data:")).toContain('event: change\ndata: {"subjects":["support","search"]}\n\n');
  page.response.destroy();
});

test("a comment keeps the connection alive", async () => {
  const page = await listen();
  turn(15_000);
  await page.until(": here\n\n");
  page.response.destroy();
});

test("nobody is told where nobody listens", () => {
  announce("support");
  expect(running.world.timers.map(({ ms }) => ms)).toEqual([15_000]);
});

test("the stream is no page's to keep: it may not be cached, and ends with the port", async () => {
  const page = await listen();
  expect(page.response.headers).toMatchObject({ "content-type": "text/event-stream", "cache-control": "no-store" });
  const ended = new Promise((resolve) => page.response.once("end", resolve));
  await running.control.close();
  await ended;
  expect(running.world.listeners.size).toBe(0);
});

test("the 65th page is refused and told to come back", async () => {
  const pages = await Promise.all(Array.from({ length: 64 }, listen));
  const { status, headers } = await running.call("/api/events");
  expect(status).toBe(429);
  expect(headers["retry-after"]).toBe("30");
  for (const { response } of pages) response.destroy();
});
