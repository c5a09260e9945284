/**
 * The clients' connections: how many there are, which are over the limit, and what is answered to bytes that are no
 * request. Knows nothing of exchanges but whether one is being answered.
 */
import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createExchangeIds } from "./exchange-ids.ts";
import { errorBody, exchangeIdHeader, type Failure, type Refusal, refusals } from "./failure.ts";

interface Connection {
  /** Beyond the limit: its requests are to be refused. */
  surplus: boolean;
  /** Response to the latest request. */
  latest: ServerResponse | undefined;
}

export interface Connections {
  of(socket: Socket): Connection;
  /** So many at once from now on; those that are open stay. */
  limit(most: number): void;
}

/** For when there is no response object to write to. */
const rawAnswer = (failure: Failure, id: string): string => {
  const body = errorBody(failure);
  return [
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status] ?? ""}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    `${exchangeIdHeader}: ${id}`,
    "connection: close",
    "",
    body,
  ].join("\r\n");
};

const refusalOf = (code: string | undefined): Refusal => {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return refusals.headersTooLarge;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return refusals.tooSlow;
    default:
      return refusals.malformed;
  }
};

/**
 * How many are told in one turn of the event loop that they were too slow. Thousands can be at the same moment, and
 * others' requests are not to wait for all of their sockets.
 */
const mostToldAtOnce = 16;

export const trackConnections = (server: Server, { refused }: { refused(refusal: Refusal): void }): Connections => {
  const open = new WeakMap<Duplex, Connection>();
  const nextId = createExchangeIds();
  let count = 0;
  let most = Number.POSITIVE_INFINITY;

  server.on("connection", (socket: Socket) => {
    count += 1;
    open.set(socket, { surplus: count > most, latest: undefined });
    socket.once("close", () => {
      count -= 1;
    });
  });

  /** Whether an answer has begun there, or may begin at any moment, as one that waits behind another's. */
  const isAnswered = (socket: Duplex): boolean => {
    const latest = open.get(socket)?.latest;
    return latest !== undefined && !latest.closed && (latest.headersSent || latest.socket === null);
  };
  const refuse = (socket: Duplex, refusal: Refusal): void => {
    if (!socket.writable || isAnswered(socket)) {
      socket.destroy();
      return;
    }
    refused(refusal);
    socket.end(rawAnswer(refusal, nextId()), () => socket.destroy());
  };

  const tooSlow: Duplex[] = [];
  const tellSome = (): void => {
    for (const socket of tooSlow.splice(0, mostToldAtOnce)) refuse(socket, refusals.tooSlow);
    if (tooSlow.length > 0) setImmediate(tellSome);
  };

  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const refusal = refusalOf(error.code);
    if (refusal !== refusals.tooSlow) {
      refuse(socket, refusal);
      return;
    }
    // What it still sends is no request any more.
    socket.pause();
    if (tooSlow.push(socket) === 1) setImmediate(tellSome);
  });

  const unknown: Connection = { surplus: false, latest: undefined };
  return {
    of: (socket) => open.get(socket) ?? unknown,
    limit(to) {
      most = to;
      // Those over the limit are told so in HTTP; what comes in such numbers that not even that is wise is dropped.
      server.maxConnections = Math.ceil(most * 1.1) + 16;
    },
  };
};
