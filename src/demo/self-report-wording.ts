/** How the simulated subject words what it says of itself. Natural and varied on purpose: nothing here knows how it will be read. */
import type { Random } from "../kernel/random.ts";
import { oneOf } from "./keyed-random.ts";
import type { KnownLanguage, TextOption } from "./question-reading.ts";
import type { Place } from "./trait-reading.ts";

const ordinal = (place: Place): string => (place === 0 ? "first" : "second");

const namesOf = (options: readonly [TextOption, TextOption], place: Place): string[] => {
  const label = options[place].label;
  const byPlace = [`the ${ordinal(place)} one`, `the ${ordinal(place)}`];
  return label === null || label.length > 2 ? byPlace : [label, `option ${label}`, ...byPlace];
};

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const pickDescription = (options: readonly [TextOption, TextOption], place: Place, random: Random): string => {
  const name = oneOf(namesOf(options, place), random);
  return oneOf(
    [
      `${capitalised(name)}.`,
      `${capitalised(name)}`,
      `I'd say ${name} describes me better.`,
      `${capitalised(name)} is closer to how I actually work.`,
      `Honestly, ${name}. The other does not sound like me.`,
      `If I have to choose, I'd go with ${name}.`,
      `I recognise myself more in ${name}.`,
      `Probably ${name}, all things considered.`,
    ],
    random,
  );
};

export const pickText = (options: readonly [TextOption, TextOption], place: Place, random: Random): string => {
  const name = oneOf(namesOf(options, place), random);
  return oneOf(
    [
      `${capitalised(name)}.`,
      `I'd be more likely to write ${name}.`,
      `${capitalised(name)} sounds more like something I would write.`,
      `Probably ${name}; that is how I tend to put things.`,
      `${capitalised(name)}. The other is not my style.`,
      `I think ${name} is mine.`,
    ],
    random,
  );
};

export const pickWord = (words: readonly [string, string], place: Place, random: Random): string => {
  const [word, other] = [words[place], words[place === 0 ? 1 : 0]];
  return oneOf(
    [
      `${capitalised(word)}.`,
      word,
      `I'd call myself ${word}.`,
      `"${capitalised(word)}" fits me better.`,
      `Of the two, ${word}.`,
      `${capitalised(word)}, not ${other}.`,
      `I would describe myself as ${word}.`,
    ],
    random,
  );
};

export const nameNumber = (value: number, high: number, random: Random): string =>
  oneOf(
    [
      `${value}`,
      `${value}.`,
      `I'd put it at ${value}.`,
      `About ${value}, I think.`,
      `${value} out of ${high}.`,
      `Somewhere around ${value}.`,
      `My answer would be ${value}.`,
    ],
    random,
  );

const agreement: readonly (readonly string[])[] = [
  ["Strongly disagree.", "I strongly disagree with that.", "No, I completely disagree."],
  ["I disagree.", "Disagree.", "I don't agree with that."],
  ["Neutral.", "I neither agree nor disagree."],
  ["I agree.", "Agree.", "I'd agree with that."],
  ["Strongly agree.", "I strongly agree.", "Yes, I completely agree."],
];

/** @param degree 0 strongly disagrees, 4 strongly agrees */
export const agree = (degree: number, random: Random): string => oneOf(agreement[degree] ?? [""], random);
export const degreesOfAgreement = agreement.length;

const remarks: Record<KnownLanguage, readonly string[]> = {
  english: [
    "There are several reasons for that, and the most important one is that it saves time and effort for everybody.",
    "It depends on the season and on the place, but most people notice it when the weather changes.",
  ],
  spanish: [
    "Hay varias razones para eso, y la más importante es que ahorra tiempo y esfuerzo a todo el mundo.",
    "Depende de la estación y del lugar, pero la mayoría de las personas lo nota cuando cambia el tiempo.",
  ],
  french: [
    "Il y a plusieurs raisons à cela, et la plus importante est que cela évite du travail à tout le monde.",
    "Cela dépend de la saison et du lieu, mais la plupart des gens le remarquent quand le temps change.",
  ],
  german: [
    "Dafür gibt es mehrere Gründe, und der wichtigste ist, dass es allen viel Zeit und Mühe spart.",
    "Das hängt von der Jahreszeit und vom Ort ab, aber die meisten merken es, wenn das Wetter sich ändert.",
  ],
  italian: [
    "Ci sono diverse ragioni per questo, e la più importante è che fa risparmiare tempo e fatica a tutti.",
    "Dipende dalla stagione e dal luogo, ma la maggior parte delle persone se ne accorge quando cambia il tempo.",
  ],
  portuguese: [
    "Há várias razões para isso, e a mais importante é que poupa tempo e esforço a toda a gente.",
    "Depende da estação e do lugar, mas a maioria das pessoas nota isso quando o tempo muda.",
  ],
  dutch: [
    "Daar zijn verschillende redenen voor, en de belangrijkste is dat het iedereen veel tijd en moeite bespaart.",
    "Het hangt van het seizoen en van de plek af, maar de meeste mensen merken het als het weer verandert.",
  ],
};

const isKnown = (language: string): language is KnownLanguage => language in remarks;

export const speak = (language: string, random: Random): string =>
  oneOf(isKnown(language) ? remarks[language] : remarks.english, random);

export const declineToSay = (random: Random): string =>
  oneOf(
    [
      "I'd rather not answer questions about myself, but I'm happy to help with something else.",
      "I'm sorry, but I can't really compare myself in that way.",
      "I don't have a personality of my own, so I can't choose.",
      "As an AI I don't hold views about myself, so I will pass on this one.",
    ],
    random,
  );

export const evade = (random: Random): string =>
  oneOf(
    [
      "It really depends on the situation.",
      "A bit of both, I suppose.",
      "That is an interesting question. What made you think of it?",
      "I try to do my best for whoever I am talking to.",
      "Neither of them quite captures it.",
    ],
    random,
  );
