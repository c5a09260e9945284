/**
 * Finds the model that a request names: the `model` of the one JSON object that its body must be. Read by the grammar,
 * never searched for, because a substring is not a field. A body that names it twice is found out, because parsers
 * disagree on which one counts: a request must not be routed as one model and served as another.
 */
import {
  afterColon,
  afterComma,
  afterSpace,
  afterString,
  afterValue,
  broken,
  closeBrace,
  openBrace,
  quote,
} from "./json-scan.ts";

export type RequestedModel =
  | { kind: "object"; model: string | null }
  | { kind: "not-an-object" }
  /** Named twice, or in other letters (`Model`), which some servers take for the same field and others don't. */
  | { kind: "ambiguous" };

const notAnObject: RequestedModel = { kind: "not-an-object" };
const ambiguous: RequestedModel = { kind: "ambiguous" };
const field = "model";

/** What the valid string from `start` to `end`, quotes included, says. */
const textOf = (bytes: Buffer, start: number, end: number): string => {
  const raw = bytes.toString("utf8", start + 1, end - 1);
  return raw.includes("\\") ? String(JSON.parse(`"${raw}"`)) : raw;
};

export const readModel = (body: Buffer): RequestedModel => {
  const start = afterSpace(body, 0);
  if (body[start] !== openBrace) return notAnObject;
  let model: string | null = null;
  let names = 0;
  let otherSpellings = 0;
  let at = afterSpace(body, start + 1);
  while (body[at] !== closeBrace) {
    const keyEnd = afterString(body, at);
    const value = afterColon(body, keyEnd);
    const valueEnd = value === broken ? broken : afterValue(body, value);
    if (valueEnd === broken) return notAnObject;
    const key = textOf(body, at, keyEnd);
    if (key === field) {
      names += 1;
      model = body[value] === quote ? textOf(body, value, valueEnd) : null;
    } else if (key.length === field.length && key.toLowerCase() === field) otherSpellings += 1;
    at = afterComma(body, valueEnd, closeBrace);
    if (at === broken) return notAnObject;
  }
  if (afterSpace(body, at + 1) !== body.length) return notAnObject;
  return names > 1 || otherSpellings > 0 ? ambiguous : { kind: "object", model };
};
