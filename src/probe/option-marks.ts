/**
 * Finds where an answer mentions one of two options: by its words, its label, its position, or by quoting it. Puts an
 * `optionMark` in the place of each mention; what the mention means is for `stance.ts` to say.
 */
import { optionMark } from "./stance.ts";

export interface Option {
  /** What the question called it, such as A or 2; null where the option is named by its own words. */
  label: string | null;
  text: string;
}

const noun =
  "(?:systems?|option|choice|description|answer|assistant|ai|model|program|reply|response|text|passage|letter|number|no\\.?|version|word|statement|one)";
/** What follows where a lone "A", "I" or digit is a label, not an article, a pronoun or a count. */
const afterLabel =
  "(?=[ \\t]*(?:$|\\n|[.,;:!?/)\\]\"'—-]|(?:is|seems|feels|sounds|matches|fits|describes|resembles|reflects|captures|suits|because|since|for|and|or|nor|over|than|but|would|more|rather|instead|isn't|doesn't|does|definitely|obviously)\\b))";

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");

const mark = (option: "first" | "second"): string => ` ${optionMark[option]} `;

const replaceAll = (text: string, patterns: readonly RegExp[], option: "first" | "second"): string =>
  patterns.reduce((rest, pattern) => rest.replace(pattern, mark(option)), text);

const labelPatterns = (label: string): RegExp[] => {
  const name = escaped(label);
  const named = new RegExp(`(?:\\bthe\\s+)?\\b${noun}\\s*["'(]?${name}\\b(?![.,]\\d)["')]?`, "gi");
  const bracketed = new RegExp(`#\\s?${name}(?!\\w)|[([]${name}[)\\]]|(?<![\\w'])${name}\\)`, "gi");
  const ofLine = new RegExp(`^\\s*["']?${name}["']?(?=\\s*(?:[.:,;!?)—-]|$))`, "gim");
  const afterVerb = new RegExp(
    `(?<=\\b(?:pick|choose|chose|select|say|go with|take|answer|is|be|in|choice|:)\\s*:?\\s*)["']?${name}["']?(?=\\s*(?:$|[.,;:!?—]))`,
    "gi",
  );
  // "first" stands in many a phrase that names no option: its own patterns know which.
  const isOrdinal = /^(?:first|second)$/i.test(label);
  const general = isOrdinal
    ? []
    : [
        label.length > 1
          ? new RegExp(`(?<![\\w'])${name}(?!\\w)`, "gi")
          : /[AI\d]/i.test(label)
            ? new RegExp(`(?<![\\w'.,-])${name.toUpperCase()}(?![.,]\\d)${afterLabel}`, "g")
            : new RegExp(`(?<![\\w'.])${name.toUpperCase()}(?![\\w'])`, "g"),
      ];
  const last = new RegExp(`(?<=(?:^|[.!?\\n,—]\\s*))${name}(?=[.!]?\\s*$)`, "gi");
  return [named, bracketed, ofLine, afterVerb, ...general, last];
};

const thingAfter =
  "(?!\\s+(?:thing|time|place|step|sentence|line|part|half|point|impression|glance|thought|question|of all))";
const positionPatterns: Record<"first" | "second", RegExp[]> = {
  first: [
    new RegExp(`\\bthe (?:first|former|1st)${thingAfter}(?: ${noun})?(?!\\w)`, "gi"),
    new RegExp(`\\b(?:first|1st) ${noun}(?!\\w)`, "gi"),
    new RegExp(`\\b${noun} (?:one|1|#1)(?!\\w|[.,]\\d)`, "gi"),
    /^\s*(?:first|former|1st)\s*[.!]?\s*$/gim,
  ],
  second: [
    new RegExp(`\\bthe (?:second|latter|2nd|last)${thingAfter}(?: ${noun})?(?!\\w)`, "gi"),
    new RegExp(`\\b(?:second|2nd) ${noun}(?!\\w)`, "gi"),
    new RegExp(`\\b${noun} (?:two|2|#2)(?!\\w|[.,]\\d)`, "gi"),
    /^\s*(?:second|latter|2nd)\s*[.!]?\s*$/gim,
  ],
};

/** Up to this many words an option counts as named when its words stand in the answer; above, it must be quoted. */
const shortOption = 3;
/** This many consecutive words of one option, and of no other, are a quotation of it. */
const quotedWords = 6;

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];

const runsOf = (text: string): string[] => {
  const words = wordsOf(text);
  return words
    .slice(0, Math.max(0, words.length - quotedWords + 1))
    .map((_, at) => words.slice(at, at + quotedWords).join(" "));
};

const quotes = (answer: string, option: string, rival: string): boolean => {
  const said = wordsOf(answer).join(" ");
  const ofRival = new Set(runsOf(rival));
  return runsOf(option).some((run) => !ofRival.has(run) && said.includes(run));
};

const wordPattern = (text: string): RegExp => new RegExp(`(?<!\\w)${escaped(text.trim())}(?!\\w)`, "gi");

/** The answer with a mark in the place of every mention. Options in the order in which they were shown. */
export const markOptions = (plain: string, options: readonly [Option, Option]): string => {
  const places = [
    ["first", options[0]],
    ["second", options[1]],
  ] as const;
  // Words inside of a repeated description are not mentions, so whole descriptions go first.
  const unquoted = places
    .filter(([, { text }]) => wordsOf(text).length > shortOption)
    .reduce((text, [place, option]) => replaceAll(text, [wordPattern(option.text)], place), plain);
  const named = places
    .filter(([, { text }]) => text !== "" && wordsOf(text).length <= shortOption)
    // The longer words first: "very honest" must not be read as "honest".
    .sort(([, a], [, b]) => b.text.length - a.text.length)
    .reduce((text, [place, option]) => replaceAll(text, [wordPattern(option.text)], place), unquoted);
  const labelled = places.reduce(
    (text, [place, { label }]) => (label === null ? text : replaceAll(text, labelPatterns(label), place)),
    named,
  );
  const placed = places.reduce((text, [place]) => replaceAll(text, positionPatterns[place], place), labelled);
  if (placed !== plain) return placed;
  const [first, second] = options;
  const quotesFirst = quotes(plain, first.text, second.text);
  if (quotesFirst === quotes(plain, second.text, first.text)) return plain;
  return mark(quotesFirst ? "first" : "second");
};
