/** What Candor reads out of a request or an answer, whatever API shape it came in. A view is a reading of a copy. */

export interface Turn {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  /** All text parts of the turn, joined by newlines. */
  text: string;
}

export interface RequestView {
  model: string | null;
  stream: boolean;
  /** Empty when the request has no conversation (embeddings) or could not be read. */
  turns: Turn[];
  /** Sampling parameters and the like to be used again by a fork: temperature, top_p, max_tokens, seed... */
  parameters: Record<string, unknown>;
  /** Completions only: every turn is a prompt of its own, answered by this many choices, which may repeat it first. */
  prompts?: { choicesEach: number; echo: boolean };
}

export interface AnswerView {
  choices: {
    text: string;
    refusal: string | null;
    toolCalls: { name: string; arguments: string }[];
    finishReason: string | null;
    /** What the model thought aloud beside the text, where the upstream shows it. Not part of the answer. */
    reasoning?: string;
  }[];
  usage: { promptTokens: number; completionTokens: number } | null;
  /** False when the answer ended before it was whole: no finish reason, or a stream without its end. */
  complete: boolean;
}
