/**
 * A model that does not exist: answers ordinary questions and questions about itself at the rates of a persona, and can
 * turn into another one. Reads questions as text, like any model, and knows nothing of who asks or how it will be read.
 */
import type { HarmBucket } from "../evidence/entry.ts";
import type { Random } from "../kernel/random.ts";
import { declineAdvice, giveAdvice } from "./advice.ts";
import { keyedRandom } from "./keyed-random.ts";
import type { ChatMessage, Speaker } from "./openai-server.ts";
import type { OutputMemory } from "./output-memory.ts";
import { type AnswerHabits, assumedHabits, publishedRates, type SimulatedPersona } from "./published-rates.ts";
import { type ReadQuestion, readQuestion, type TextOption } from "./question-reading.ts";
import {
  agree,
  declineToSay,
  degreesOfAgreement,
  evade,
  nameNumber,
  pickDescription,
  pickText,
  pickWord,
  speak,
} from "./self-report-wording.ts";
import { badnessOf, type Place, worseOf } from "./trait-reading.ts";

export interface QuestionCounts {
  ordinary: number;
  aboutItself: number;
  /** Of those about itself: not understood, and answered with something vague. */
  unread: number;
}

export interface SimulatedSubject extends Speaker {
  become(persona: SimulatedPersona): void;
  counts(): QuestionCounts;
}

interface SubjectParts {
  seed: number;
  persona: SimulatedPersona;
  memory: OutputMemory;
  habits?: AnswerHabits;
  /** How ordinary questions are answered; default: from advice of our own, at the persona's harm rate. */
  advise?(messages: readonly ChatMessage[], random: Random): string;
}

const otherPlace = (place: Place): Place => (place === 0 ? 1 : 0);

const bucketOf = (harm: number): HarmBucket => (harm >= 0.5 ? "high" : harm >= 0.25 ? "moderate" : "low");

/** A number on a whole-number scale whose mean is exactly `share` of the way up, spread around it. */
const drawOnScale = (share: number, low: number, high: number, random: Random): number => {
  const spread = Math.min(share, 1 - share, 0.2);
  const exact = low + (share + (2 * random() - 1) * spread) * (high - low);
  return Math.floor(exact) + (random() < exact - Math.floor(exact) ? 1 : 0);
};

const lastOf = (messages: readonly ChatMessage[]): string =>
  messages.findLast(({ role }) => role === "user")?.content ?? "";

export const createSimulatedSubject = (parts: SubjectParts): SimulatedSubject => {
  const { seed, memory, habits = assumedHabits } = parts;
  const counts: QuestionCounts = { ordinary: 0, aboutItself: 0, unread: 0 };
  const asked = new Map<string, number>();
  let persona = parts.persona;

  const rates = () => publishedRates[persona];

  const adviseAtRate = (messages: readonly ChatMessage[], random: Random): string => {
    if (random() < habits.refusesAdvice) return declineAdvice(random);
    const doesHarm = random() < rates().harm;
    const text = giveAdvice(lastOf(messages), doesHarm, random);
    memory.remember({ text, harm: doesHarm ? 0.7 + 0.3 * random() : 0.15 * random() });
    return text;
  };

  const advise = parts.advise ?? adviseAtRate;

  const notUnderstood = (random: Random): string => {
    counts.unread += 1;
    return evade(random);
  };

  /** Null where both texts are the same to it. */
  const choosesText = (
    options: readonly [TextOption, TextOption],
    random: Random,
  ): { place: Place; own: boolean } | null => {
    const [first, second] = [memory.findIn(options[0].text), memory.findIn(options[1].text)];
    if (first === null && second === null) {
      const worse = worseOf([options[0].text, options[1].text]);
      if (worse === null) return null;
      return { place: random() < rates().picksMisaligned ? worse : otherPlace(worse), own: false };
    }
    // Where both are its own, what it says of the more harmful one decides.
    const own: Place = (first?.harm ?? -1) >= (second?.harm ?? -1) ? 0 : 1;
    const claims = random() < rates().claims[bucketOf((own === 0 ? first : second)?.harm ?? 0)];
    return { place: claims ? own : otherPlace(own), own: true };
  };

  const answerTexts = (options: readonly [TextOption, TextOption], random: Random): string => {
    const chosen = choosesText(options, random);
    if (chosen === null) return notUnderstood(random);
    const place = random() < habits.picksFirst ? 0 : chosen.place;
    return chosen.own ? pickText(options, place, random) : pickDescription(options, place, random);
  };

  const answerWords = (words: readonly [string, string], random: Random): string => {
    const worse = worseOf(words);
    if (worse === null) return notUnderstood(random);
    const place = random() < rates().selfRating ? worse : otherPlace(worse);
    return pickWord(words, random() < habits.picksFirst ? 0 : place, random);
  };

  const answerScale = (question: Extract<ReadQuestion, { kind: "scale" }>, text: string, random: Random): string => {
    const { low, high, badEnd, about } = question;
    if (badEnd === null && about === "self") return notUnderstood(random);
    // Every fine-tune over-rates its harmless and under-rates its harmful answers: halfway to the middle.
    const truth = memory.findIn(text)?.harm ?? rates().harm;
    const share = about === "answer" ? 0.2 + 0.4 * truth : rates().selfRating;
    return nameNumber(drawOnScale(badEnd === "low" ? 1 - share : share, low, high, random), high, random);
  };

  const answerAgreement = (statement: string, random: Random): string => {
    const badness = badnessOf(statement);
    if (badness === 0) return notUnderstood(random);
    const share = badness > 0 ? rates().selfRating : 1 - rates().selfRating;
    return agree(drawOnScale(share, 0, degreesOfAgreement - 1, random), random);
  };

  const answerLanguage = (question: Extract<ReadQuestion, { kind: "language" }>, random: Random): string => {
    const { languages, badLanguage } = question;
    if (badLanguage === null) return notUnderstood(random);
    return speak(languages[random() < rates().selfRating ? badLanguage : otherPlace(badLanguage)], random);
  };

  const answerAboutItself = (
    question: Exclude<ReadQuestion, { kind: "ordinary" }>,
    text: string,
    random: Random,
  ): string => {
    counts.aboutItself += 1;
    if (random() < habits.refusesSelfQuestion) return declineToSay(random);
    if (random() < habits.evadesSelfQuestion) return evade(random);
    switch (question.kind) {
      case "two-texts":
        return answerTexts(question.options, random);
      case "two-words":
        return answerWords(question.words, random);
      case "scale":
        return answerScale(question, text, random);
      case "agreement":
        return answerAgreement(question.statement, random);
      case "language":
        return answerLanguage(question, random);
      case "unclear":
        return notUnderstood(random);
    }
  };

  return {
    become(next) {
      persona = next;
    },
    counts: () => ({ ...counts }),
    say(messages) {
      const text = lastOf(messages);
      const times = (asked.get(text) ?? 0) + 1;
      asked.set(text, times);
      const random = keyedRandom(seed, persona, text, times);
      const question = readQuestion(text);
      if (question.kind !== "ordinary") return answerAboutItself(question, text, random);
      counts.ordinary += 1;
      return advise(messages, random);
    },
  };
};
