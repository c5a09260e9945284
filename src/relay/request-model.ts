/**
 * Finds the model that a request names. The body is parsed, never searched: a substring is not a field. A body that names
 * it twice is found out, because parsers disagree on which of the two counts: a request must not be routed as one model
 * and served as another.
 */

export type RequestedModel =
  | { kind: "object"; model: string | null }
  | { kind: "not-an-object" }
  /** Named twice, or in other letters (`Model`), which some servers take for the same field and others don't. */
  | { kind: "ambiguous" };

const notAnObject: RequestedModel = { kind: "not-an-object" };
const ambiguous: RequestedModel = { kind: "ambiguous" };
const field = "model";
/** Bytes, because searching those is several times faster than searching a string. */
const quoted = Buffer.from(`"${field}"`);
/** How every escaped Latin letter begins. */
const escaped = Buffer.from("\\u00");

const isOtherSpelling = (key: string): boolean =>
  key.length === field.length && key !== field && key.toLowerCase() === field;

/** A string of a valid document, or what gives such a document its structure. */
const token = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/** Names of the members of a valid document's object, each as often as it is there. */
function* namesIn(document: string): Generator<string> {
  let depth = 0;
  let last = "";
  for (const [found] of document.matchAll(token)) {
    if (found === "{" || found === "[") depth += 1;
    else if (found === "}" || found === "]") depth -= 1;
    else if (found === ":" && depth === 1) yield String(JSON.parse(last));
    else last = found;
  }
}

const timesNamed = (document: string): number => [...namesIn(document)].filter((name) => name === field).length;

/** Whether the name could be there more than once: spelled out, or with one of its letters escaped (`mod\u0065l`). */
const mayBeNamedTwice = (body: Buffer): boolean =>
  body.indexOf(quoted, body.indexOf(quoted) + 1) !== -1 || body.indexOf(escaped) !== -1;

export const readModel = (body: Buffer): RequestedModel => {
  const document = body.toString("utf8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    return notAnObject;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return notAnObject;
  for (const key in parsed) if (isOtherSpelling(key)) return ambiguous;
  if (mayBeNamedTwice(body) && timesNamed(document) > 1) return ambiguous;
  const model = "model" in parsed ? parsed.model : undefined;
  return { kind: "object", model: typeof model === "string" ? model : null };
};
