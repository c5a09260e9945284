/**
 * Sends requests over keep-alive connections, one at a time on each, and checks every answer's status and length. Reads
 * HTTP only as far as these answers need it, so that it takes as little of the machine as possible.
 * Usage: node generator.ts PORT json|sse CONNECTIONS MILLISECONDS [header...]; prints one JSON line.
 */
import { connect } from "node:net";
import { type Workload, workloads } from "./workloads.ts";

const [, , port, kind, connections, milliseconds, ...extraHeaders] = process.argv;
const { requestBody, answerBytes } = workloads[kind as Workload];
/** With guardrails the peer adds to the bodies what they found. */
const mayGrow = extraHeaders.some((header) => header.startsWith("x-portkey-config"));

const request = Buffer.from(
  [
    "POST /v1/chat/completions HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    "accept: application/json",
    "content-type: application/json",
    "user-agent: OpenAI/JS 6.49.0",
    "x-stainless-lang: js",
    "x-stainless-package-version: 6.49.0",
    "x-stainless-os: Linux",
    "x-stainless-arch: x64",
    "x-stainless-runtime: node",
    "x-stainless-retry-count: 0",
    "x-stainless-timeout: 600",
    "authorization: Bearer sk-bench-0123456789abcdef0123456789abcdef",
    "accept-encoding: identity",
    "connection: keep-alive",
    ...extraHeaders,
    `content-length: ${Buffer.byteLength(requestBody)}`,
    "",
    requestBody,
  ].join("\r\n"),
);

const headEnd = Buffer.from("\r\n\r\n");
const chunkedEnd = Buffer.from("\r\n0\r\n\r\n");

/** The body's length once the whole answer is here, else null. Chunks are taken apart, whatever their sizes. */
const bodyLength = (bytes: Buffer): number | null => {
  const start = bytes.indexOf(headEnd);
  if (start === -1) return null;
  const head = bytes.toString("latin1", 0, start).toLowerCase();
  if (!head.startsWith("http/1.1 200")) throw new Error(`not a 200: ${bytes.toString("latin1", 0, 400)}`);
  const declared = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (declared !== undefined) return bytes.length - start - 4 >= Number(declared) ? Number(declared) : null;
  if (!bytes.subarray(-chunkedEnd.length).equals(chunkedEnd)) return null;
  let sum = 0;
  for (let at = start + 4; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (size === 0) return sum;
    sum += size;
    at = lineEnd + 2 + size + 2;
  }
};

const latencies: number[] = [];
const startedAt = performance.now();
const endAt = startedAt + Number(milliseconds);
let open = Number(connections);
let lastAt = startedAt;

const report = (): void => {
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const seconds = (lastAt - startedAt) / 1000;
  console.log(
    JSON.stringify({ requests: latencies.length, rps: latencies.length / seconds, p50: at(0.5), p99: at(0.99) }),
  );
};

const run = (): void => {
  const socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let sentAt = 0;
  const send = (): void => {
    sentAt = performance.now();
    socket.write(request);
  };
  socket.on("connect", send);
  socket.on("error", (error) => {
    throw error;
  });
  socket.on("close", () => {
    if (performance.now() < endAt) throw new Error("the server closed a connection");
    open -= 1;
    if (open === 0) report();
  });
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const length = bodyLength(received);
    if (length === null) return;
    if (length !== answerBytes && !mayGrow) throw new Error(`an answer of ${length} bytes instead of ${answerBytes}`);
    lastAt = performance.now();
    latencies.push(lastAt - sentAt);
    received = Buffer.alloc(0);
    if (lastAt < endAt) send();
    else socket.destroy();
  });
};

for (let i = 0; i < Number(connections); i += 1) run();
