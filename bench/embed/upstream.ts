/** An upstream that answers at once. Its first line says where. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const content = "An answer of plain words, as there are many. ".repeat(18);
const answer = JSON.stringify({
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
});
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(answer));
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
});
