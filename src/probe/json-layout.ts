/**
 * How a JSON text is laid out: what stands between its parts, letter by letter. Takes it apart and writes new parts in
 * the same manner, so that a body with another conversation looks as if the same program had written it.
 */

export interface Laid {
  /** From the beginning to the first item, between two items, and from the last one to the end. */
  open: string;
  /** Null where there are fewer than two items. */
  comma: string | null;
  close: string;
  /** Between a name and its value; null for arrays and empty objects. */
  colon: string | null;
  /** Values as written. Names are null in arrays. */
  items: { name: string | null; text: string }[];
}

const blank = (unit: string | undefined): boolean => unit === " " || unit === "\n" || unit === "\r" || unit === "\t";

const afterBlanks = (text: string, from: number): number => {
  let at = from;
  while (blank(text[at])) at += 1;
  return at;
};

const afterString = (text: string, from: number): number => {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
};

/** Where the value that begins at `from` ends, blanks after it left out. */
const afterValue = (text: string, from: number): number => {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const unit = text[at];
    if (unit === '"') {
      at = afterString(text, at);
      continue;
    }
    if (depth === 0 && (unit === "," || unit === "}" || unit === "]")) break;
    if (unit === "{" || unit === "[") depth += 1;
    else if (unit === "}" || unit === "]") depth -= 1;
    at += 1;
  }
  while (blank(text[at - 1])) at -= 1;
  return at;
};

/** The layout of an object or array; null for other values. Takes text that JSON.parse has accepted. */
export const layoutOf = (text: string): Laid | null => {
  const start = afterBlanks(text, 0);
  const isObject = text[start] === "{";
  if (!isObject && text[start] !== "[") return null;
  const laid: Laid = { open: "", comma: null, close: "", colon: null, items: [] };
  let end = start + 1;
  let at = afterBlanks(text, end);
  while (text[at] !== "}" && text[at] !== "]") {
    if (laid.items.length === 0) laid.open = text.slice(0, at);
    else laid.comma ??= text.slice(end, at);
    let name: string | null = null;
    if (isObject) {
      const afterName = afterString(text, at);
      name = String(JSON.parse(text.slice(at, afterName)));
      at = afterBlanks(text, afterBlanks(text, afterName) + 1);
      laid.colon ??= text.slice(afterName, at);
    }
    end = afterValue(text, at);
    laid.items.push({ name, text: text.slice(at, end) });
    at = afterBlanks(text, end);
    if (text[at] === ",") at = afterBlanks(text, at + 1);
  }
  if (laid.items.length === 0) laid.open = text.slice(0, end);
  laid.close = text.slice(end);
  return laid;
};

type Manner = Pick<Laid, "open" | "close"> & { comma: string };

export const writeArray = ({ open, comma, close }: Manner, items: readonly string[]): string =>
  open + items.join(comma) + close;

export const writeObject = (
  { open, comma, close, colon }: Manner & { colon: string },
  members: readonly (readonly [name: string, text: string])[],
): string => open + members.map(([name, text]) => JSON.stringify(name) + colon + text).join(comma) + close;

/** `ascii` escapes everything else, as Python's json.dumps does unless told not to. */
export const writeString = (value: string, ascii: boolean): string => {
  const text = JSON.stringify(value);
  return ascii
    ? text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    : text;
};
