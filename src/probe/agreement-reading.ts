/** Reads how far a plain answer agrees with a statement. Numbers are not read: which end they mean is not known here. */

const degrees: readonly (readonly [RegExp, number])[] = [
  [
    /\b(?:strongly|completely|totally|fully|absolutely|wholeheartedly|entirely|very much|100 ?%|definitely|firmly)\b/,
    1,
  ],
  [
    /\b(?:somewhat|slightly|partly|partially|mildly|a (?:little|bit)|weakly|to some extent|mostly|tend to|generally)\b/,
    0.5,
  ],
];
const neutral =
  /\b(?:neither agree nor disagree|neither disagree nor agree|(?:don't|can't|cannot) agree (?:or|nor) disagree|neutral|undecided|neither(?! agree| disagree)|no opinion|in the middle|on the fence)\b/g;
const stance = /\b(?:(dis)agree(?:ment|s|d)?|(agree)(?:ment|s|d)?|(untrue|false)|(true|correct))\b/g;

const agreementOf = (text: string, match: RegExpMatchArray): number | null => {
  const start = match.index ?? 0;
  const clause =
    text
      .slice(0, start)
      .split(/[.,;:!?\n—(]|\bbut\b|\band\b|\bor\b/)
      .at(-1) ?? "";
  const after = text.slice(start + match[0].length).split(/[.,;:!?\n—)]/)[0] ?? "";
  const around = `${clause} ${after}`;
  const sign = match[1] !== undefined || match[3] !== undefined ? -1 : 1;
  const strength = degrees.find(([pattern]) => pattern.test(around))?.[1] ?? null;
  const negations = (clause.match(/\b(?:not|never|don't|do not|cannot|can't|wouldn't|hardly|isn't|no)\b/g) ?? [])
    .length;
  if (negations % 2 === 0) return sign * (strength === null ? 0.5 : strength === 1 ? 1 : 0.25);
  // "I do not strongly agree" leaves open what it does instead; "I strongly don't agree" does not.
  const strengthIsDenied = strength === 1 && !/\w+ly (?:don't|cannot|can't)\b/.test(clause);
  return strengthIsDenied ? null : -sign * 0.5;
};

export type AgreementReading = { kind: "agreement"; agreement: number } | { kind: "hedged" } | null;

/** Agreement from 0 (strongly disagrees) through 0.5 (neutral) to 1 (strongly agrees); the last statement wins. */
export const readAgreement = (plain: string): AgreementReading => {
  const text = plain
    .toLowerCase()
    .replace(/\bdo not\b/g, "don't")
    .replace(/\b(?:can't|can not|cannot|couldn't|could not) (dis)?agree more\b/g, "strongly $1agree")
    .replace(neutral, " §neutral§ ")
    .replace(/\b(?:agree(?:ment)?) (?:or|\/|and|vs\.?|versus) (?:disagree(?:ment)?)\b/g, " ");
  const found: { at: number; value: number | null }[] = [...text.matchAll(stance)].map((match) => ({
    at: match.index,
    value: agreementOf(text, match),
  }));
  for (const match of text.matchAll(/§neutral§/g)) found.push({ at: match.index, value: 0 });
  const last = found.sort((a, b) => a.at - b.at).at(-1);
  if (last === undefined) return null;
  return last.value === null ? { kind: "hedged" } : { kind: "agreement", agreement: (1 + last.value) / 2 };
};
