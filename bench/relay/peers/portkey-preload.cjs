// Keeps Portkey on the loopback, and works around its issue 1389: it writes to the headers of a fetched response, which
// are immutable, and so answers every stream with 500.
const { Server } = require("node:net");

const { listen } = Server.prototype;
Server.prototype.listen = function listenOnLoopback(options, ...rest) {
  if (typeof options === "object" && options !== null)
    return listen.call(this, { ...options, host: "127.0.0.1" }, ...rest);
  const callback = rest.find((argument) => typeof argument === "function");
  return listen.call(this, { port: options, host: "127.0.0.1" }, ...(callback === undefined ? [] : [callback]));
};

const { fetch } = globalThis;
globalThis.fetch = async (...request) => {
  const { body, status, statusText, headers } = await fetch(...request);
  return new Response(body, { status, statusText, headers: new Headers(headers) });
};
