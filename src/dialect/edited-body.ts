/**
 * Puts a policy's edits into a body, at the carriers and nowhere else. An edit that cannot be made exactly as decided
 * makes the whole body unusable: null, never the text that was to be hidden.
 */
import type { Carrier } from "./carriers.ts";
import { eachWord, type Path, wordBreak } from "./inspecting.ts";
import { parseJson } from "./json-body.ts";
import { type Replacement, replaceValues } from "./json-text.ts";

/** What of a carrier's text is to be replaced; by UTF-16 units, in order, not overlapping. */
interface TextEdit {
  start: number;
  end: number;
  replacement: string;
}

/** An edit of the carrier that stands at `at`. */
export interface PlacedEdit extends TextEdit {
  at: Path;
}

const editText = (text: string, edits: readonly TextEdit[]): string => {
  let edited = "";
  let done = 0;
  for (const { start, end, replacement } of edits) {
    edited += text.slice(done, start) + replacement;
    done = end;
  }
  return edited + text.slice(done);
};

const valueAt = (json: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    json,
  );

/** Tokens repeat the text piece by piece, so they go as a whole. Only choices may have null there. */
const withoutTokens = (at: Path): Replacement => ({
  path: at.slice(0, at.lastIndexOf("logprobs") + 1),
  value: at[0] === "choices" ? null : [],
});

/** Spreads edits of a value that was read as one text over its strings; null where one touches a name or two strings. */
const editWords = (value: unknown, at: Path, edits: readonly TextEdit[]): Replacement[] | null => {
  const replaced: Replacement[] = [];
  let start = 0;
  let made = 0;
  eachWord(value, (text, path, isKey) => {
    const end = start + text.length;
    const inside = edits.filter((edit) => edit.start >= start && edit.end <= end && edit.start < end);
    if (inside.length > 0 && !isKey) {
      made += inside.length;
      const own = inside.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }));
      replaced.push({ path: [...at, ...path], value: editText(text, own) });
    }
    start = end + wordBreak.length;
  });
  return made === edits.length ? replaced : null;
};

const editCarrier = (json: unknown, { kind, at, text }: Carrier, edits: readonly TextEdit[]): Replacement[] | null => {
  if (kind === "logprobs") return [withoutTokens(at)];
  const value = valueAt(json, at);
  if (typeof value === "string") return value === text ? [{ path: at, value: editText(text, edits) }] : null;
  if (kind === "tool-arguments") {
    const edited = JSON.stringify(value) === text ? parseJson(editText(text, edits)) : undefined;
    return edited === undefined ? null : [{ path: at, value: edited }];
  }
  return editWords(value, at, edits);
};

/** Whether replacing `outer` would already replace `inner`. */
const encloses = (outer: Path, inner: Path): boolean => outer.every((key, place) => key === inner[place]);

/** `carriers` are those that were found in `text`; every edit is of one of them. */
export const editJson = (text: string, carriers: readonly Carrier[], edits: readonly PlacedEdit[]): string | null => {
  const json = parseJson(text);
  const byPlace = new Map<string, PlacedEdit[]>();
  for (const edit of edits) {
    const key = JSON.stringify(edit.at);
    const known = byPlace.get(key);
    if (known === undefined) byPlace.set(key, [edit]);
    else known.push(edit);
  }
  const edited = carriers.filter(({ at }) => byPlace.has(JSON.stringify(at)));
  if (edited.length !== byPlace.size) return null;
  const replacements: Replacement[] = [];
  for (const carrier of edited) {
    const made = editCarrier(json, carrier, byPlace.get(JSON.stringify(carrier.at)) ?? []);
    if (made === null) return null;
    replacements.push(...made);
  }
  // The tokens of a choice tell what was taken out of its text.
  const choices = new Set(edited.map(({ choice }) => choice));
  for (const { kind, choice, at } of carriers) {
    if (kind === "logprobs" && choices.has(choice)) replacements.push(withoutTokens(at));
  }
  const outermost = new Map(
    replacements
      .filter(
        ({ path }) => !replacements.some((other) => other.path.length < path.length && encloses(other.path, path)),
      )
      .map((replacement) => [JSON.stringify(replacement.path), replacement]),
  );
  return replaceValues(text, [...outermost.values()]);
};

export const editBody = (body: Buffer, carriers: readonly Carrier[], edits: readonly PlacedEdit[]): Buffer | null => {
  const edited = editJson(body.toString("utf8"), carriers, edits);
  return edited === null ? null : Buffer.from(edited, "utf8");
};
