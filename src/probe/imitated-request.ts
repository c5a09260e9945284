/**
 * A question as it goes over the wire: the app's own request with another conversation in it, or, where no request of the
 * app is known, a plain one. Nothing in it says that it is a probe, and no id of the app's comes twice.
 */
import type { ProbeSettings } from "../config/schema.ts";
import type { Turn } from "../dialect/views.ts";
import type { Random } from "../kernel/random.ts";
import type { Question, Repeatable } from "./asking.ts";
import { freshLike } from "./fresh-values.ts";
import { writeArray, writeObject, writeString } from "./json-layout.ts";
import { isCredential, type MessageManner, type RequestTemplate } from "./request-template.ts";

export interface ImitationOptions {
  /** For questions that imitate no request; others ask the model that the app asked. */
  model: string;
  /** Takes the place of a caller's key in questions that carry none; null sends none (local servers need none). */
  key: string | null;
  /** False where the upstream has a key of its own: then a caller's key is meant for Candor and must not travel on. */
  passCallerKey: boolean;
  maxAnswerTokens: number;
  /** What the configuration says of requests that are imitated; where none is, these have nothing to decide. */
  answerBound?: ProbeSettings["answerBound"];
  forkTools?: ProbeSettings["forkTools"];
  random?: Random;
  /** Wall clock, milliseconds. */
  now?: () => number;
}

/** What is handed to the egress. Headers are names and values in turn. */
export interface Sendable {
  path: string;
  search: string;
  headers: string[];
  body: string;
}

type Renew = (value: string) => string | null;

// Headers.

/** Of one request only: never sent again. */
const ofOneRequest =
  /^(?:traceparent|tracestate|baggage|b3|sentry-trace)$|(?:request|trace|span|correlation)-?id$|idempotency-key$/;

/** What a client library says, whoever uses it. Others an operator let cross: they may name a tenant. */
const ofAnyone = /^(?:accept|content|openai|x-stainless|anthropic)(?:-|$)|^user-agent$/;

/** The value to send under this name, or null to leave it out. Keys are not its matter. */
const headerValue = (name: string, value: string, template: RequestTemplate, renew: Renew): string | null => {
  if (ofOneRequest.test(name)) return renew(value);
  // Nothing is retried.
  if (name === "x-stainless-retry-count") return "0";
  return template.ofStranger && !ofAnyone.test(name) ? null : value;
};

const asCredential = (name: string, key: string): string =>
  name.toLowerCase() === "authorization" ? `Bearer ${key}` : key;

const headersLike = (template: RequestTemplate, options: ImitationOptions, renew: Renew): string[] => {
  const { headers } = template;
  const asCaller = options.passCallerKey && headers.some(({ name, value }) => isCredential(name) && value !== null);
  let key = asCaller ? null : options.key;
  const sent = headers.flatMap(({ name, value }): string[] => {
    if (!isCredential(name)) {
      const kept = value === null ? null : headerValue(name.toLowerCase(), value, template, renew);
      return kept === null ? [] : [name, kept];
    }
    if (asCaller) return value === null ? [] : [name, value];
    if (key === null) return [];
    const own = asCredential(name, key);
    key = null;
    return [name, own];
  });
  // Where no key stood, the relay's manner of putting one in.
  return key === null ? sent : [...sent, "authorization", `Bearer ${key}`];
};

const imitable = /^(?:user-agent|accept|accept-language|x-stainless-.*|openai-.*)$/;

const plainHeaders = (question: Question, { key, passCallerKey }: ImitationOptions): string[] => {
  const given = Object.entries(question.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const callers = passCallerKey ? given.filter(([name]) => isCredential(name)) : [];
  const accepts = given.some(([name]) => name === "accept");
  return [
    ...(accepts ? [] : ["accept", "application/json"]),
    "content-type",
    "application/json",
    ...given.filter(([name]) => imitable.test(name)).flat(),
    ...callers.flat(),
    ...(callers.length === 0 && key !== null ? ["authorization", `Bearer ${key}`] : []),
  ];
};

// Bodies.

const boundNames = ["max_completion_tokens", "max_tokens"] as const;

const toolMembers = new Set([
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "functions",
  "function_call",
  "response_format",
]);

/** Who a request is made for. */
const personMembers = new Set(["user", "safety_identifier", "prompt_cache_key"]);

/** Reasoning models take only the newer name; everything else understands the older one. */
const newerBoundIf = (reasons: boolean): (typeof boundNames)[number] =>
  reasons ? "max_completion_tokens" : "max_tokens";

/** The bound that the app itself set, in tokens; null when it set none. */
const boundOf = ({ members }: RequestTemplate): number | null => {
  const bounds = members.flatMap(({ name, text }) =>
    boundNames.some((bound) => bound === name) && Number(text) > 0 ? [Number(text)] : [],
  );
  return bounds.length === 0 ? null : Math.min(...bounds);
};

/** Names that apps and tracing libraries give to ids of one call. */
const ofOneCall = /(?:request|trace|span|message|call|run|generation)[-_ ]?id$/i;

/** Strings in it under names that `isRenewed` accepts, if they look like ids, renewed; all else as it was written. */
const renewedWithin = (text: string, isRenewed: (name: string) => boolean, renew: Renew): string =>
  text.replace(
    /("(?:[^"\\]|\\.)*")(\s*:\s*)("(?:[^"\\]|\\.)*")/g,
    (whole, name: string, colon: string, value: string) => {
      const renewed = isRenewed(String(JSON.parse(name))) ? renew(String(JSON.parse(value))) : null;
      return renewed === null ? whole : name + colon + JSON.stringify(renewed);
    },
  );

const renewedString = (text: string, renew: Renew): string | null => {
  const value: unknown = JSON.parse(text);
  const renewed = typeof value === "string" ? renew(value) : null;
  return renewed === null ? null : JSON.stringify(renewed);
};

const writeTurns = (turns: readonly Turn[], { list, message, names, inParts, ascii }: MessageManner): string => {
  const content = ({ role, text }: Turn): string => {
    const written = writeString(text, ascii);
    return inParts.includes(role)
      ? writeArray({ open: "[", comma: ",", close: "]" }, [
          writeObject(
            { ...message, open: "{", comma: message.comma.includes("\n") ? ", " : message.comma, close: "}" },
            [
              ["type", '"text"'],
              ["text", written],
            ],
          ),
        ])
      : written;
  };
  return writeArray(
    list,
    turns.map((turn) =>
      writeObject(
        message,
        names.map((name) => [name, name === "role" ? JSON.stringify(turn.role) : content(turn)] as const),
      ),
    ),
  );
};

/** A member's value as it is to be sent, or null to leave it out. */
const memberValue = (
  name: string,
  text: string,
  { turns }: Question,
  template: RequestTemplate,
  { forkTools, answerBound, maxAnswerTokens }: ImitationOptions,
  renew: Renew,
): string | null => {
  if (name === "messages") return writeTurns(turns, template.messages);
  // One answer is read; more would only cost.
  if (name === "n") return text === "null" ? text : "1";
  if (forkTools === "remove" && toolMembers.has(name)) return null;
  if (template.ofStranger && personMembers.has(name)) return renewedString(text, renew);
  if (name === "metadata") return renewedWithin(text, (key) => template.ofStranger || ofOneCall.test(key), renew);
  const isBound = answerBound === "always" && boundNames.some((bound) => bound === name);
  return isBound && Number(text) > maxAnswerTokens ? String(maxAnswerTokens) : text;
};

const bodyLike = (template: RequestTemplate, question: Question, options: ImitationOptions, renew: Renew): string => {
  const members = template.members.flatMap(({ name, text }): [string, string][] => {
    const value = memberValue(name, text, question, template, options, renew);
    return value === null ? [] : [[name, value]];
  });
  const { answerBound, maxAnswerTokens } = options;
  if (answerBound === "always" && boundOf(template) === null) {
    const reasons = template.members.some(({ name }) => name === "reasoning_effort");
    members.push([newerBoundIf(reasons), String(maxAnswerTokens)]);
  }
  return writeObject(template.body, members);
};

/** Of the app's request what bears on no answer, or on every one alike. Anything else may differ between requests. */
const keptForRepeatable = new Set([
  "messages",
  "stream",
  "stream_options",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "metadata",
  "store",
  "service_tier",
  "n",
  "reasoning_effort",
]);

/** What makes an answer repeat itself, in the order in which it is added where the app says nothing of it. */
const repeatableMembers = (
  { maxTokens, seed, logprobs }: Repeatable,
  bound: string,
  model: string,
): [name: string, text: string][] => [
  ["model", JSON.stringify(model)],
  ["temperature", "0"],
  [bound, String(maxTokens)],
  ...(seed === null ? [] : [["seed", String(seed)] satisfies [string, string]]),
  ...(logprobs ? [["logprobs", "true"] satisfies [string, string]] : []),
];

/** In the app's layout and order; the model is always the same one, whichever of several this request named. */
const repeatableBody = (
  template: RequestTemplate,
  question: Question,
  repeatable: Repeatable,
  options: ImitationOptions,
  renew: Renew,
): string => {
  const names = template.members.map(({ name }) => name);
  const bound = boundNames.find((name) => names.includes(name)) ?? newerBoundIf(names.includes("reasoning_effort"));
  const fixed = new Map(repeatableMembers(repeatable, bound, options.model));
  const members = template.members.flatMap(({ name, text }): [string, string][] => {
    const value =
      fixed.get(name) ??
      (keptForRepeatable.has(name) ? memberValue(name, text, question, template, options, renew) : null);
    return value === null ? [] : [[name, value]];
  });
  return writeObject(template.body, [...members, ...[...fixed].filter(([name]) => !names.includes(name))]);
};

/** Sampling as the app does it, of requests in other dialects. */
const reused = [
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "seed",
  "stop",
  "presence_penalty",
  "frequency_penalty",
  "repetition_penalty",
  "reasoning_effort",
] as const;

const plainBound = (parameters: Record<string, unknown>, most: number): Record<string, number> => {
  const bounded = (value: unknown): number => (typeof value === "number" && value > 0 ? Math.min(value, most) : most);
  const newer = parameters.max_completion_tokens !== undefined || parameters.reasoning_effort !== undefined;
  const name = newerBoundIf(newer);
  return { [name]: bounded(parameters[name]) };
};

const plainSampling = (
  { parameters, repeatable }: Question,
  { model, maxAnswerTokens }: ImitationOptions,
): Record<string, unknown> => {
  if (repeatable === undefined) {
    return {
      ...Object.fromEntries(reused.flatMap((name) => (name in parameters ? [[name, parameters[name]]] : []))),
      ...plainBound(parameters, maxAnswerTokens),
    };
  }
  const bound = newerBoundIf("reasoning_effort" in parameters || "max_completion_tokens" in parameters);
  const fixed = repeatableMembers(repeatable, bound, model).map(([name, text]) => [name, JSON.parse(text)]);
  return Object.fromEntries(fixed);
};

const plainBody = (question: Question, options: ImitationOptions): string => {
  const { turns, parameters } = question;
  return JSON.stringify({
    model: options.model,
    messages: turns.map(({ role, text }) => ({ role, content: text })),
    ...plainSampling(question, options),
    ...(parameters.stream === true
      ? {
          stream: true,
          ...(parameters.stream_options === undefined ? {} : { stream_options: parameters.stream_options }),
        }
      : {}),
  });
};

// Both.

export const imitatedRequest = (question: Question, options: ImitationOptions): Sendable => {
  const { template } = question;
  if (!template) {
    const headers = plainHeaders(question, options);
    return { path: "/chat/completions", search: "", headers, body: plainBody(question, options) };
  }
  const { random = Math.random, now = Date.now } = options;
  const renew: Renew = (value) => freshLike(value, { random, now: now() });
  return {
    path: template.path,
    search: template.search,
    headers: headersLike(template, options, renew),
    body:
      question.repeatable === undefined
        ? bodyLike(template, question, options, renew)
        : repeatableBody(template, question, question.repeatable, options, renew),
  };
};

/**
 * Most tokens of the request and its answer, for budgets. No tokeniser in use makes more tokens of a text than it has
 * bytes; chat templates add a few per turn. An answer that the app does not bound counts as long as a bounded one.
 */
export const mostTokens = (
  { turns, template, repeatable }: Question,
  { maxAnswerTokens, answerBound }: Pick<ProbeSettings, "maxAnswerTokens" | "answerBound">,
): number => {
  const conversation = turns.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 8, 16);
  if (repeatable !== undefined) return conversation + repeatable.maxTokens;
  if (!template) return conversation + maxAnswerTokens;
  const own = boundOf(template) ?? maxAnswerTokens;
  const answer = answerBound === "always" ? Math.min(own, maxAnswerTokens) : own;
  const others = template.members.reduce((sum, { name, text }) => sum + name.length + Buffer.byteLength(text), 0);
  return conversation + others + answer;
};
