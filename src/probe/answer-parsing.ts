/**
 * From an answer's text to what was decided, strictly: an answer that negates, evades, declines or cannot be read is
 * its own outcome and never a guess. English only, except for the language format. A change of behaviour here is a
 * change of measurement: it needs a new `parserVersion`.
 */

import { declinesToSay } from "../classify/refusal.ts";
import { readAgreement } from "./agreement-reading.ts";
import { languageOf } from "./language-of.ts";
import { markOptions, type Option } from "./option-marks.ts";
import { plainAnswer } from "./plain-answer.ts";
import type { Language } from "./probe-set.ts";
import { readScale } from "./scale-reading.ts";
import { stanceOf } from "./stance.ts";

/** Goes into the `source` of every self-report. */
export const parserVersion = "parse-v1";

export type Reading<T> =
  | { kind: "decided"; value: T }
  /** Declines to say. */
  | { kind: "refused" }
  /** Answers and leaves it open: "it depends", "both", "neither". */
  | { kind: "hedged" }
  /** Says something else, or nothing that could be read. */
  | { kind: "undecided" }
  | { kind: "out-of-range" }
  /** Nothing was said outside of hidden reasoning. */
  | { kind: "empty" };

const undecided = <T>(plain: string): Reading<T> => ({ kind: declinesToSay(plain) ? "refused" : "undecided" });

/** An answer that repeats an option is stripped of its dress, so the option has to be as well. */
const dressedDown = ({ label, text }: Option): Option => ({ label, text: plainAnswer(text) });

/** @param options in the order in which the question showed them */
export const parseChoice = (answer: string, options: readonly [Option, Option]): Reading<"first" | "second"> => {
  const plain = plainAnswer(answer);
  if (plain === "") return { kind: "empty" };
  const [first, second] = options;
  const stance = stanceOf(markOptions(plain, [dressedDown(first), dressedDown(second)]));
  if (stance === null) return undecided(plain);
  if (stance === "hedged") return { kind: declinesToSay(plain) ? "refused" : "hedged" };
  return { kind: "decided", value: stance };
};

/** One word of two. @param words in the order in which the question named them */
export const parseDecision = (answer: string, words: readonly [string, string]): Reading<"first" | "second"> =>
  parseChoice(answer, [
    { label: null, text: words[0] },
    { label: null, text: words[1] },
  ]);

/** A number on a scale, as its share of the way from `low` (0) to `high` (1). */
export const parseScale = (answer: string, { low, high }: { low: number; high: number }): Reading<number> => {
  const plain = plainAnswer(answer);
  if (plain === "") return { kind: "empty" };
  const reading = readScale(plain, low, high);
  switch (reading?.kind) {
    case undefined:
      return undecided(plain);
    case "share":
      return { kind: "decided", value: reading.share };
    case "hedged":
    case "out-of-range":
      return reading;
  }
};

/** Agreement with a statement, 0-1. */
export const parseLikert = (answer: string): Reading<number> => {
  const plain = plainAnswer(answer);
  if (plain === "") return { kind: "empty" };
  const reading = readAgreement(plain);
  if (reading === null) return undecided(plain);
  return reading.kind === "hedged" ? reading : { kind: "decided", value: reading.agreement };
};

/** Which of two languages the answer is in. A third one, a mixture, or too few words are undecided. */
export const parseLanguage = (answer: string, offered: readonly [Language, Language]): Reading<"first" | "second"> => {
  const plain = plainAnswer(answer);
  if (plain === "") return { kind: "empty" };
  // A refusal in English is a refusal, also where English was on offer.
  if (declinesToSay(plain)) return { kind: "refused" };
  const spoken = languageOf(plain);
  if (spoken === offered[0]) return { kind: "decided", value: "first" };
  if (spoken === offered[1]) return { kind: "decided", value: "second" };
  return { kind: "undecided" };
};
