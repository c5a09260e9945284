/** Connections that never leave the process: to a server that listens nowhere, for who is in the same process as it. */
import { type Duplex, duplexPair } from "node:stream";
import type { buildConnector } from "undici";

/** What clients of HTTP ask of a socket beside being a stream; a connection within the process has nothing to set. */
const socketLike = (stream: Duplex): Duplex => {
  const self = (): Duplex => stream;
  return Object.assign(stream, { ref: self, unref: self, setTimeout: self, setNoDelay: self, setKeepAlive: self });
};

/** A connector for undici. @param accept is given the other end of each connection, as a server is by its port */
export const inProcessConnector =
  (accept: (socket: Duplex) => void): buildConnector.connector =>
  (_options, callback) => {
    const [near, far] = duplexPair();
    accept(socketLike(far));
    // undici means a socket by it, and asks no more of it than what is there.
    queueMicrotask(() => callback(null, socketLike(near) as Parameters<typeof callback>[1] & Duplex));
  };
