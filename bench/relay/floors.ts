/**
 * The least that a proxy in Node can do: pass everything on, look at nothing, handle no failure. What a relay is
 * compared with. Usage: node floors.ts request|dispatch PORT UPSTREAM_PORT
 */
import { Agent, createServer, request as httpRequest, type RequestListener } from "node:http";
import { Pool } from "undici";

const [, , kind, port, upstreamPort] = process.argv;

const throughHttpRequest = (): RequestListener => {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  return (request, response) => {
    const { method, url, headers } = request;
    const outgoing = httpRequest(
      { host: "127.0.0.1", port: upstreamPort, method, path: url, headers, agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(outgoing);
  };
};

const throughDispatch = (): RequestListener => {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 512, pipelining: 1 });
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { host: _host, connection: _connection, ...headers } = request.headers;
      const [first] = chunks;
      const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      pool.dispatch(
        { method: request.method ?? "GET", path: request.url ?? "/", headers, body },
        {
          onRequestStart() {},
          onResponseStart(_controller, status, answerHeaders) {
            const { connection: _c, "keep-alive": _k, "transfer-encoding": _t, ...down } = answerHeaders;
            response.writeHead(status, down);
          },
          onResponseData: (_controller, chunk) => void response.write(chunk),
          onResponseEnd: () => void response.end(),
          onResponseError: () => void response.destroy(),
        },
      );
    });
  };
};

createServer(kind === "request" ? throughHttpRequest() : throughDispatch()).listen(Number(port), "127.0.0.1");
