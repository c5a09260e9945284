/**
 * Loaded before Candor in tests: on SIGUSR2 it logs when each request's headers had been read since the last time, by the
 * client's port, in milliseconds of the wall clock. Changes nothing else.
 */
import { subscribe } from "node:diagnostics_channel";

let arrivals = [];
subscribe("http.server.request.start", ({ socket }) => {
  arrivals.push([socket.remotePort, performance.timeOrigin + performance.now()]);
});

process.on("SIGUSR2", () => {
  process.stderr.write(`${JSON.stringify({ msg: "arrivals", arrivals })}\n`);
  arrivals = [];
});
