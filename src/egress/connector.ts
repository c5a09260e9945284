/**
 * Opens connections to upstreams, and gives up on time: undici's own connect timeout comes in steps of about half a
 * second, and an app that waits for a 502 should not wait for those.
 */
import { buildConnector, errors } from "undici";

export const createConnector = (timeoutMs: number): buildConnector.connector => {
  // undici's timeout stays as well: it is what closes the socket of an attempt that nobody waits for any more.
  const connect = buildConnector({ timeout: timeoutMs, allowH2: false });
  return (options, callback) => {
    let waiting = true;
    const timer = setTimeout(() => {
      waiting = false;
      callback(new errors.ConnectTimeoutError(), null);
    }, timeoutMs);
    connect(options, (...[error, socket]) => {
      clearTimeout(timer);
      if (!waiting) {
        socket?.destroy();
        return;
      }
      waiting = false;
      if (error === null) callback(null, socket);
      else callback(error, null);
    });
  };
};
