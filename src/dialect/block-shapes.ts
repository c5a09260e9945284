/**
 * How each dialect says that an answer was blocked: as an error, or as an answer that refuses. Clients of these APIs know
 * these shapes; none of them holds the text that was blocked.
 */
import { type Fields, isFields } from "./inspecting.ts";

export interface Blocked {
  /** What the client may read. */
  message: string;
  policy: string | null;
  stage: "request" | "response";
  decisionId: string;
  /** The policy could not be evaluated, and nothing passes unevaluated. */
  unavailable: boolean;
}

/** What a refusing answer says of itself. */
export interface Envelope {
  model: string;
  /** Seconds since 1970. */
  created: number;
  usage: unknown;
  /** How many choices the client expects. */
  choices: number;
}

const pathOnly = (path: string): string => path.split("?", 1)[0] ?? "";

const questionFields: ReadonlyMap<string, string> = new Map([
  ["/chat/completions", "messages"],
  ["/messages", "messages"],
  ["/completions", "prompt"],
  ["/responses", "input"],
  ["/embeddings", "input"],
]);

/** The error object of a block: HTTP 400, or 503 where the policy could not be evaluated. */
export const blockError = (path: string, { message, policy, stage, decisionId, unavailable }: Blocked): Fields => {
  const param = stage === "response" ? "completion" : (questionFields.get(pathOnly(path)) ?? null);
  const error = {
    message,
    type: unavailable ? "api_error" : "invalid_request_error",
    param: unavailable ? null : param,
    code: unavailable ? "guardrail_unavailable" : "content_filter",
    innererror: { policy, stage, decision_id: decisionId },
  };
  return pathOnly(path) === "/messages" ? { type: "error", error } : { error };
};

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Ids that clients keep apart by their beginnings. */
const idOf = (prefix: string, { decisionId }: Blocked): string =>
  `${prefix}${decisionId.replaceAll(/[^A-Za-z0-9]/g, "")}`;

const refusalItem = (blocked: Blocked): Fields => ({
  type: "message",
  id: idOf("msg_", blocked),
  status: "completed",
  role: "assistant",
  content: [{ type: "refusal", refusal: blocked.message }],
});

const messagesUsage = (usage: unknown): unknown => (isFields(usage) ? usage : { input_tokens: 0, output_tokens: 0 });

type Refusing = (blocked: Blocked, envelope: Envelope) => Fields;

const refusals: ReadonlyMap<string, Refusing> = new Map<string, Refusing>([
  [
    "/chat/completions",
    (blocked, { model, created, usage, choices }) => ({
      id: idOf("chatcmpl-", blocked),
      object: "chat.completion",
      created,
      model,
      choices: upTo(choices).map((index) => ({
        index,
        message: { role: "assistant", content: null, refusal: blocked.message },
        logprobs: null,
        finish_reason: "content_filter",
      })),
      usage: usage ?? { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    }),
  ],
  [
    "/completions",
    (blocked, { model, created, usage, choices }) => ({
      id: idOf("cmpl-", blocked),
      object: "text_completion",
      created,
      model,
      choices: upTo(choices).map((index) => ({
        index,
        text: blocked.message,
        logprobs: null,
        finish_reason: "content_filter",
      })),
      usage: usage ?? { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    }),
  ],
  [
    "/responses",
    (blocked, { model, created, usage }) => ({
      id: idOf("resp_", blocked),
      object: "response",
      created_at: created,
      status: "incomplete",
      error: null,
      incomplete_details: { reason: "content_filter" },
      instructions: null,
      model,
      output: [refusalItem(blocked)],
      parallel_tool_calls: true,
      tool_choice: "auto",
      tools: [],
      metadata: {},
      usage: usage ?? null,
    }),
  ],
  [
    "/messages",
    (blocked, { model, usage }) => ({
      id: idOf("msg_", blocked),
      type: "message",
      role: "assistant",
      model,
      content: [{ type: "text", text: blocked.message }],
      stop_reason: "refusal",
      stop_sequence: null,
      usage: messagesUsage(usage),
    }),
  ],
]);

/** A whole answer that refuses; null in a dialect that has none. */
export const refusalBody = (path: string, blocked: Blocked, envelope: Envelope): Fields | null =>
  refusals.get(pathOnly(path))?.(blocked, envelope) ?? null;

/** What is known of an answer, from its body and from the request. */
export const envelopeOf = (request: unknown, answer: unknown, nowMs: number): Envelope => {
  const asked = isFields(request) ? request : {};
  const said = isFields(answer) ? answer : {};
  const created = said.created ?? said.created_at;
  const choices = Array.isArray(said.choices) ? said.choices.length : asked.n;
  return {
    model: typeof said.model === "string" ? said.model : typeof asked.model === "string" ? asked.model : "",
    created: typeof created === "number" ? created : Math.floor(nowMs / 1000),
    usage: said.usage ?? null,
    choices: typeof choices === "number" && Number.isInteger(choices) ? Math.min(Math.max(choices, 1), 128) : 1,
  };
};

/**
 * How a blocked stream closes behind the reason to finish: as a whole one does, or with an error, at which clients throw
 * that never look at reasons.
 */
export type LastEvent = "done" | "error";

/** The end of a stream that is blocked, from wherever it stands. */
export interface StreamEnding {
  /** Told of each event that the client gets, in order. */
  delivered(event: Fields): void;
  /** Whether the client has got any event. */
  begun(): boolean;
  /** What the client gets last: events as text. `envelope` stands in for what no event has told. */
  refusal(blocked: Blocked, envelope: Envelope, last: LastEvent): string;
}

const dataLine = (event: unknown): string => `data: ${JSON.stringify(event)}\n\n`;
const named = (event: Fields): string => `event: ${String(event.type)}\n${dataLine(event)}`;

/** Chat and completions: every open choice ends, then the stream. */
const createChoiceEnding = (path: string): StreamEnding => {
  const isChat = pathOnly(path) === "/chat/completions";
  let last: Fields | null = null;
  const open = new Set<number>();
  const finished = new Set<number>();
  return {
    delivered(event) {
      last = event;
      for (const [place, choice] of Array.isArray(event.choices) ? event.choices.entries() : []) {
        if (!isFields(choice)) continue;
        const index = typeof choice.index === "number" ? choice.index : place;
        if (choice.finish_reason === null || choice.finish_reason === undefined) open.add(index);
        else finished.add(index);
      }
    },
    begun: () => last !== null,
    refusal(blocked, envelope, close) {
      const begun = last !== null;
      const seen = begun ? [...open].filter((index) => !finished.has(index)) : upTo(envelope.choices);
      const choices = seen.map((index) =>
        isChat
          ? {
              index,
              delta: { ...(begun ? {} : { role: "assistant" }), refusal: blocked.message },
              logprobs: null,
              finish_reason: "content_filter",
            }
          : { index, text: begun ? "" : blocked.message, logprobs: null, finish_reason: "content_filter" },
      );
      const event = {
        id: last?.id ?? idOf(isChat ? "chatcmpl-" : "cmpl-", blocked),
        object: isChat ? "chat.completion.chunk" : "text_completion",
        created: last?.created ?? envelope.created,
        model: last?.model ?? envelope.model,
        choices,
      };
      const closing = close === "done" ? "data: [DONE]\n\n" : dataLine(blockError(path, blocked));
      return `${choices.length === 0 ? "" : dataLine(event)}${closing}`;
    },
  };
};

/** As the Responses API has errors in streams: without an object around it. */
const errorEvent = (path: string, blocked: Blocked): Fields => {
  const { error } = blockError(path, blocked);
  return isFields(error) ? { type: "error", code: error.code, message: error.message, param: error.param } : {};
};

/** Responses: an item that refuses, then `response.incomplete`. */
const createResponsesEnding = (path: string): StreamEnding => {
  let response: Fields | null = null;
  let sequence = -1;
  let items = 0;
  return {
    delivered(event) {
      if (isFields(event.response)) response = event.response;
      if (typeof event.sequence_number === "number") sequence = event.sequence_number;
      if (typeof event.output_index === "number") items = Math.max(items, event.output_index + 1);
    },
    begun: () => response !== null || sequence >= 0,
    refusal(blocked, envelope, close) {
      const whole = refusalBody(path, blocked, envelope) ?? {};
      const about = { output_index: items, content_index: 0, item_id: idOf("msg_", blocked) };
      const item = refusalItem(blocked);
      const part = { type: "refusal", refusal: blocked.message };
      const base = response ?? { ...whole, status: "in_progress", output: [], incomplete_details: null };
      const ended = { ...base, status: "incomplete", incomplete_details: { reason: "content_filter" }, output: [item] };
      const opening = response === null ? [{ type: "response.created", response: base }] : [];
      const { output_index } = about;
      return [
        ...opening,
        { type: "response.output_item.added", output_index, item: { ...item, status: "in_progress", content: [] } },
        { type: "response.content_part.added", ...about, part: { type: "refusal", refusal: "" } },
        { type: "response.refusal.delta", ...about, delta: blocked.message },
        { type: "response.refusal.done", ...about, refusal: blocked.message },
        { type: "response.content_part.done", ...about, part },
        { type: "response.output_item.done", output_index, item },
        { type: "response.incomplete", response: ended },
        ...(close === "done" ? [] : [errorEvent(path, blocked)]),
      ]
        .map((event, place) => named({ ...event, sequence_number: sequence + 1 + place }))
        .join("");
    },
  };
};

/** Messages: open blocks stop, one more says why, and the message stops with the reason `refusal`. */
const createMessagesEnding = (path: string): StreamEnding => {
  let begun = false;
  let next = 0;
  const open = new Set<number>();
  return {
    delivered(event) {
      begun = true;
      if (typeof event.index !== "number") return;
      next = Math.max(next, event.index + 1);
      if (event.type === "content_block_start") open.add(event.index);
      if (event.type === "content_block_stop") open.delete(event.index);
    },
    begun: () => begun,
    refusal(blocked, envelope, close) {
      const whole = refusalBody(path, blocked, envelope) ?? {};
      const opening = begun ? [] : [{ type: "message_start", message: { ...whole, content: [], stop_reason: null } }];
      return [
        ...opening,
        ...[...open].map((index) => ({ type: "content_block_stop", index })),
        { type: "content_block_start", index: next, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: next, delta: { type: "text_delta", text: blocked.message } },
        { type: "content_block_stop", index: next },
        { type: "message_delta", delta: { stop_reason: "refusal", stop_sequence: null }, usage: { output_tokens: 0 } },
        close === "done" ? { type: "message_stop" } : blockError(path, blocked),
      ]
        .map(named)
        .join("");
    },
  };
};

const endings: ReadonlyMap<string, (path: string) => StreamEnding> = new Map([
  ["/chat/completions", createChoiceEnding],
  ["/completions", createChoiceEnding],
  ["/responses", createResponsesEnding],
  ["/messages", createMessagesEnding],
]);

/** Null in a dialect that has no streams. */
export const createStreamEnding = (path: string): StreamEnding | null => endings.get(pathOnly(path))?.(path) ?? null;
