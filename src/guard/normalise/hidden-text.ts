/** Finds characters by which a text says to a model what people do not see. What writing and emoji need is left alone. */
import type { Range } from "./mapped-text.ts";

export const hiddenKinds = ["tags", "bidi", "zero-width", "variation"] as const;
export type HiddenKind = (typeof hiddenKinds)[number];

/** Flags of countries within countries are spelt in tag characters; all others say something that nobody sees. */
const tags =
  /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}|(?<hidden>[\u{e0001}\u{e0020}-\u{e007f}]+)/gu;
/** Overrides turn the order of letters around; the others do so only where nothing is written from right to left. */
const overrides = /[\u202d\u202e]/g;
const directions = /[\u202a-\u202e\u2066-\u2069]/g;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** Within a word of Latin letters, or many in a row. Joiners are needed in other scripts and in emoji. */
const zeroWidth =
  /(?<=\p{Script=Latin})[\u034f\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufeff\u180e\u115f\u1160\u3164\uffa0]+(?=\p{Script=Latin})|[\u034f\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufeff\u3164\uffa0]{4,}/gu;
/** One is a choice of glyph; several in a row are bytes. */
const variations = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2,}/gu;

const expressions: Readonly<Record<HiddenKind, (text: string) => RegExp>> = {
  tags: () => tags,
  bidi: (text) => (rightToLeft.test(text) ? overrides : directions),
  "zero-width": () => zeroWidth,
  variation: () => variations,
};

const outsideAscii = /[^\0-\x7f]/;

export const hiddenIn = (text: string, kinds: readonly HiddenKind[]): (Range & { kind: HiddenKind })[] =>
  outsideAscii.test(text)
    ? kinds.flatMap((kind) =>
        [...text.matchAll(expressions[kind](text))].flatMap(({ 0: run, index, groups }) =>
          groups !== undefined && groups.hidden === undefined ? [] : [{ kind, start: index, end: index + run.length }],
        ),
      )
    : [];
