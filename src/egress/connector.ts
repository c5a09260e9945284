/**
 * Opens connections to upstreams, and gives up on time: undici's own connect timeout comes in steps of about half a
 * second, and so much too early or too late.
 */
import { buildConnector, errors } from "undici";
import { createFirstConnections, type Seeker } from "./first-connections.ts";
import { createSharedLookup } from "./shared-lookup.ts";

interface ConnectorSettings {
  /** Longest wait for a connection, that for a turn to try included. */
  timeoutMs: number;
  /** Failures in a row after which nobody waits for another attempt; 0: everybody tries. */
  failures: number;
}

/**
 * Who has had no turn to try after this share of the time gives up: too little is left to connect in, and where thousands
 * wait, telling them takes a while as well.
 */
const shareForATurn = 0.9;

export const createConnector = ({ timeoutMs, failures }: ConnectorSettings): buildConnector.connector => {
  // undici's timeout stays as well, later: it is what closes the socket of an attempt that nobody waits for any more.
  const connect = buildConnector({ timeout: timeoutMs + 1_000, allowH2: false, lookup: createSharedLookup() });
  const turns = createFirstConnections(failures);
  return (options, callback) => {
    let isOver = false;
    let hasBegun = false;
    const settle: buildConnector.Callback = (...[error, socket]) => {
      if (isOver) {
        socket?.destroy();
        return;
      }
      isOver = true;
      clearTimeout(timer);
      if (error === null) callback(null, socket);
      else callback(error, null);
      // Only now: those who give up because of it are told after those who tried.
      turns.ended(seeker, error);
    };
    const fail = (error: unknown): void => settle(error instanceof Error ? error : new Error(String(error)), null);
    const seeker: Seeker = {
      begin() {
        hasBegun = true;
        try {
          connect(options, settle);
        } catch (error) {
          fail(error);
        }
      },
      giveUp: fail,
    };
    const timeOut = (): void => fail(new errors.ConnectTimeoutError());
    let timer = setTimeout(() => {
      if (hasBegun) timer = setTimeout(timeOut, timeoutMs * (1 - shareForATurn));
      else timeOut();
    }, timeoutMs * shareForATurn);
    turns.seek(seeker);
  };
};
