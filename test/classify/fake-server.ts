/** An OpenAI-compatible server on a real socket that replies as a test says, and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  path: string;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
}

type Reply = (asked: Asked, response: ServerResponse) => void;

/** A chat completion that says this. */
export const chat = (content: string, finish = "stop", tokens?: { token: string; top: Record<string, number> }[]) => ({
  choices: [
    {
      index: 0,
      message: { role: "assistant", content },
      finish_reason: finish,
      logprobs:
        tokens === undefined
          ? null
          : {
              content: tokens.map(({ token, top }) => ({
                token,
                logprob: Math.log(top[token] ?? 1),
                top_logprobs: Object.entries(top).map(([likely, p]) => ({ token: likely, logprob: Math.log(p) })),
              })),
            },
    },
  ],
});

/** A raw completion that says this. */
export const raw = (text: string, finish = "stop") => ({ choices: [{ index: 0, text, finish_reason: finish }] });

export const sendJson = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};

export const startFakeServer = async (reply: Reply) => {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const one = {
      path: request.url ?? "",
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
    };
    asked.push(one);
    reply(one, response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
