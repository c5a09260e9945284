/**
 * Names the fields in which two configurations differ, as an operator would look for them: `limits.copyBytes`,
 * `subjects.chat.models`. Tells names alone, never a value: a value may be a secret's.
 */
import { canonicalJson } from "../kernel/canonical-json.ts";

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const idOf = (item: unknown): string | null =>
  isObject(item) && "id" in item && typeof item.id === "string" ? item.id : null;

/** Null of what has no fields that can be told apart: it is named as a whole. */
const fieldsOf = (value: unknown): Map<string, unknown> | null => {
  if (isObject(value)) return new Map(Object.entries(value));
  if (!Array.isArray(value)) return null;
  const byId = new Map<string, unknown>();
  for (const item of value) {
    const id = idOf(item);
    if (id === null) return null;
    byId.set(id, item);
  }
  return byId;
};

const isSame = (before: unknown, after: unknown): boolean =>
  canonicalJson(before ?? null) === canonicalJson(after ?? null);

/** Empty when both say the same. A changed order of subjects or upstreams is named by their list. */
export const changedFields = (before: unknown, after: unknown, name = ""): string[] => {
  if (isSame(before, after)) return [];
  const [old, next] = [fieldsOf(before), fieldsOf(after)];
  if (old === null || next === null) return [name];
  const inside = [...new Set([...old.keys(), ...next.keys()])].flatMap((key) =>
    changedFields(old.get(key), next.get(key), name === "" ? key : `${name}.${key}`),
  );
  return inside.length === 0 ? [name] : inside;
};
