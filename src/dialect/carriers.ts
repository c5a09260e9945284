/**
 * Where text travels in an exchange. A guard that looks at the last user message alone is talked past through any other
 * of these, so a dialect lists every one, and names what it could not read instead of passing over it.
 */

export type CarrierKind =
  /** A turn's text, or one text part of it; also a prompt of completions and an input of embeddings. */
  | "message"
  /** Name, description and schema of a tool that the app offers, as one text. */
  | "tool-definition"
  /** The arguments with which the model calls a tool, whole: put together from deltas by index. */
  | "tool-arguments"
  | "tool-result"
  | "reasoning"
  | "refusal"
  /** Text in fields that steer the answer: response schemas, stop sequences, metadata, user names. */
  | "parameter"
  /** Tokens of logprobs joined: they repeat the text and leak it where only the text is redacted. */
  | "logprobs";

export interface Carrier {
  kind: CarrierKind;
  /** Null where the dialect has no roles. */
  role: "system" | "developer" | "user" | "assistant" | "tool" | null;
  /** Which of the answer's choices; null in requests. */
  choice: number | null;
  /** Name of the tool for tool-definition, tool-arguments and, where it is told, tool-result. */
  tool: string | null;
  /** Where the text stands in the JSON body: `["messages", 0, "content"]`. Logprobs: the list of tokens. */
  at: readonly (string | number)[];
  text: string;
}

/** What cannot be inspected, and is said: a bounded set of names, used as metric labels. */
export const gaps = [
  "image",
  "audio",
  "file",
  "encrypted-reasoning",
  "unknown-part",
  "unknown-path",
  "unreadable-body",
  "encoded-body",
  "too-large",
] as const;
export type Gap = (typeof gaps)[number];

export interface Inspection {
  /** In the order of the body. */
  carriers: Carrier[];
  /** full: all that can carry text was read. partial: `gaps` was not. none: nothing was. */
  coverage: "full" | "partial" | "none";
  gaps: Gap[];
}
