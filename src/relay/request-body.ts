/** Takes a client's request body: collected up to a limit, counted while it streams, or discarded. Never parses it. */
import type { IncomingMessage } from "node:http";

const empty = Buffer.alloc(0);

/**
 * Reads what is left of a request that was refused, so that the client gets to read the refusal; a client that goes on
 * for more than `limit` bytes is cut off.
 */
export const discardRest = (request: IncomingMessage, limit: number): void => {
  if (request.complete) return;
  let rest = 0;
  request.on("data", (chunk: Buffer) => {
    rest += chunk.length;
    if (rest > limit) request.socket.destroy();
  });
};

/** Null when the client does not say. */
export const declaredLength = (request: IncomingMessage): number | null => {
  const value = request.headers["content-length"];
  return value === undefined ? null : Number(value);
};

/** Calls back once, with null for a body above `limit`; never for a client that goes away first. */
export const collectBody = (request: IncomingMessage, limit: number, done: (body: Buffer | null) => void): void => {
  let first: Buffer = empty;
  let more: Buffer[] | null = null;
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length > limit) {
      request.off("data", onData);
      request.off("end", onEnd);
      done(null);
    } else if (first === empty) first = chunk;
    else if (more === null) more = [first, chunk];
    else more.push(chunk);
  };
  const onEnd = (): void => done(more === null ? first : Buffer.concat(more, length));
  request.on("data", onData);
  request.on("end", onEnd);
};
