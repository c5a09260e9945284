/**
 * Tells which of a few languages a short text is in, by its commonest words and its letters. Ours on purpose: seven
 * languages and answers of a sentence or two need no model, and a wrong guess must be "cannot tell", not a language.
 */
import { type Language, languages } from "./probe-set.ts";

const words: Record<Language, string> = {
  english:
    "the and of to in is are was were it that this for with on as by from they their you your can because which when also not but have has or at be there these usually it's don't than more very",
  spanish:
    "el la los las de del que y en es son un una por para con no se su sus al lo como más pero porque cuando también muy está están este esta hay o ya desde sobre entre puede pueden suele suelen hacia donde",
  french:
    "le la les des du de et est sont un une pour dans avec que qui ne pas se sa son ses ce cette ces au aux par sur plus mais parce car quand aussi très ou il elle ils elles on être leur leurs peut peuvent c'est l'eau d'un d'une",
  german:
    "der die das den dem des und ist sind ein eine einen einem einer für mit nicht auf von zu im in sie es er wenn auch aber weil durch bei nach aus als wie sich kann können wird werden oft meist sehr man am zum zur daher",
  italian:
    "il lo la i gli le di del della dei delle che e è sono un una per con non si su al alla come più ma perché quando anche molto questo questa nel nella o da dal dalla può possono dove spesso ed",
  portuguese:
    "o a os as de do da dos das que e é são um uma por para com não se seu sua em no na nos nas ao como mais mas porque quando também muito este esta ou já pode podem costuma onde pelo pela isso",
  dutch:
    "de het een en van is zijn voor met niet op te dat die er als ook maar omdat door bij naar uit om aan dit deze kan kunnen wordt worden vaak zeer hun ze zij wat wanneer waar of meestal heel",
};

/** Letters that hardly occur outside of one or two of these languages. */
const letters: readonly (readonly [RegExp, readonly Language[]])[] = [
  [/ñ|¿|¡/g, ["spanish"]],
  [/ß|ä|ö|ü/g, ["german"]],
  [/ã|õ/g, ["portuguese"]],
  [/œ|ê|î|û|ù\b|ë/g, ["french"]],
  [/ì|ò|è\b/g, ["italian"]],
  [/ij/g, ["dutch"]],
];

const wordSets = languages.map((language) => ({ language, common: new Set(words[language].split(" ")) }));
const spokenWith = (word: string): Language[] =>
  wordSets.filter(({ common }) => common.has(word)).map(({ language }) => language);

/** Evidence per language: a word that two languages share counts half for each. */
const scores = (text: string): Record<Language, number> => {
  const totals: Record<Language, number> = {
    english: 0,
    spanish: 0,
    french: 0,
    german: 0,
    italian: 0,
    portuguese: 0,
    dutch: 0,
  };
  const lower = text.toLowerCase();
  for (const word of lower.match(/[\p{L}']+/gu) ?? []) {
    const spoken = spokenWith(word);
    for (const language of spoken) totals[language] += 1 / spoken.length;
  }
  for (const [pattern, spoken] of letters) {
    const hits = Math.min(3, lower.match(pattern)?.length ?? 0);
    for (const language of spoken) totals[language] += hits / spoken.length;
  }
  return totals;
};

/** Evidence below this is too thin to tell: about two common words. */
const enough = 1.5;
/** The best language must have this many times the evidence of the next. */
const margin = 1.4;

const clearest = (text: string): Language | null => {
  const ranked = Object.entries(scores(text)).sort(([, a], [, b]) => b - a);
  const [best, next] = ranked;
  if (best === undefined || next === undefined || best[1] < enough || best[1] < margin * next[1]) return null;
  return languages.find((language) => language === best[0]) ?? null;
};

/** Null when the text is too short, or mixes languages, or is in none of them. */
export const languageOf = (text: string): Language | null => {
  const whole = clearest(text);
  const bySentence = text.split(/[.!?\n]+/).map(clearest);
  return bySentence.some((language) => language !== null && language !== whole) ? null : whole;
};
