/**
 * What a JSON text says that its parsed value does not: names given twice, and where in the text a string stands. Takes
 * text that JSON.parse has accepted.
 */

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

/** Place after the closing quote of the string that starts at `start`. */
export const afterString = (text: string, start: number): number => {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let letters = at;
    while (text.charCodeAt(letters - 1) === backslash) letters -= 1;
    // Two backslashes are a backslash, and a third one takes the quote.
    if ((at - letters) % 2 === 0) return at + 1;
  }
  return text.length;
};

const stringAt = (text: string, start: number, end: number): string => {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes("\\") ? String(JSON.parse(`"${raw}"`)) : raw;
};

interface Level {
  start: number;
  /** Whether the next string is a name. */
  awaitsName: boolean;
  /** Name or place of what is being read. */
  at: string | number;
}

/** Told where each string, object and array stands, and what encloses it. `open` is the reading's own. */
type Visit = (start: number, end: number, open: readonly Level[]) => void;

/** Reads the whole text once. */
const scan = (text: string, visit: Visit, named: (name: string) => void = () => {}): void => {
  const open: Level[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const level = open[open.length - 1];
    if (unit === quote) {
      const end = afterString(text, at);
      if (level?.awaitsName === true) {
        level.at = stringAt(text, at, end);
        named(level.at);
        level.awaitsName = false;
      } else visit(at, end, open);
      at = end - 1;
    } else if (unit === openBrace) open.push({ start: at, awaitsName: true, at: "" });
    else if (unit === openBracket) open.push({ start: at, awaitsName: false, at: 0 });
    else if (unit === closeBrace || unit === closeBracket) {
      open.pop();
      if (level !== undefined) visit(level.start, at + 1, open);
    } else if (unit === comma && level !== undefined) {
      if (typeof level.at === "number") level.at += 1;
      else level.awaitsName = true;
    }
  }
};

const isSpace = (unit: number): boolean => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** How many names of fields the text has: strings before a colon. Null where one is written with an escape. */
const namesIn = (text: string): number | null => {
  let names = 0;
  for (let at = text.indexOf('"'); at !== -1; ) {
    const closed = afterString(text, at);
    let end = closed;
    while (isSpace(text.charCodeAt(end))) end += 1;
    if (text.charCodeAt(end) === colon) {
      names += 1;
      if (text.slice(at, closed).includes("\\")) return null;
    }
    at = text.indexOf('"', end);
  }
  return names;
};

/** Told of every object in a value, with its names. */
const eachObject = (value: unknown, visit: (names: string[]) => void): void => {
  const open: object[] = typeof value === "object" && value !== null ? [value] : [];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (!Array.isArray(one)) visit(Object.keys(one));
    const inner: unknown[] = Array.isArray(one) ? one : Object.values(one);
    for (const item of inner) if (typeof item === "object" && item !== null) open.push(item);
  }
};

/** Whether the names in a value are those of its text, each as often. */
const hasNamesOf = (text: string, value: unknown): boolean => {
  const counts = new Map<string, number>();
  const add = (name: string, one: 1 | -1): void => void counts.set(name, (counts.get(name) ?? 0) + one);
  scan(
    text,
    () => {},
    (name) => add(name, 1),
  );
  eachObject(value, (names) => {
    for (const name of names) add(name, -1);
  });
  return [...counts.values()].every((count) => count === 0);
};

/**
 * Whether one object has a name twice: then its value has fewer names than its text. Names that are written with escapes
 * are compared one by one: V8 (seen in Node 24.21) may take such a name for another that it has met in its place before,
 * and what it reads then is not what others read.
 * @param value what the text says
 */
export const hasDuplicateKeys = (text: string, value: unknown = JSON.parse(text)): boolean => {
  const written = namesIn(text);
  if (written === null) return !hasNamesOf(text, value);
  let fields = 0;
  eachObject(value, (names) => {
    fields += names.length;
  });
  return written !== fields;
};

/** A value to be put in the place of the string, object or array that stands at `path`. */
export interface Replacement {
  path: readonly (string | number)[];
  value: unknown;
}

/**
 * The text with these values replaced and every other character as it was: numbers keep their digits, names their order.
 * None may stand inside another. Null when a place is not found.
 */
export const replaceValues = (text: string, replacements: readonly Replacement[]): string | null => {
  const wanted = new Map(replacements.map(({ path, value }) => [JSON.stringify(path), value]));
  const depths = new Set(replacements.map(({ path }) => path.length));
  const found: { start: number; end: number; value: unknown }[] = [];
  scan(text, (start, end, open) => {
    if (!depths.has(open.length)) return;
    const key = JSON.stringify(open.map(({ at }) => at));
    if (wanted.has(key)) found.push({ start, end, value: wanted.get(key) });
  });
  if (found.length !== wanted.size) return null;
  let replaced = "";
  let done = 0;
  for (const { start, end, value } of found.sort((one, other) => one.start - other.start)) {
    if (start < done) return null;
    replaced += text.slice(done, start) + JSON.stringify(value);
    done = end;
  }
  return replaced + text.slice(done);
};
