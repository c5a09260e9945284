/** What an adapter of a guard model is: how the model is asked and how its reply is read. Pure; never touches the network. */
import type { JudgedText, Judgement } from "../classifier.ts";
import type { GuardPost } from "./guard-client.ts";
import type { GuardReply } from "./guard-reply.ts";

export type GuardReading = Omit<Extract<Judgement, { kind: "judged" }>, "source">;

export interface GuardAdapter {
  id: string;
  /** Of template, settings and reading: another version is another measurement. */
  version: string;
  /**
   * What is posted, side by side. Nothing in `text` can end its place in the template.
   * @param model its name on the server
   */
  requests(text: JudgedText, model: string): GuardPost[];
  /** @param replies one for each request, in their order */
  read(replies: readonly GuardReply[]): GuardReading | "unparseable";
}

/** Stands where the template wants a request and none is known. */
export const unknownRequest = "(The request is not known.)";

/** For models that are asked once: what ran into the token limit is no verdict. */
export const whole = (replies: readonly GuardReply[]): GuardReply | null => {
  const [reply] = replies;
  return replies.length === 1 && reply?.finished ? reply : null;
};

interface ChatMessage {
  role: "user" | "assistant";
  content: unknown;
}

/** Asked over the server's own chat template: the likeliest answer, with the words that stood beside it. */
export const chatRequest = (model: string, messages: readonly ChatMessage[], maxTokens: number): GuardPost => ({
  path: "/chat/completions",
  body: { model, messages, temperature: 0, max_tokens: maxTokens, logprobs: true, top_logprobs: 5 },
});

/** The same over a template that is written out. */
export const rawRequest = (model: string, prompt: string, maxTokens: number): GuardPost => ({
  path: "/completions",
  body: { model, prompt, temperature: 0, max_tokens: maxTokens, logprobs: 5 },
});
