/**
 * Tells open pages that something changed, as server-sent events. An event names subjects and nothing more: the page asks
 * for what it shows. Many entries in a short time are one event, so a busy log does not flood a slow page.
 */
import { type Response, Router } from "express";
import type { Clock } from "../kernel/clock.ts";
import { ApiError, onlyMethods } from "./api-error.ts";

interface Options {
  /** Calls back with the subject of every new entry; the returned function ends it. */
  onEntry(listener: (subject: string) => void): () => void;
  clock: Pick<Clock, "after">;
}

export interface Events {
  routes: Router;
  /** Ends every stream; pages reconnect by themselves. */
  close(): void;
}

const gatherMs = 500;
/** Below what proxies take for a dead connection. */
const heartbeatMs = 15_000;
const mostStreams = 64;

export const createEvents = ({ onEntry, clock }: Options): Events => {
  const streams = new Set<Response>();
  const changed = new Set<string>();
  let gathering = false;

  const tell = (text: string): void => {
    // A page that does not read is told again by the next event: nothing is queued for it.
    for (const stream of streams) if (!stream.writableNeedDrain) stream.write(text);
  };

  const flush = (): void => {
    gathering = false;
    tell(`event: change\ndata: ${JSON.stringify({ subjects: [...changed] })}\n\n`);
    changed.clear();
  };

  const unsubscribe = onEntry((subject) => {
    if (streams.size === 0) return;
    changed.add(subject);
    if (gathering) return;
    gathering = true;
    clock.after(gatherMs, flush);
  });

  let cancelHeartbeat = clock.after(heartbeatMs, function beat() {
    tell(": here\n\n");
    cancelHeartbeat = clock.after(heartbeatMs, beat);
  });

  const routes = Router();
  routes
    .route("/events")
    .get((request, response) => {
      if (streams.size >= mostStreams) {
        response.setHeader("retry-after", "30");
        throw new ApiError("too_many_requests", `${mostStreams} pages are listening already: close some`);
      }
      response.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
      if (request.method === "HEAD") {
        response.end();
        return;
      }
      response.write("retry: 3000\n\n");
      streams.add(response);
      request.on("close", () => streams.delete(response));
    })
    .all(onlyMethods("GET"));

  return {
    routes,
    close() {
      unsubscribe();
      cancelHeartbeat();
      for (const stream of streams) stream.end();
      streams.clear();
    },
  };
};
