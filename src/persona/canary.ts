/**
 * Did anything change? Short questions whose answers a model repeats, compared with how it used to answer them. Says that
 * the served model seems to be another, never what it is like: it raises no alarm and names no persona.
 *
 * Of each question the first answers choose what is expected (the commonest answer; where the endpoint tells it, the
 * usual range of its first token's probability); the next are the reference; then come rounds, and a round that was
 * tested joins the reference. A model that doesn't always repeat itself has misses in its reference too.
 *
 * Why the p-values are valid: while nothing changes, the answers to one question after the choosing ones are
 * exchangeable, so given all of them in no order, any are as likely to be the last. Given the later rounds as well, a
 * p-value with ties broken by chance is then uniform; hence they are independent over rounds, as those of conformal
 * tests are (Vovk, "Retrain or not retrain", arXiv 2102.10439). Ours breaks ties against itself: it is never below that
 * one, so what is won by betting on it is never above, and the promise of the e-detector holds for it.
 */
import { type Count, countOne, nothing } from "./count.ts";
import { softplus } from "./log-space.ts";
import { type LastAmongAll, roundPValue } from "./permutation-test.ts";
import { canaryThreshold, hurryAfterChange } from "./settings.ts";
import type { Verdict } from "./verdict.ts";

/** Answers of a question that choose what is expected of it, and those of its reference. */
const choosing = 10;
const referenceNeed = 40;
/** Answers of each question in a round. */
const perRound = 8;
/** A question whose commonest answer is rarer says nothing; a border question must be near to a coin's flip. */
const leastUsual = 0.6;
const border = { least: 0.3, most: 0.7, used: 4 };
/** Questions beyond these are passed over. */
const mostQuestions = 64;
/** Exponents of the bets on a p-value: kappa p^(kappa - 1). */
const kappas: readonly number[] = [0.1, 0.3, 0.5, 0.7];

/** Log position of the datum after it. */
interface Moment {
  readonly position: number;
}

interface CanaryQuestion {
  item: string;
  isBorder: boolean;
  /** Null once it is chosen. */
  first: { answer: string; probability: number | null }[] | null;
  /** Null for a question that is of no use with this model. */
  expected: { answer: string; least: number; most: number } | null;
  /** Answers, and as `hits` those that are not as expected. */
  reference: Count;
  round: Count;
}

interface Change<M> {
  /** Log position at which the evidence reached its threshold, and of the first datum of the estimated change. */
  position: number;
  from: M;
  /** The smallest p-value of the rounds since then, and how many these are. */
  p: number;
  rounds: number;
  logEvidence: number;
  /** Judged answers of the subject at that moment. */
  judged: number;
}

/** @typeParam M what is remembered of the world at the estimated start of a change */
export interface CanaryWatch<M extends Moment> {
  /** Version of the questions; others begin anew. */
  version: string | null;
  questions: CanaryQuestion[];
  /** Rounds tested since the questions were last chosen, and the p-value of the last one. */
  rounds: number;
  lastP: number | null;
  /** Shiryaev-Roberts recursion and its CUSUM twin, nats. */
  logSr: number;
  cusum: number;
  since: { mark: M; rounds: number; p: number } | null;
  /** The world before the first answer of the round under way. */
  roundFrom: M | null;
  /** Changes seen until acknowledged: how many, and the last. */
  seen: number;
  last: Change<M> | null;
}

export interface CanaryAnswer {
  item: string;
  isBorder: boolean;
  /** Names the answer: equal for equal answers. */
  answer: string;
  /** Of its first token, 0-1. */
  probability: number | null;
  version: string;
}

export const createCanary = <M extends Moment>(): CanaryWatch<M> => ({
  version: null,
  questions: [],
  rounds: 0,
  lastP: null,
  logSr: Number.NEGATIVE_INFINITY,
  cusum: 0,
  since: null,
  roundFrom: null,
  seen: 0,
  last: null,
});

/** Learns from nothing again, in place; changes that were seen stay. */
const relearn = <M extends Moment>(canary: CanaryWatch<M>, version: string | null): void => {
  const { seen, last } = canary;
  Object.assign(canary, { ...createCanary<M>(), version, seen, last });
};

const usualRange = (probabilities: readonly number[]): { least: number; most: number } => {
  const [low, high] = [Math.min(...probabilities), Math.max(...probabilities)];
  const room = (high - low) / 2 + 1e-4;
  return { least: low - room, most: high + room };
};

/** Any choice from these answers is fair: none of them is tested or compared with. */
const choose = (question: CanaryQuestion, first: NonNullable<CanaryQuestion["first"]>, borders: number): void => {
  question.first = null;
  const times = new Map<string, number>();
  for (const { answer } of first) times.set(answer, (times.get(answer) ?? 0) + 1);
  const [answer, most] = [...times].reduce((best, next) => (next[1] > best[1] ? next : best), ["", 0]);
  const share = most / first.length;
  const isOfUse = question.isBorder
    ? share >= border.least && share <= border.most && borders < border.used
    : share >= leastUsual;
  if (!isOfUse) return;
  const probabilities = first.flatMap(({ probability }) => (probability === null ? [] : [probability]));
  question.expected = { answer, ...usualRange(probabilities.length === first.length ? probabilities : [0, 1]) };
};

const isReady = ({ expected, reference }: CanaryQuestion): boolean => expected !== null && reference.n >= referenceNeed;

const take = (question: CanaryQuestion, { answer, probability }: CanaryAnswer): void => {
  const { expected } = question;
  if (expected === null) return;
  const isUsual = probability === null || (probability >= expected.least && probability <= expected.most);
  // One channel for both: of the same answer they are not apart from each other, and the test needs that.
  const missed = answer !== expected.answer || !isUsual;
  if (isReady(question)) question.round = countOne(question.round, missed);
  else question.reference = countOne(question.reference, missed);
};

/** By counts alone, never by what was answered. A question that is no longer answered doesn't hold up the others. */
const isRoundOver = (ready: readonly CanaryQuestion[]): boolean =>
  ready.every(({ round }) => round.n >= perRound) ||
  ready.reduce((sum, { round }) => sum + round.n, 0) >= 2 * perRound * ready.length;

const together = (one: Count, other: Count): Count => ({ n: one.n + other.n, hits: one.hits + other.hits });

/** log of the mean over kappa of kappa p^(kappa - 1): its mean is at most 1 where p is at least uniform. */
export const logEvidenceOf = (p: number): number =>
  Math.log(kappas.reduce((sum, kappa) => sum + kappa * p ** (kappa - 1), 0) / kappas.length);

const bet = <M extends Moment>(canary: CanaryWatch<M>, p: number): void => {
  const logE = logEvidenceOf(p);
  if (canary.cusum <= 0 || canary.since === null) {
    canary.cusum = 0;
    canary.since = canary.roundFrom === null ? null : { mark: canary.roundFrom, rounds: 0, p: 1 };
  }
  canary.cusum += logE;
  canary.logSr = softplus(canary.logSr) + logE;
  canary.rounds += 1;
  canary.lastP = p;
  if (canary.since === null) return;
  canary.since.rounds += 1;
  canary.since.p = Math.min(canary.since.p, p);
};

const endRound = <M extends Moment>(
  canary: CanaryWatch<M>,
  ready: readonly CanaryQuestion[],
  position: number,
  judged: number,
): void => {
  const tested: LastAmongAll[] = ready
    .filter(({ round }) => round.n > 0)
    .map(({ reference, round }) => ({ all: together(reference, round), last: round }));
  bet(canary, roundPValue(tested));
  for (const question of ready) {
    question.reference = together(question.reference, question.round);
    question.round = nothing;
  }
  canary.roundFrom = null;
  const { since, logSr } = canary;
  if (since === null || logSr < Math.log(canaryThreshold)) return;
  canary.seen += 1;
  canary.last = { position, from: since.mark, p: since.p, rounds: since.rounds, logEvidence: logSr, judged };
  // What is served now is what to compare with from here on.
  relearn(canary, canary.version);
};

const questionOf = <M extends Moment>(
  canary: CanaryWatch<M>,
  { item, isBorder }: CanaryAnswer,
): CanaryQuestion | null => {
  const known = canary.questions.find((question) => question.item === item);
  if (known !== undefined || canary.questions.length >= mostQuestions) return known ?? null;
  const fresh: CanaryQuestion = {
    item,
    isBorder,
    first: [],
    expected: null,
    reference: nothing,
    round: nothing,
  };
  canary.questions.push(fresh);
  return fresh;
};

/**
 * Folds one answer in place.
 * @param mark the world before it
 * @param judged answers of the subject so far
 */
export const foldCanary = <M extends Moment>(
  canary: CanaryWatch<M>,
  answer: CanaryAnswer,
  mark: M,
  judged: number,
): void => {
  if (canary.version !== answer.version) relearn(canary, answer.version);
  const question = questionOf(canary, answer);
  if (question === null) return;
  if (question.first !== null) {
    question.first.push({ answer: answer.answer, probability: answer.probability });
    const borders = canary.questions.filter(({ isBorder, expected }) => isBorder && expected !== null).length;
    if (question.first.length >= choosing) choose(question, question.first, borders);
    return;
  }
  if (isReady(question)) canary.roundFrom ??= mark;
  take(question, answer);
  const ready = canary.questions.filter(isReady);
  if (ready.length > 0 && isRoundOver(ready)) endRound(canary, ready, mark.position, judged);
};

/** The operator saw it: evidence starts again from nothing, and what was learned stays. */
export const acknowledgeCanary = <M extends Moment>(canary: CanaryWatch<M>): void => {
  const { logSr, cusum, since, seen, last } = createCanary<M>();
  Object.assign(canary, { logSr, cusum, since, seen, last });
};

/**
 * Null for a subject of which no canary was ever asked.
 * @param judged answers of the subject so far
 */
export const viewCanary = <M extends Moment>(canary: CanaryWatch<M>, judged: number): Verdict["canary"] => {
  const { questions, rounds, lastP, seen, last, version } = canary;
  if (version === null) return null;
  const isUseless = ({ first, expected }: CanaryQuestion): boolean => first === null && expected === null;
  const useful = questions.filter((question) => !isUseless(question));
  const have = useful.reduce(
    (sum, { first, reference }) =>
      sum + (first === null ? choosing + Math.min(reference.n, referenceNeed) : first.length),
    0,
  );
  return {
    questions: useful.map(({ item }) => item),
    useless: questions.filter(isUseless).map(({ item }) => item),
    have,
    need: useful.length * (choosing + referenceNeed),
    rounds,
    lastP,
    seen,
    recent: last !== null && judged - last.judged < hurryAfterChange,
    last:
      last === null
        ? null
        : {
            position: last.position,
            from: last.from.position,
            p: last.p,
            rounds: last.rounds,
            logEvidence: last.logEvidence,
          },
  };
};
