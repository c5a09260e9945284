/**
 * What of an app's request makes it that app's: its headers and their order, the members of its body and how they were
 * written, everything but the conversation. In memory only: a template may hold the caller's key.
 */
import { hasDuplicateKeys } from "../dialect/json-text.ts";
import { type Laid, layoutOf } from "./json-layout.ts";

interface TemplateHeader {
  /** As it was written. */
  name: string;
  /** Null where a key stood that is not the prober's to use. */
  value: string | null;
}

/** How the messages of the conversation were written. */
export interface MessageManner {
  list: { open: string; comma: string; close: string };
  message: { open: string; comma: string; close: string; colon: string };
  /** In the order in which the app writes them. */
  names: readonly ("role" | "content")[];
  /** Roles whose contents the app sends as a list of parts. */
  inParts: readonly string[];
  ascii: boolean;
}

export interface RequestTemplate {
  /** Below the base URL, and the query with its `?`. */
  path: string;
  search: string;
  headers: readonly TemplateHeader[];
  body: { open: string; comma: string; close: string; colon: string };
  /** In the app's order, values as they were written; that of `messages` is empty. */
  members: readonly { name: string; text: string }[];
  messages: MessageManner;
  /** The probe is no part of what this caller does: neither its key nor its ids may be used. */
  ofStranger: boolean;
}

interface Crossed {
  path: string;
  search: string;
  /** Names and values in turn, as they went upstream. */
  rawHeaders: readonly string[];
  body: Buffer;
}

const credentials: ReadonlySet<string> = new Set(["authorization", "api-key", "x-api-key"]);

export const isCredential = (name: string): boolean => credentials.has(name.toLowerCase());

const commaOf = ({ comma, open }: Laid, outer: string): string => {
  if (comma !== null) return comma;
  const afterBracket = open.slice(1);
  return afterBracket === "" && !outer.includes("\n") ? outer : `,${afterBracket}`;
};

const escaped = /\\u(?:00[89a-f]|0[1-9a-f]|[1-9a-f])[0-9a-f]/i;

/** Where nothing shows it: who puts blanks after colons is Python, which escapes. */
const isAscii = (text: string, colon: string): boolean =>
  escaped.test(text) || (colon === ": " && Buffer.byteLength(text) === text.length);

const mannerOf = (text: string, outer: string, whole: string): MessageManner | null => {
  const list = layoutOf(text);
  const firstText = list?.items[0]?.text;
  const first = firstText === undefined ? null : layoutOf(firstText);
  if (list === null || first === null || first.colon === null || first.comma === null) return null;
  const written: unknown = JSON.parse(text);
  const messages = Array.isArray(written) ? written : [];
  const inParts = messages.flatMap((message): string[] =>
    typeof message?.role === "string" && Array.isArray(message.content) ? [message.role] : [],
  );
  const contentFirst = first.items.findIndex(({ name }) => name === "content") === 0;
  const { open, comma, close, colon } = first;
  return {
    list: { open: list.open, comma: commaOf(list, outer), close: list.close },
    message: { open, comma, close, colon },
    names: contentFirst ? ["content", "role"] : ["role", "content"],
    inParts: [...new Set(inParts)],
    ascii: isAscii(whole, colon),
  };
};

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Null for what is no chat completion that could be written anew. */
export const requestTemplate = ({ path, search, rawHeaders, body }: Crossed): RequestTemplate | null => {
  const text = body.toString("utf8");
  if (path !== "/chat/completions" || !parses(text) || hasDuplicateKeys(text)) return null;
  const laid = layoutOf(text);
  if (laid === null || laid.colon === null || laid.comma === null) return null;
  const { open, comma, close, colon } = laid;
  const conversation = laid.items.find(({ name }) => name === "messages");
  const messages = conversation === undefined ? null : mannerOf(conversation.text, comma, text);
  if (messages === null) return null;
  const headers = rawHeaders.flatMap((name, place): TemplateHeader[] =>
    place % 2 === 0 ? [{ name, value: rawHeaders[place + 1] ?? "" }] : [],
  );
  return {
    path,
    search,
    headers,
    body: { open, comma, close, colon },
    members: laid.items.map(({ name, text }) => ({ name: name ?? "", text: name === "messages" ? "" : text })),
    messages,
    ofStranger: false,
  };
};

/**
 * The same for a probe that is none of this caller's conversations.
 * @param callersKey whether it goes under this caller's key all the same, as the operator chose
 */
export const strangersTemplate = (template: RequestTemplate, callersKey: boolean): RequestTemplate => ({
  ...template,
  headers: template.headers.map(({ name, value }) => ({
    name,
    value: isCredential(name) && !callersKey ? null : value,
  })),
  ofStranger: true,
});

/** In characters. */
export const templateSize = ({ headers, members }: RequestTemplate): number =>
  headers.reduce((sum, { name, value }) => sum + name.length + (value?.length ?? 0), 0) +
  members.reduce((sum, { name, text }) => sum + name.length + text.length, 0);
