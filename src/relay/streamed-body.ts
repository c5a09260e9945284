/**
 * A request body on its way through, for paths that are relayed unread. Stands between the client's message and the
 * upstream's connection, because ending either must not destroy the other's socket.
 */
import type { IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";

interface Options {
  limit: number;
  counted(bytes: number): void;
  /** Called once when the body turns out larger than `limit`. */
  exceeded(): void;
}

/** Null when the request has no body. */
export const streamBody = (request: IncomingMessage, { limit, counted, exceeded }: Options): Readable | null => {
  const length = request.headers["content-length"];
  if (request.headers["transfer-encoding"] === undefined && (length === undefined || length === "0")) return null;
  const body = new PassThrough();
  let sum = 0;
  request.on("data", (chunk: Buffer) => {
    sum += chunk.length;
    counted(chunk.length);
    if (sum > limit) {
      request.unpipe(body);
      exceeded();
    }
  });
  request.pipe(body);
  request.once("close", () => {
    if (!request.complete) body.destroy();
  });
  // The upstream answered early or went away: what the client still sends is read and dropped.
  body.once("close", () => {
    request.unpipe(body);
    request.resume();
  });
  body.on("error", () => {});
  return body;
};
