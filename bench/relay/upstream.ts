/** The model's API in the measurements: answers at once. Usage: node upstream.ts PORT */
import { createServer } from "node:http";
import { streams, wholeAnswer } from "./workloads.ts";

const port = Number(process.argv[2]);
let asked = 0;

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (Buffer.concat(chunks).includes('"stream":true')) {
      response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_bench" });
      for (const frame of streams[asked % streams.length] ?? []) response.write(frame);
      asked += 1;
      response.end();
    } else {
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": wholeAnswer.length,
        "x-request-id": "req_bench",
        "openai-processing-ms": "0",
      });
      response.end(wholeAnswer);
    }
  });
}).listen(port, "127.0.0.1");
