/** A network between a replica and its database, which a test can stall, cut, or let lose one answer. */
import { createServer, type Socket, connect as toServer } from "node:net";

export interface CuttingProxy {
  /** The URL through the proxy. */
  url: string;
  /** Nothing gets through in either direction, and nobody is told. */
  stall(): void;
  /** All connections end, and new ones do, too. */
  cut(): void;
  /** As at first: connections of before stay stalled or ended. */
  mend(): void;
  /** What is sent next with this text in it reaches the server; then the connection is cut before the answer. */
  loseAnswerTo(text: string): Promise<void>;
  close(): void;
}

export const startProxy = async (url: string): Promise<CuttingProxy> => {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let state: "open" | "stalled" | "cut" = "open";
  let losing: { text: string; lost: () => void } | null = null;

  const server = createServer((client) => {
    if (state === "cut") {
      client.destroy();
      return;
    }
    const upstream = toServer(Number(target.port), target.hostname);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    let stalled = state === "stalled";
    let answers = true;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (bytes) => {
      stalled ||= state === "stalled";
      if (stalled) return;
      if (losing !== null && bytes.includes(losing.text)) {
        const { lost } = losing;
        losing = null;
        answers = false;
        // The answer to it shows that the server has done it.
        upstream.once("data", () => {
          end();
          lost();
        });
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      stalled ||= state === "stalled";
      if (!stalled && answers) client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  target.port = String(address.port);
  const through = target.href;
  target.port = new URL(url).port;

  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: through,
    stall: () => {
      state = "stalled";
    },
    cut() {
      state = "cut";
      endAll();
    },
    mend: () => {
      state = "open";
    },
    loseAnswerTo: (text) =>
      new Promise((resolve) => {
        losing = { text, lost: resolve };
      }),
    close() {
      server.close();
      endAll();
    },
  };
};
