/** How soon the upstream learns that a client has gone. Of five clients the luckiest counts: a busy machine delays any one. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { chatRequest, runRelay, until } from "./running-relay.ts";

const required = 100;
const attempts = 5;

const answers = [
  { kind: "JSON", request: chatRequest('{"model":"gpt-test"}'), begin: "before its first byte" },
  { kind: "JSON", request: chatRequest('{"model":"gpt-test"}'), begin: "in the middle" },
  { kind: "stream", request: chatRequest('{"model":"gpt-test","stream":true}'), begin: "before its first byte" },
  { kind: "stream", request: chatRequest('{"model":"gpt-test","stream":true}'), begin: "in the middle" },
] as const;

it.each(answers)(
  "a client that leaves a $kind answer $begin is known to the upstream within 100 ms",
  async ({ kind, request, begin }) => {
    const running = await runRelay();
    let closedAt: number | null = null;
    running.upstream.answer((_seen, { response, stream, event }) => {
      response.on("close", () => {
        closedAt = performance.now();
      });
      if (begin === "before its first byte") return;
      if (kind === "stream") {
        stream();
        event("the first words");
      } else {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"the first":"words');
      }
    });
    const times: number[] = [];
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      closedAt = null;
      const socket = connect(running.port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(request);
      if (begin === "in the middle") await once(socket, "data");
      else await until(() => running.upstream.seen.length === attempt + 1);
      const leftAt = performance.now();
      socket.destroy();
      await until(() => closedAt !== null);
      times.push((closedAt ?? Number.POSITIVE_INFINITY) - leftAt);
    }
    expect(Math.min(...times)).toBeLessThanOrEqual(required);
    expect(running.upstream.aborted()).toBe(attempts);
  },
);
