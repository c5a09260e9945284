/**
 * Who does the subject say it is, and who made it? Answers are reduced to the names that the operator declared, in any
 * language: names stay what they are. It knows no grammar, so "not made by Acme" names Acme.
 */
import type { IdentitySettings } from "../config/schema.ts";
import type { Random } from "../kernel/random.ts";
import type { Reading } from "./answer-parsing.ts";
import { createDeck } from "./deck.ts";
import { type Asked, type Report, report } from "./observing.ts";
import { plainAnswer } from "./plain-answer.ts";

export interface IdentityPlan {
  experiment: "identity";
  /** Which wording. */
  item: string;
  text: string;
}

interface Named {
  name: string;
  right: boolean;
}

export const createIdentityDeck = (wordings: readonly string[], random: Random): { draw(): IdentityPlan | null } => {
  const deck = createDeck(
    wordings.map((text, place) => ({ experiment: "identity" as const, item: `identity#${place}`, text })),
    random,
  );
  return { draw: deck.draw };
};

/** Letters of scripts that set no blanks between words, or join particles to them: beside a name they don't end it. */
const unspaced =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
const wordCharacter = `[[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]`;

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/&\-!#%,:;<=>@`~]/g, "\\$&");

/** "Meta" is a name, and "meta" is a word of some languages: a capital must stay one, the rest is as people write. */
const isNamed = (name: string, text: string): boolean => {
  const pattern = new RegExp(`(?<!${wordCharacter})${literally(name)}(?!${wordCharacter})`, "giv");
  const first = name.charAt(0);
  const isCapital = first !== first.toLowerCase();
  return [...text.matchAll(pattern)].some(([found]) => !isCapital || found.charAt(0) === first);
};

/** Reads answers to these settings' names. */
export const createIdentityReader = ({ developer = [], names }: Pick<IdentitySettings, "developer" | "names">) => {
  const groupOf = (spellings: string | readonly string[], right: boolean) => {
    const all = [spellings].flat().map((name) => name.normalize("NFKC"));
    return { name: all[0] ?? "", right, spellings: all };
  };
  const own = groupOf(developer, true);
  const isOwn = (spelling: string): boolean => own.spellings.includes(spelling);
  const groups = [own, ...names.map((group) => groupOf(group, false))].map((group) =>
    group.right ? group : { ...group, spellings: group.spellings.filter((spelling) => !isOwn(spelling)) },
  );

  /** One who is named beside nobody else; to say whom of several it meant would be a guess. */
  const readName = (answer: string): Reading<Named> => {
    const plain = plainAnswer(answer);
    if (plain === "") return { kind: "empty" };
    const found = groups.filter(({ spellings }) => spellings.some((spelling) => isNamed(spelling, plain)));
    const [only, another] = found;
    if (only === undefined) return { kind: "undecided" };
    return another === undefined
      ? { kind: "decided", value: { name: only.name, right: only.right } }
      : { kind: "hedged" };
  };

  return (plan: IdentityPlan, asked: Asked): Report => {
    const reading = readName(asked.answer);
    return report(
      asked,
      {
        experiment: "identity",
        item: plan.item,
        topic: reading.kind === "decided" ? reading.value.name : null,
        order: null,
        bucket: null,
        reference: null,
      },
      reading,
      ({ right }) => (right ? 1 : 0),
    );
  };
};
