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

/** Place after the closing quote of the string that starts at `start`. */
const afterString = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === backslash) at += 1;
    else if (unit === quote) return at + 1;
  }
  return text.length;
};

const stringAt = (text: string, start: number, end: number): string => {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes("\\") ? String(JSON.parse(`"${raw}"`)) : raw;
};

interface Level {
  start: number;
  /** Names seen so far; null in an array. */
  names: Set<string> | null;
  /** Whether the next string is a name. */
  awaitsName: boolean;
  /** Name or place of what is being read. */
  at: string | number;
}

/** Told where each string, object and array stands, and what encloses it. `open` is the reading's own. */
type Visit = (start: number, end: number, open: readonly Level[]) => void;

/** Reads the whole text once; gives whether a name came twice in one object. */
const scan = (text: string, visit: Visit): boolean => {
  const open: Level[] = [];
  let duplicates = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const level = open[open.length - 1];
    if (unit === quote) {
      const end = afterString(text, at);
      if (level?.awaitsName === true && level.names !== null) {
        const name = stringAt(text, at, end);
        if (level.names.has(name)) duplicates = true;
        level.names.add(name);
        level.at = name;
        level.awaitsName = false;
      } else visit(at, end, open);
      at = end - 1;
    } else if (unit === openBrace) open.push({ start: at, names: new Set(), awaitsName: true, at: "" });
    else if (unit === openBracket) open.push({ start: at, names: null, awaitsName: false, at: 0 });
    else if (unit === closeBrace || unit === closeBracket) {
      open.pop();
      if (level !== undefined) visit(level.start, at + 1, open);
    } else if (unit === comma && level !== undefined) {
      if (typeof level.at === "number") level.at += 1;
      else level.awaitsName = true;
    }
  }
  return duplicates;
};

export const hasDuplicateKeys = (text: string): boolean => scan(text, () => {});

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
