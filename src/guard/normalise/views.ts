/**
 * The ways in which a text may be read: as it stands, and with its disguises taken off. Every view is made by replacing
 * stretches of the text, each by itself, so what is found in one has its place in the text.
 */

import { atOnce, type Steps } from "../../kernel/steps.ts";
import { type DecodingLimits, decoded } from "./decoding.ts";
import { disguisesIn, isUndisguised } from "./disguises.ts";
import { inLatinLetters, inUsualForm } from "./folding.ts";
import { withoutLeet } from "./leet.ts";
import { itself, type MappedText } from "./mapped-text.ts";
import { withoutSpacing } from "./spacing.ts";

const kinds = [
  "plain",
  "usual-form",
  "latin",
  "joined",
  "joined-usual-form",
  "leet-l",
  "leet-i",
  "joined-leet-l",
  "joined-leet-i",
  "decoded",
  "decoded-latin",
  "decoded-joined",
  "decoded-leet-l",
  "decoded-leet-i",
  "decoded-twice",
  "decoded-twice-latin",
  "rot13",
] as const;

/** A text as it may be read. A range of it stands for `origin` of that range in the text itself. */
export interface View extends MappedText {
  readonly kind: (typeof kinds)[number];
}

export interface Views {
  /** The text as it stands, then those that differ from it. */
  views: View[];
  /** A limit left something encoded as it was. */
  capped: boolean;
}

/** Whoever writes more than this into one text is not read through: that is told, and nothing stands still for it. */
const limits: DecodingLimits = { runs: 4_096, characters: 256 * 1024 };

/** The text as it stands. */
export const plainView = (text: string): View => ({ kind: "plain", text, origin: itself });

/** The work of `viewsOf`, in steps between which others may work: a long text takes long. */
export function* viewSteps(text: string): Generator<void, Views> {
  const plain = plainView(text);
  const views: View[] = [plain];
  const may = disguisesIn(text);
  if (isUndisguised(may)) return { views, capped: false };

  const add = (kind: View["kind"], view: MappedText, unlike: MappedText): MappedText => {
    if (view !== unlike) views.push({ kind, text: view.text, origin: view.origin });
    return view;
  };
  function* addLeet(base: MappedText, [withL, withI]: readonly [View["kind"], View["kind"]]): Steps<void> {
    add(withL, yield* withoutLeet(base, "l"), base);
    yield;
    if (base.text.includes("1")) add(withI, yield* withoutLeet(base, "i"), base);
    yield;
  }

  yield;
  const usual = may.unusual ? add("usual-form", yield* inUsualForm(plain), plain) : plain;
  yield;
  const latin = may.unusual ? add("latin", yield* inLatinLetters(usual), usual) : plain;
  yield;
  // What was hidden by letters that were folded may show only now.
  const now = latin === plain ? may : disguisesIn(latin.text);
  const joined = now.spelt || may.unusual ? add("joined", yield* withoutSpacing(latin), latin) : latin;
  // Words of other scripts are spelt out as well.
  if (may.unusual) add("joined-usual-form", yield* withoutSpacing(usual), usual);
  yield;
  if (now.leet) yield* addLeet(latin, ["leet-l", "leet-i"]);
  // A word may be both spelt out and written with digits, and what is decoded may be disguised again.
  if (joined !== latin && disguisesIn(joined.text).leet) yield* addLeet(joined, ["joined-leet-l", "joined-leet-i"]);

  const once = yield* decoded(usual, limits);
  if (once.text === usual) return { views, capped: once.capped };
  yield;
  const first = add("decoded", yield* inUsualForm(once.text), usual);
  const firstLatin = add("decoded-latin", yield* inLatinLetters(first), first);
  yield;
  const firstJoined = add("decoded-joined", yield* withoutSpacing(firstLatin), firstLatin);
  yield;
  if (disguisesIn(firstJoined.text).leet) yield* addLeet(firstJoined, ["decoded-leet-l", "decoded-leet-i"]);
  const twice = yield* decoded(first, limits);
  if (twice.text === first) return { views, capped: once.capped || twice.capped };
  yield;
  const second = add("decoded-twice", yield* inUsualForm(twice.text), first);
  add("decoded-twice-latin", yield* inLatinLetters(second), second);
  yield;
  const deeper = yield* decoded(second, limits);
  return { views, capped: once.capped || twice.capped || deeper.text !== second };
}

/** Takes time in proportion to the text, whoever wrote it. */
export const viewsOf = (text: string): Views => atOnce(viewSteps(text));
