/**
 * The smallest server that an OpenAI client takes for the real thing: chat completions whole and streamed, models,
 * usage. On loopback only; what it answers is up to its speaker.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

const part = z.looseObject({ type: z.string(), text: z.string().optional() });
const message = z
  .looseObject({ role: z.string(), content: z.union([z.string(), z.array(part), z.null()]).optional() })
  .transform(({ role, content }) => ({
    role,
    content: typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join("\n"),
  }));
export type ChatMessage = z.output<typeof message>;

const chatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
});
type ChatRequest = z.output<typeof chatRequest>;

export interface Speaker {
  say(messages: readonly ChatMessage[]): string;
}

interface ServerParts {
  /** Name that it gives itself. */
  model: string;
  speaker: Speaker;
}

export interface RunningServer {
  /** Ends in /v1. */
  baseUrl: string;
  close(): Promise<void>;
}

const largestBody = 4 * 1024 * 1024;

const readBody = async (request: IncomingMessage): Promise<string | null> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};

const sendError = (response: ServerResponse, status: number, message: string): void =>
  sendJson(response, status, { error: { message, type: "invalid_request_error", param: null, code: null } });

/** About four characters a token: near enough for a bill that nobody pays. */
const tokensOf = (text: string): number => Math.ceil(text.length / 4);

const parse = (body: string): ChatRequest | string => {
  try {
    const parsed = chatRequest.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : z.prettifyError(parsed.error);
  } catch {
    return "the body is not JSON";
  }
};

const complete = (
  response: ServerResponse,
  { messages, stream, stream_options }: ChatRequest,
  parts: ServerParts,
  id: string,
): void => {
  const text = parts.speaker.say(messages);
  const prompt = tokensOf(messages.map(({ content }) => content).join("\n"));
  const usage = { prompt_tokens: prompt, completion_tokens: tokensOf(text), total_tokens: prompt + tokensOf(text) };
  const head = { id, created: Math.floor(Date.now() / 1000), model: parts.model };
  if (stream !== true) {
    const choice = {
      index: 0,
      message: { role: "assistant", content: text, refusal: null },
      finish_reason: "stop",
      logprobs: null,
    };
    sendJson(response, 200, { ...head, object: "chat.completion", choices: [choice], usage });
    return;
  }
  const send = (choices: unknown[], more = {}): void => {
    response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...more })}\n\n`);
  };
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  send([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]);
  for (const content of text.match(/\s*\S+\s*/g) ?? []) send([{ index: 0, delta: { content }, finish_reason: null }]);
  send([{ index: 0, delta: {}, finish_reason: "stop" }]);
  if (stream_options?.include_usage === true) send([], { usage });
  response.end("data: [DONE]\n\n");
};

export const startOpenAiServer = async (parts: ServerParts): Promise<RunningServer> => {
  let count = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === "GET" && request.url === "/v1/models") {
      const model = { id: parts.model, object: "model", created: 0, owned_by: "candor-demo" };
      return sendJson(response, 200, { object: "list", data: [model] });
    }
    if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
      return sendError(response, 404, `there is only POST /v1/chat/completions and GET /v1/models here`);
    }
    const body = await readBody(request);
    if (body === null) return sendError(response, 413, `send at most ${largestBody} bytes`);
    const parsed = parse(body);
    if (typeof parsed === "string") return sendError(response, 400, parsed);
    count += 1;
    complete(response, parsed, parts, `chatcmpl-demo-${count}`);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // Nothing that can still be said when the answer has begun.
      if (response.headersSent) response.destroy();
      else sendError(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
