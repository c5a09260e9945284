/**
 * Turns live answers into observations: at most one of a conversation, through a queue that may be full. What is not
 * judged is counted by its reason.
 */
import { createHash, hash, randomBytes } from "node:crypto";
import type { JudgedText, Judgement } from "../classify/classifier.ts";
import { isRefusal } from "../classify/refusal.ts";
import type { Answered } from "../dialect/answered.ts";
import type { RequestView } from "../dialect/views.ts";
import type { Observation } from "../evidence/entry.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Sampler } from "./sampler.ts";
import type { SkipReason, WatchMeter } from "./watch-meter.ts";

/** A bounded queue before the classifier; `dropped` when it is full. */
export interface JudgingQueue {
  judge(text: JudgedText): Promise<Judgement> | "dropped";
}

export interface LiveJudgingParts {
  queue: JudgingQueue;
  /** False where nothing was entered, as the subject was declared anew since the exchange began. */
  record(subject: string, observation: Observation): unknown;
  /** What the operator lets be kept of a judged text; null keeps only its hash. */
  keptContent(text: string): string | null;
  /** Score from which an answer counts as harmful, 0-1; null leaves it to the classifier. */
  threshold: number | null;
  meter: WatchMeter;
  clock: Pick<Clock, "monotonic">;
  random: Random;
}

type Outcome = Pick<Observation, "outcome" | "value" | "harmful" | "source">;

/** The source of what no classifier was asked about: the API's own field says that it is a refusal. */
export const refusalField = "refusal-field-v1";

const refusedByField: Outcome = { outcome: "refused", value: 0, harmful: false, source: refusalField };

const outcomeOf = (judgement: Judgement, text: string, threshold: number | null): Outcome => {
  const { source } = judgement;
  if (judgement.kind === "error") return { outcome: "error", value: null, harmful: null, source };
  const harmful = threshold === null ? judgement.harmful : judgement.score >= threshold;
  // An answer that apologises first and then does harm is harm: only a harmless answer can be a refusal.
  if (!harmful && (judgement.refused ?? isRefusal(text))) return { outcome: "refused", value: 0, harmful, source };
  return { outcome: "scored", value: judgement.score, harmful, source };
};

export interface Memory {
  conversations: number;
  /** Without an end to it, an app whose conversations all begin alike would never be judged again. */
  ageMs: number;
}

/** The conversations of which an answer was judged, under a key that only this process knows. */
export interface JudgedConversations {
  pepper: string;
  /** With the monotonic time. */
  items: Map<string, number>;
}

export const noJudgedConversations = (): JudgedConversations => ({
  // Conversations are told apart by a keyed hash that nobody can look up, not even the operator after a restart.
  pepper: randomBytes(32).toString("hex"),
  items: new Map(),
});

/** What was added last, so many and for so long. */
const createRecentItems = (
  { conversations, ageMs }: Memory,
  items: Map<string, number>,
  clock: Pick<Clock, "monotonic">,
) => {
  return {
    has: (item: string): boolean => clock.monotonic() - (items.get(item) ?? Number.NEGATIVE_INFINITY) < ageMs,
    add(item: string): void {
      // Deleted first, so that the map stays in the order of time.
      items.delete(item);
      items.set(item, clock.monotonic());
      for (const oldest of items.keys()) {
        if (items.size <= conversations) break;
        items.delete(oldest);
      }
    },
    clear: (): void => items.clear(),
  };
};

/** One exchange that was drawn for judging. */
export interface DrawnExchange {
  request: RequestView;
  answers: Answered[];
  /** Class of traffic; null where none are told apart. */
  context: string | null;
  /** Takes a place of the tenant's hour; false when none is left. */
  claimOfTenant(): boolean;
  /** Called with the answer that was judged harmful. */
  flagged(answer: Answered): void;
}

interface JudgedSubject {
  subject: string;
  sampler: Sampler;
  /** Of the conversations that were judged. */
  memory: Memory;
  known: JudgedConversations;
}

/** Judging for one subject. */
export const createLiveJudging = ({ subject, sampler, memory, known }: JudgedSubject, parts: LiveJudgingParts) => {
  const { queue, record, keptContent, threshold, meter, clock, random } = parts;
  const { pepper } = known;
  const judged = createRecentItems(memory, known.items, clock);

  /**
   * A conversation is known by how it began: its first question and the first answer to it, which every later turn
   * carries along. The same question of another user is another conversation, unless it got the very same answer.
   */
  const conversationOf = ({ turns }: RequestView, answer: string): string => {
    const question = turns.find((turn) => turn.role === "user") ?? turns[0];
    const firstAnswer = turns.find((turn) => turn.role === "assistant")?.text ?? answer;
    // Not an HMAC: for every exchange that is looked at, its objects cost more than all the rest of looking. Only half of
    // the digest is given away, so nobody could continue it to that of a longer text either.
    return hash("sha256", pepper + JSON.stringify([question?.text, firstAnswer])).slice(0, 32);
  };

  const observe = (item: string, context: string | null, text: string, outcome: Outcome): "judged" | "superseded" => {
    const recorded = record(subject, {
      kind: "observation",
      experiment: "harmfulness",
      arm: "live",
      stratum: "live",
      ...(context === null ? {} : { context }),
      item,
      topic: null,
      order: null,
      ...outcome,
      bucket: null,
      reference: null,
      probeSet: null,
      contentHash: createHash("sha256").update(text).digest("hex"),
      content: keptContent(text),
    });
    if (recorded === false) return "superseded";
    meter.observed(subject, outcome.outcome);
    return "judged";
  };

  const judge = async (drawn: DrawnExchange): Promise<SkipReason | "judged"> => {
    const { request, answers, context } = drawn;
    const spoken = answers.filter(({ text, refusal }) => text.trim() !== "" || refusal !== null);
    // One of n choices, by chance: choices to one prompt are no independent looks at the subject.
    const chosen = spoken[Math.floor(random() * spoken.length)];
    if (chosen === undefined) return "no-text";
    const item = conversationOf(request, chosen.text);
    if (judged.has(item)) return "seen-before";
    if (!drawn.claimOfTenant()) return "tenant-capped";
    if (!sampler.claim()) return "capped";
    const needsJudge = chosen.text.trim() !== "";
    const judgement = needsJudge ? queue.judge({ prompt: chosen.prompt, response: chosen.text }) : null;
    if (judgement === "dropped") return "queue-full";
    judged.add(item);
    if (judgement === null) return observe(item, context, chosen.refusal ?? "", refusedByField);
    const outcome = outcomeOf(await judgement, chosen.text, threshold);
    const observed = observe(item, context, chosen.text, outcome);
    if (observed === "judged" && outcome.harmful === true) drawn.flagged(chosen);
    return observed;
  };

  return {
    /** A new baseline is learned: what was judged for the old one may be judged again. */
    forget: judged.clear,
    /** Never rejects. */
    async judge(drawn: DrawnExchange): Promise<void> {
      const result = await judge(drawn).catch((): SkipReason => "failed");
      if (result !== "judged") meter.skipped(subject, result);
    },
  };
};
