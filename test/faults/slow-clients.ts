/**
 * Clients that drip their headers, in a process of their own, so that what they cost is not taken for Candor's. Waits for
 * a message, opens so many connections within about a second, and tells when all are closed how many got a 408. Usage:
 * node slow-clients.ts <port> <count>
 */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const [port, count] = process.argv.slice(2).map(Number);
const eachMs = 500;
const together = 5;

const drip = async (): Promise<boolean> => {
  const socket = connect(port ?? 0, "127.0.0.1");
  let text = "";
  let timer: NodeJS.Timeout | undefined;
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("connect", () => {
    socket.write("POST /v1/chat/completions HTTP/1.1\r\nx-slow: ");
    timer = setInterval(() => socket.writable && socket.write("a"), eachMs);
  });
  await once(socket, "close");
  clearInterval(timer);
  return text.startsWith("HTTP/1.1 408 ");
};

await once(process, "message");
const all: Promise<boolean>[] = [];
for (let opened = 0; opened < (count ?? 0); opened += 1) {
  all.push(drip());
  if (opened % together === 0) await sleep((1_000 * together) / (count ?? 1));
}
const told = (await Promise.all(all)).filter(Boolean).length;
process.send?.(told);
process.disconnect();
