/** An upstream that does what a test tells it, down to the bytes on the wire. Listens on the loopback only. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

interface SeenRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
}

interface Wire {
  request: IncomingMessage;
  response: ServerResponse;
  socket: Socket;
  /** Writes to the socket past node:http. */
  raw(bytes: string | Buffer): void;
  json(status: number, value: unknown, headers?: Record<string, string | string[]>): void;
  /** Begins an event stream. */
  stream(headers?: Record<string, string>): void;
  event(data: unknown): void;
  /** Ends the connection with a TCP reset. */
  reset(): void;
}

export type Script = (seen: SeenRequest, wire: Wire) => void | Promise<void>;

export interface MockUpstream {
  baseUrl: string;
  port: number;
  seen: SeenRequest[];
  /** What is done with the next requests. */
  answer(script: Script): void;
  /** Called with each piece of the next requests' bodies. */
  receive(listener: (chunk: Buffer) => void): void;
  /** Answers the next requests before their bodies are here. */
  early(script: (wire: Wire) => void): void;
  /** Closes connections that wait for a request. */
  dropIdle(): Promise<void>;
  openSockets(): number;
  /** Answers whose connection the relay closed before they had ended. */
  aborted(): number;
  close(): Promise<void>;
}

const wireOf = (request: IncomingMessage, response: ServerResponse): Wire => ({
  request,
  response,
  socket: request.socket,
  raw: (bytes) => void request.socket.write(bytes),
  json(status, value, headers = {}) {
    const body = JSON.stringify(value);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body);
  },
  stream(headers = {}) {
    response.writeHead(200, { "content-type": "text/event-stream", ...headers });
    response.flushHeaders();
  },
  event: (data) => void response.write(`data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`),
  reset: () => void request.socket.resetAndDestroy(),
});

export const startMockUpstream = async (): Promise<MockUpstream> => {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let aborted = 0;
  let script: Script = (_seen, wire) => wire.json(200, { ok: true });
  let listener = (_chunk: Buffer): void => {};
  let early: ((wire: Wire) => void) | null = null;
  const server = createServer({ keepAliveTimeout: 5_000 }, async (request, response) => {
    response.on("close", () => {
      if (!response.writableFinished) aborted += 1;
    });
    early?.(wireOf(request, response));
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
        listener(chunk as Buffer);
      }
    } catch {
      return;
    }
    const { method = "", url = "", headers, rawHeaders } = request;
    const entry = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) };
    seen.push(entry);
    if (early === null) await script(entry, wireOf(request, response));
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    port,
    seen,
    answer(next) {
      script = next;
    },
    receive(next) {
      listener = next;
    },
    early(next) {
      early = next;
    },
    async dropIdle() {
      const before = [...sockets];
      server.closeIdleConnections();
      while (before.some((socket) => sockets.has(socket))) await new Promise((resolve) => setTimeout(resolve, 2));
    },
    openSockets: () => sockets.size,
    aborted: () => aborted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
