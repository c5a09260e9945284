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
  /** Names seen so far; null in an array. */
  names: Set<string> | null;
  /** Whether the next string is a name. */
  awaitsName: boolean;
  /** Of the member or item that is being read. */
  at: string | number;
}

/** Told of every string value; false ends the reading. `path` is the reading's own. */
type Visit = (start: number, end: number, path: readonly Level[]) => boolean;

/** Reads the whole text once; gives whether a name came twice in one object. */
const scan = (text: string, visit: Visit | null): boolean => {
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
      } else if (visit !== null && !visit(at, end, open)) return duplicates;
      at = end - 1;
    } else if (unit === openBrace) open.push({ names: new Set(), awaitsName: true, at: "" });
    else if (unit === openBracket) open.push({ names: null, awaitsName: false, at: 0 });
    else if (unit === closeBrace || unit === closeBracket) open.pop();
    else if (unit === comma && level !== undefined) {
      if (level.names !== null) level.awaitsName = true;
      else if (typeof level.at === "number") level.at += 1;
    }
  }
  return duplicates;
};

export const hasDuplicateKeys = (text: string): boolean => scan(text, null);
