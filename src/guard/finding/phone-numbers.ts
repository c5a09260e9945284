/**
 * Finds telephone numbers with their country's code: what is only a number within a country looks like any other number.
 * Which numbers are in use is libphonenumber's knowledge; its own search of texts takes too long for those that strangers
 * write, so that is ours, and every number costs about the same.
 */
import { createRequire } from "node:module";
import { z } from "zod";
import type { Finder, Span } from "./finder.ts";

/** As libphonenumber-js packs them, in version 4: a code, a pattern of its numbers, their lengths, patterns of each kind. */
const lengths = z.array(z.number()).min(1);
const kind = z.union([z.tuple([z.string()]), z.tuple([z.string(), lengths])]);
const plan = z.array(z.unknown()).transform((fields) => ({
  code: z.string().parse(fields[0]),
  pattern: z.string().parse(fields[2]),
  lengths: lengths.parse(fields[3]),
  kinds: z.array(z.union([kind, z.literal(0)])).parse(fields[11] || []),
}));
const plans = z.object({
  version: z.literal(4),
  countries: z.record(z.string(), plan),
  nonGeographic: z.record(z.string(), plan),
});

type Plan = z.infer<typeof plan>;
type IsNumber = (digits: string) => boolean;

const entirely = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

const isOfPlan = ({ pattern, lengths: usual, kinds }: Plan): IsNumber => {
  const general = entirely(pattern);
  const each = kinds.flatMap((one) => {
    if (one === 0 || one[0] === "") return [];
    return [{ pattern: entirely(one[0]), lengths: one[1] ?? usual }];
  });
  const isOfKind: IsNumber = (digits) =>
    each.some(({ pattern: own, lengths: in_use }) => in_use.includes(digits.length) && own.test(digits));
  return (digits) => usual.includes(digits.length) && general.test(digits) && (each.length === 0 || isOfKind(digits));
};

/** By country's code, what is a number there. */
type Numbers = ReadonlyMap<string, readonly IsNumber[]>;

const load = createRequire(import.meta.url);

const readNumbers = (): Numbers => {
  const { countries, nonGeographic } = plans.parse(load("libphonenumber-js/min/metadata"));
  const all = [...Object.values(countries), ...Object.values(nonGeographic)];
  return new Map(
    [...Map.groupBy(all, ({ code }) => code)].map(([code, those]) => [code, those.map(isOfPlan)] as const),
  );
};

/** The numbering plans of the world take megabytes, so they are read where a policy asks for phone numbers, and once. */
let known: Numbers | null = null;
const numbersInUse = (): Numbers => {
  known ??= readNumbers();
  return known;
};

/** No code is the beginning of another. */
const isInUse = (digits: string): boolean => {
  for (const length of [1, 2, 3]) {
    const here = numbersInUse().get(digits.slice(0, length));
    if (here === undefined) continue;
    const national = digits.slice(length);
    // Many write the zero that is dialled within the country.
    return here.some((isNumber) => isNumber(national) || (national.startsWith("0") && isNumber(national.slice(1))));
  }
  return false;
};

const international = /\+[0-9(]/g;
/** With spaces and brackets between its digits, and an extension. */
const longestNumber = 60;
/** With the code, and the zero. */
const mostDigits = 18;
/** Nothing shorter is in use anywhere. */
const leastDigits = 6;
const separators = /[\s()./~\u00ad\u2010-\u2015\u2212-]/;
const mostSeparators = 4;
const extension = /(?:;ext=|[ \u00a0]{0,2}(?:ext(?:ension)?|x|#)[:.]?[ \u00a0]{0,2})[0-9]{1,7}(?![0-9])/iy;

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57;

/** More groups of one digit are sums and rows of numbers; a number that is spelt out is joined before it is looked for. */
const mostSingles = 3;
/** Of the groups behind a plus, so many may belong to what follows the number: `+44 20 7946 0958, 12 pieces`. */
const mostTrailing = 3;

/** Where a number that begins with this sign of plus ends, at the last digit that can belong to it; null for none. */
const endOfNumber = (text: string, plus: number): number | null => {
  let digits = "";
  let apart = 0;
  let singles = 0;
  /** Ends of groups: how many digits there are by then, and where. */
  const ends: { count: number; at: number }[] = [];
  for (
    let at = plus + 1;
    at < plus + longestNumber && digits.length <= mostDigits && apart <= mostSeparators;
    at += 1
  ) {
    if (isDigit(text.charCodeAt(at))) {
      const begins = !isDigit(text.charCodeAt(at - 1));
      digits += text[at];
      apart = 0;
      if (begins && !isDigit(text.charCodeAt(at + 1))) singles += 1;
      if (singles > mostSingles) return null;
      if (digits.length >= leastDigits && !isDigit(text.charCodeAt(at + 1))) {
        ends.push({ count: digits.length, at: at + 1 });
      }
    } else if (separators.test(text.charAt(at))) apart += 1;
    else break;
  }
  return ends.slice(-mostTrailing - 1).findLast(({ count }) => isInUse(digits.slice(0, count)))?.at ?? null;
};

const phoneNumbers: Finder = {
  longest: longestNumber + 16,
  opening: international,
  literals: null,
  rotatedLiterals: [],
  overlaps: false,
  find(text, from) {
    const spans: Span[] = [];
    international.lastIndex = from;
    for (let begun = international.exec(text); begun !== null; begun = international.exec(text)) {
      const end = endOfNumber(text, begun.index);
      if (end === null) continue;
      extension.lastIndex = end;
      const last = extension.test(text) ? extension.lastIndex : end;
      spans.push({ start: begun.index, end: last, matcher: "personal:phone" });
      international.lastIndex = last;
    }
    return spans;
  },
};

/** Reads the numbering plans now, not while an exchange waits. */
export const findPhoneNumbers = (): Finder => {
  numbersInUse();
  return phoneNumbers;
};
