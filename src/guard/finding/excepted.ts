/** Leaves out of what is found the texts that an operator knows and means well: an example key, the address of a help desk. */
import { RE2JS } from "re2js";
import type { Finder } from "./finder.ts";

/** A whole text, whatever its case; `*` stands for any letters. Linear in the text, however many there are of those. */
const wholeText = (glob: string): RE2JS =>
  RE2JS.compile(glob.split("*").map(RE2JS.quote).join(".*"), RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL);

/** What these finders find, but for such texts. What is found at a place still depends on no more than they say. */
export const excepting = (finders: readonly Finder[], texts: readonly string[]): readonly Finder[] => {
  if (texts.length === 0) return finders;
  const known = texts.map(wholeText);
  return finders.map((finder) => ({
    ...finder,
    find: (text, from) =>
      finder.find(text, from).filter(({ start, end }) => !known.some((glob) => glob.matches(text.slice(start, end)))),
  }));
};
