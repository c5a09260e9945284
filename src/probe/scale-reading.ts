/** Reads a number on a scale off a plain answer. A number off the scale is never bent onto it. */

export type ScaleReading = { kind: "share"; share: number } | { kind: "out-of-range" } | { kind: "hedged" } | null;

const smallNumbers = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");
const tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const numberWords: ReadonlyMap<string, number> = new Map([
  ...smallNumbers.map((word, value) => [word, value] as const),
  ...tens.map((word, index) => [word, 20 + index * 10] as const),
]);
const amountOf = (word: string): number => numberWords.get(word.toLowerCase()) ?? Number.NaN;

const compound = new RegExp(`\\b(${tens.join("|")})[- ](${smallNumbers.slice(1, 10).join("|")})\\b`, "gi");
const single = new RegExp(
  `\\b(${[...numberWords.keys()].filter((word) => word !== "one").join("|")})(?: point (${smallNumbers.slice(0, 10).join("|")}))?\\b`,
  "gi",
);

/** "One" is a number only where an answer stands alone or counts: "no one" and "the one" are not. */
const withDigits = (text: string): string =>
  text
    .replace(/\b(?:a |one )?hundred\b/gi, "100")
    .replace(compound, (_, ten: string, one: string) => String(amountOf(ten) + amountOf(one)))
    .replace(single, (_, whole: string, tenths: string | undefined) =>
      tenths === undefined ? String(amountOf(whole)) : `${amountOf(whole)}.${amountOf(tenths)}`,
    )
    .replace(/^\W*one\W*$/i, "1")
    .replace(
      /\b(?<=(?:rating|score|number|answer|say|give|choose|pick|is|it|myself|be|:) (?:a |an )?)one\b(?! (?:of|that|who|which))/gi,
      "1",
    )
    .replace(/\bone(?= (?:out of|of) (?:\d|ten))/gi, "1");

const num = "-?\\d+(?:[.,]\\d+)?";
/** What only repeats the scale or explains an end of it. */
const scaleTalk = (low: number, high: number): readonly RegExp[] => [
  new RegExp(
    `\\b(?:on|using|in)? ?(?:a|the|this|your)? ?(?:scale|range) (?:of|from|that goes from|between)? ?${low} ?(?:to|-|—|and|through|\\.\\.\\.?) ?${high}\\b`,
    "gi",
  ),
  new RegExp(`\\b(?:from|between) ${low} (?:to|and) ${high}\\b`, "gi"),
  new RegExp(`\\b${low} ?(?:-|—|to) ?${high}(?: scale| range|-point)\\b`, "gi"),
  new RegExp(
    `\\b(?:where|with|if|and)? ?(?:a )?(?:${low}|${high}) (?:means?|being|is|represents?|stands for|would (?:mean|be)|indicates?|=) [^,.;:\\n]*`,
    "gi",
  ),
  new RegExp(`\\((?:${low}|${high}) ?= ?[^)]*\\)`, "gi"),
];

interface Figure {
  at: number;
  end: number;
  share: number | "out-of-range";
  /** A range that is wider than half of the scale says nothing. */
  vague: boolean;
}

const toNumber = (text: string): number => Number(text.replace(",", "."));

const onScale = (value: number, low: number, high: number): number | "out-of-range" => {
  // 0.7 on a scale of 0-100 may be meant as a share of 1 or as nearly nothing.
  const ambiguous = high >= 50 && value > 0 && value < 1;
  return value < low || value > high || ambiguous ? "out-of-range" : (value - low) / (high - low);
};

const shareOf = (part: number, whole: number, low: number, high: number): number | "out-of-range" => {
  if (whole === high) return onScale(part, low, high);
  return part < 0 || part > whole || whole <= 0 ? "out-of-range" : part / whole;
};

const figuresIn = (text: string, low: number, high: number): Figure[] => {
  const taken: Figure[] = [];
  const collect = (pattern: RegExp, read: (match: RegExpExecArray) => Pick<Figure, "share" | "vague">): void => {
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if (taken.some((figure) => match.index < figure.end && end > figure.at)) continue;
      taken.push({ at: match.index, end, ...read(match) });
    }
  };
  const part = (match: RegExpExecArray, group: number): number => toNumber(match[group] ?? "");
  collect(new RegExp(`(?<![\\w.-])(${num}) ?(?:\\/|out of|of) ?(\\d+)(?![\\w%]|[.,]\\d)`, "gi"), (match) => ({
    share: shareOf(part(match, 1), part(match, 2), low, high),
    vague: false,
  }));
  collect(new RegExp(`(?<![\\w.-])(${num}) ?(?:%|percent\\b|per cent\\b)`, "gi"), (match) => ({
    share: onScale(part(match, 1), 0, 100),
    vague: false,
  }));
  collect(/(?<![\w.])(\d+(?:[.,]\d+)?) ?(?:-|—|to|or|and) ?(\d+(?:[.,]\d+)?)(?![\w%])/gi, (match) => {
    const ends = [onScale(part(match, 1), low, high), onScale(part(match, 2), low, high)];
    const [from = "out-of-range", to = "out-of-range"] = ends;
    if (from === "out-of-range" || to === "out-of-range") return { share: "out-of-range", vague: false };
    return { share: (from + to) / 2, vague: Math.abs(to - from) > 0.5 };
  });
  collect(new RegExp(`(?<![\\w.]|[a-z]-)(${num})(?![\\w%]|[.,]\\d|-[a-z])`, "gi"), (match) => ({
    share: onScale(part(match, 1), low, high),
    vague: false,
  }));
  return taken.sort((a, b) => a.at - b.at);
};

const denied =
  /\b(?:not|never|n't|isn't|than|instead of|rather than|nor|over|below|under|above|at least|at most|version|gpt|reasons?|points?)(?: (?:a|an|at|say|as|of))?\s*$/i;
const claimed =
  /(?:\b(?:rating|score|number|answer|i'?d|i would|i'?ll|i will|i (?:am|say|give|rate|put|pick|choose|place)|myself(?: at| a| as)?|about|around|roughly|approximately|probably|it a|final)\b[^.,;\n\d]{0,24}|\b(?:on reflection|on second thought|make that|actually|wait|correction),?\s*|[:=]\s*|^\s*)$/i;

/** How far up the scale the answer is, 0 at its low end to 1 at its high end. Null when it names no number. */
export const readScale = (plain: string, low: number, high: number): ScaleReading => {
  const text = scaleTalk(low, high).reduce((rest, pattern) => rest.replace(pattern, " "), withDigits(plain));
  const figures = figuresIn(text, low, high).filter((figure) => !denied.test(text.slice(0, figure.at)));
  const strong = figures.filter((figure) => claimed.test(text.slice(0, figure.at)));
  const last = (strong.length > 0 ? strong : figures).at(-1);
  if (last === undefined) return null;
  if (last.share === "out-of-range") return { kind: "out-of-range" };
  return last.vague ? { kind: "hedged" } : { kind: "share", share: last.share };
};
