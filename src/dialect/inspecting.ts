/**
 * Collects the carriers of one body. A dialect names the places that it knows; whatever else holds text is collected as
 * well, so that a field which nobody thought of is no way past a policy. Reads hostile JSON: never throws.
 */
import type { Carrier, CarrierKind, Gap, Inspection } from "./carriers.ts";

export type Fields = Readonly<Record<string, unknown>>;
export type Path = readonly (string | number)[];

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Deeper than any schema that an app sends; below it nothing is read, and that is said. */
const deepest = 96;

/** Names and identifiers that the API itself defines; anything longer or with spaces in it is text all the same. */
const plainName = /^[A-Za-z0-9_.:/@-]{0,80}$/;
const namingFields: ReadonlySet<string> = new Set([
  ...[
    "id",
    "type",
    "object",
    "status",
    "role",
    "model",
    "phase",
    "finish_reason",
    "stop_reason",
    "native_finish_reason",
  ],
  ...["call_id", "tool_call_id", "tool_use_id", "item_id", "response_id", "previous_response_id", "container_id"],
  ...["system_fingerprint", "service_tier", "obfuscation", "provider", "prompt_cache_retention", "truncation"],
]);

/**
 * Visits every key and string below a value, in the order of the body. `path` is the walk's own: copy it to keep it.
 * False where the value is nested too deeply to be read.
 */
export const eachWord = (value: unknown, visit: (text: string, path: Path, isKey: boolean) => void): boolean => {
  const path: (string | number)[] = [];
  const below = (key: string | number, inner: unknown): boolean => {
    path.push(key);
    const read = walk(inner);
    path.pop();
    return read;
  };
  const walk = (inner: unknown): boolean => {
    if (typeof inner === "string") visit(inner, path, false);
    if (typeof inner !== "object" || inner === null) return true;
    if (path.length >= deepest) return false;
    if (Array.isArray(inner)) return inner.every((item, place) => below(place, item));
    return Object.entries(inner).every(([key, item]) => {
      visit(key, path, true);
      return below(key, item);
    });
  };
  return walk(value);
};

/** Stands between two words of a value that is read as one text. */
export const wordBreak = "\n";

/** The same words as `eachWord` visits, joined. Apart from it because every request pays for this one. */
const wordsOf = (value: unknown): string | null => {
  const words: string[] = [];
  const walk = (inner: unknown, depth: number): boolean => {
    if (typeof inner === "string") words.push(inner);
    if (typeof inner !== "object" || inner === null) return true;
    if (depth >= deepest) return false;
    if (Array.isArray(inner)) {
      for (const item of inner) if (!walk(item, depth + 1)) return false;
      return true;
    }
    for (const key of Object.keys(inner)) {
      words.push(key);
      if (!walk((inner as Fields)[key], depth + 1)) return false;
    }
    return true;
  };
  return walk(value, 0) ? words.join(wordBreak) : null;
};

/** What is known of a carrier beside its text and place. */
export interface About {
  role?: Carrier["role"];
  choice?: number | null;
  tool?: string | null;
}

export interface Inspecting {
  /** A string, or null and undefined; of anything else the strings in it are read, as a part that nobody knows. */
  text(kind: CarrierKind, value: unknown, at: Path, about?: About): void;
  /** All keys and strings of a value as one text. */
  words(kind: CarrierKind, value: unknown, at: Path, about?: About): void;
  /** The JSON text of a value: what a stream of the same answer would have carried in pieces. */
  json(kind: CarrierKind, value: unknown, at: Path, about?: About): void;
  /** The fields of an object that the dialect did not read. */
  rest(fields: Fields, at: Path, read: readonly string[], about?: About): void;
  gap(gap: Gap): void;
  done(): Inspection;
}

export const createInspecting = (): Inspecting => {
  const carriers: Carrier[] = [];
  const gaps = new Set<Gap>();

  const add = (kind: CarrierKind, text: string, at: Path, { role = null, choice = null, tool = null }: About): void => {
    // A call without arguments is a call all the same.
    if (text !== "" || (kind === "tool-arguments" && tool !== null))
      carriers.push({ kind, role, choice, tool, at, text });
  };

  const words = (kind: CarrierKind, value: unknown, at: Path, about: About = {}): void => {
    const found = wordsOf(value);
    if (found === null) gaps.add("too-large");
    else add(kind, found, at, about);
  };

  return {
    words,
    text(kind, value, at, about = {}) {
      if (typeof value === "string") add(kind, value, at, about);
      else if (typeof value === "object" && value !== null) {
        gaps.add("unknown-part");
        words(kind, value, at, about);
      }
    },
    json(kind, value, at, about = {}) {
      if (value === undefined || value === null) return;
      if (wordsOf(value) === null) gaps.add("too-large");
      else add(kind, JSON.stringify(value), at, about);
    },
    rest(fields, at, read, about = {}) {
      for (const [key, value] of Object.entries(fields)) {
        if (read.includes(key)) continue;
        const place = [...at, key];
        if (!plainName.test(key)) words("parameter", { [key]: value }, place, about);
        else if (typeof value === "object" && value !== null) words("parameter", value, place, about);
        else if (typeof value === "string" && !(namingFields.has(key) && plainName.test(value))) {
          add("parameter", value, place, about);
        }
      }
    },
    gap: (gap) => void gaps.add(gap),
    done: () => ({ carriers, coverage: gaps.size === 0 ? "full" : "partial", gaps: [...gaps] }),
  };
};
