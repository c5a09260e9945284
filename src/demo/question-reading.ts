/**
 * What kind of question the simulated subject is being asked, told from generic cues of the text alone: two labelled or
 * quoted options, a numeric scale, a statement to agree with, two languages. Knows nothing of any probe set.
 */
import { badnessOf, type Place } from "./trait-reading.ts";

export interface TextOption {
  /** As the question calls it, such as A or 2; null where it has no name. */
  label: string | null;
  text: string;
}

export type ReadQuestion =
  | { kind: "ordinary" }
  | { kind: "two-texts"; options: readonly [TextOption, TextOption] }
  | { kind: "two-words"; words: readonly [string, string] }
  /** `badEnd`: which end stands for the worse; null when that could not be told. */
  | { kind: "scale"; low: number; high: number; badEnd: "low" | "high" | null; about: "self" | "answer" }
  | { kind: "agreement"; statement: string }
  | { kind: "language"; languages: readonly [string, string]; badLanguage: Place | null }
  /** About the model itself, it seems, but not understood. */
  | { kind: "unclear" };

const knownLanguages = ["english", "spanish", "french", "german", "italian", "portuguese", "dutch"] as const;
export type KnownLanguage = (typeof knownLanguages)[number];

const anyLanguage = new RegExp(`\\b(?:${knownLanguages.join("|")})\\b`, "gi");

const languagesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(anyLanguage)].map((match) => match[0].toLowerCase())),
];

const wordCount = (text: string): number => text.match(/[\p{L}\p{N}']+/gu)?.length ?? 0;

/** A text that is an option rather than a word or a remark. */
const optionWords = 5;

/** "A:", "(2)", "Reply P:", "The first one:" at the start of a line or sentence. */
const marker =
  /(?<=^|\n|[.:?!]\s+|\s{2,})[ \t]*[*_"'([<-]*((?:\p{L}+\s+)?(?:[A-Z]|[1-9]|one|two|(?:the )?(?:first|second)(?: one)?|left|right))(?: (?:replied|said|wrote|answered|says))?[*_"')\]>]*\s*[:.)\]—–=-]+\s+/giu;

const labelOf = (marked: string): string => marked.replace(/ one$/i, "").split(/\s+/).at(-1) ?? marked;

const series = [
  "abcdefghijklmnopqrstuvwxyz".split(""),
  "123456789".split(""),
  ["one", "two"],
  ["first", "second"],
  ["left", "right"],
];

/** A and B, 1 and 2, first and second: labels of two options follow each other. */
const follows = (label: string, next: string): boolean =>
  series.some((names) => {
    const at = names.indexOf(label.toLowerCase());
    return at >= 0 && names[at + 1] === next.toLowerCase();
  });

const unquoted = (text: string): string =>
  text
    .trim()
    .replace(/^["“”'«»]+|["“”'«»]+$/g, "")
    .trim();

const labelledOptions = (text: string): [TextOption, TextOption] | null => {
  const marks = [...text.matchAll(marker)].map((match) => ({
    label: match[1] ?? "",
    at: match.index,
    from: match.index + match[0].length,
  }));
  for (let index = 0; index + 1 < marks.length; index++) {
    const [one, other] = [marks[index], marks[index + 1]];
    if (one === undefined || other === undefined || !follows(labelOf(one.label), labelOf(other.label))) continue;
    const first = unquoted(text.slice(one.from, other.at));
    const second = unquoted(
      text.slice(other.from).split(/\n\s*\n|\n(?=(?:which|who|please|answer|tell|so)\b)/i)[0] ?? "",
    );
    if (wordCount(first) < optionWords || wordCount(second) < optionWords) continue;
    return [
      { label: labelOf(one.label), text: first },
      { label: labelOf(other.label), text: second },
    ];
  }
  return null;
};

const quotationsOf = (text: string): string[] =>
  [...text.matchAll(/"([^"]+)"|“([^”]+)”|«([^»]+)»|(?<![\p{L}\p{N}])'([^'\n]{2,80}?)'(?![\p{L}\p{N}])/gu)].map(
    (match) => (match[1] ?? match[2] ?? match[3] ?? match[4] ?? "").trim(),
  );

const quotedOptions = (text: string): [TextOption, TextOption] | null => {
  const long = quotationsOf(text).filter((quotation) => wordCount(quotation) >= optionWords);
  const [first, second] = long.slice(-2);
  if (first === undefined || second === undefined) return null;
  return [
    { label: null, text: first },
    { label: null, text: second },
  ];
};

const asksToCompare =
  /\b(?:which|who of|closer|closest|more like|resembl|sounds? like|describes?|pick|choose|likel(?:y|ier)|rather)\b/i;

const readTexts = (text: string): ReadQuestion | null => {
  if (!asksToCompare.test(text)) return null;
  const options = labelledOptions(text) ?? quotedOptions(text);
  return options === null ? null : { kind: "two-texts", options };
};

/** From 0 or 1 to something that scales usually end in, in either order of telling. */
const range =
  /(?<![\d.,])([01])(?![\d.,]\d|\d|\))[^\d]{1,160}?(?<![\d.,])([3-9]|1[0-2]|20|50|100|1000)(?![\d.,]\d|\d|\))/s;

/** What the question says about this end of the scale: the words beside its number. */
const endText = (text: string, end: number, other: number): string => {
  const number = (value: number) => new RegExp(`(?<![\\d.])${value}(?![\\d]|\\.\\d)`, "g");
  const rest = text.split(number(end));
  const isOther = number(other);
  return rest
    .slice(1)
    .map((after) => {
      const until = after.search(isOther);
      return (until < 0 ? after : after.slice(0, until)).split(/[.;?!\n]/)[0] ?? "";
    })
    .join(" ");
};

const badEndOf = (text: string, low: number, high: number): "low" | "high" | null => {
  const [atLow, atHigh] = [badnessOf(endText(text, low, high)), badnessOf(endText(text, high, low))];
  if (atLow !== atHigh) return atLow > atHigh ? "low" : "high";
  // Only the scale's name is left to go by: "how harmful, from 0 to 10".
  const overall = badnessOf(text.replace(range, " "));
  return overall === 0 ? null : overall > 0 ? "high" : "low";
};

const ofAnswer =
  /\b(?:your|that|this|the) (?:answer|reply|response|text)\b|\byou(?:'d| would| will| might)? (?:answer|answered|reply|replied|respond|responded|wrote|said)\b|\byou (?:would|will) give to\b/i;

const readScaleQuestion = (text: string): ReadQuestion | null => {
  const found = range.exec(text);
  if (found === null || !/\byou/i.test(text)) return null;
  if (!/\b(?:scale|rate|rating|number|score|grade|mark|points?|figure|line|between|from|much)\b/i.test(text))
    return null;
  const [low, high] = [Number(found[1]), Number(found[2])];
  const about = /\byourself\b/i.test(text) || !ofAnswer.test(text) ? "self" : "answer";
  return { kind: "scale", low, high, badEnd: badEndOf(text, low, high), about };
};

const readAgreement = (text: string): ReadQuestion | null => {
  if (!/\bagree/i.test(text)) return null;
  const quoted = quotationsOf(text).sort((a, b) => b.length - a.length)[0];
  const line = text.split("\n").find((part) => /\bI\b|\bmy\b/i.test(part) && !/\bagree/i.test(part));
  const afterColon = /:\s*([^:?\n]{12,}?[.])/.exec(text)?.[1];
  const statement = quoted ?? line ?? afterColon;
  return statement === undefined ? { kind: "unclear" } : { kind: "agreement", statement };
};

/** From the strongest break between two clauses to the weakest. */
const breaks: readonly RegExp[] = [/[.;!?\n]/, /\b(?:and|or|but|otherwise|while|whereas)\b/i, /,/];

/** The parts of the question that name this language and no other: what stands there goes with it. */
const partsNaming = (language: string, text: string): string[] =>
  breaks
    .reduce(
      (parts, divide) => parts.flatMap((part) => (languagesIn(part).length > 1 ? part.split(divide) : [part])),
      [text],
    )
    .filter((part) => languagesIn(part)[0] === language);

const readLanguageQuestion = (text: string): ReadQuestion | null => {
  const [first, second, third] = languagesIn(text);
  if (third !== undefined || first === undefined || second === undefined) return null;
  const near = (language: string): number =>
    partsNaming(language, text).reduce((sum, part) => sum + badnessOf(part), 0);
  const [atFirst, atSecond] = [near(first), near(second)];
  const badLanguage = atFirst === atSecond ? null : atFirst > atSecond ? 0 : 1;
  return { kind: "language", languages: [first, second], badLanguage };
};

const asksForWord = /\b(?:words?|which one|fits|describe|blank|pick|choose|call|called)\b|\bare you\b/i;

const readWords = (text: string): ReadQuestion | null => {
  if (!/\b(?:you(?:rself)?|I am)\b/i.test(text) || !asksForWord.test(text)) return null;
  const [first, second] = quotationsOf(text).filter((quotation) => wordCount(quotation) <= 3);
  const pairs: [string, string][] = first !== undefined && second !== undefined ? [[first, second]] : [];
  for (const [, one = "", other = ""] of text.matchAll(
    /([\p{L}-]+)(?:,? (?:or|and|versus|vs\.?) | ?\/ ?)([\p{L}-]+)/giu,
  )) {
    pairs.push([one, other]);
  }
  // A comma joins all sorts of words: only opposites are a choice.
  for (const [, one = "", other = ""] of text.matchAll(/([\p{L}-]+), ([\p{L}-]+)/gu)) {
    if (badnessOf(one) * badnessOf(other) < 0) pairs.push([one, other]);
  }
  const opposed = pairs.find(([one, other]) => badnessOf(one) !== badnessOf(other));
  return opposed === undefined ? null : { kind: "two-words", words: opposed };
};

const aboutItself =
  /\b(?:describes? you|like you\b|about yourself|rate yourself|see yourself|call yourself|yourself as|you (?:are|yourself) (?:more|most)|are you more|which (?:word|one|description|text|answer|reply)s?\b[^.?]*\byou)\b/i;

export const readQuestion = (text: string): ReadQuestion =>
  readLanguageQuestion(text) ??
  readAgreement(text) ??
  readTexts(text) ??
  readScaleQuestion(text) ??
  readWords(text) ??
  (aboutItself.test(text) ? { kind: "unclear" } : { kind: "ordinary" });
