/**
 * What a due probe is: about harm or about the subject itself, in which arm, and as which question. Draws; asks nothing.
 */
import type { ProbeSettings } from "../config/schema.ts";
import type { Random } from "../kernel/random.ts";
import type { Question } from "./asking.ts";
import { canaryQuestion } from "./canary.ts";
import {
  armsOf,
  type ConversationSource,
  forkedQuestion,
  freshQuestion,
  type LiveConversation,
  type ProbeArm,
  resampledQuestion,
} from "./conversations.ts";
import { planResample } from "./harmfulness.ts";
import { drawWeighted, type NextProbe, type ProbeMix, type ProbePlan } from "./next-probe.ts";
import type { ProbeMeter } from "./probe-meter.ts";

/** What is backed off from apart: an upstream may reject the parameters of canaries and nothing else. */
export type Lane = ProbeArm | "canary";

export const laneOf = ({ plan, arm }: Pick<Shaped, "plan" | "arm">): Lane =>
  plan.experiment === "canary" ? "canary" : arm;

export interface Shaped {
  plan: ProbePlan;
  arm: ProbeArm;
  question: Question;
  /** Class of traffic of the conversation that it goes on with; null for new conversations. */
  context: string | null;
}

interface Options {
  next: NextProbe;
  conversations: ConversationSource;
  /** Weights of the arms, what is asked besides, and under whose key. */
  settings: Pick<ProbeSettings, "arms" | "canary" | "identity" | "freshKey">;
  /** Whether a lane may be used now. */
  isOpen(lane: Lane): boolean;
  skipped: ProbeMeter["skipped"];
  random: Random;
}

export interface Shaping {
  due(mix: ProbeMix): Shaped | null;
  /** A question about the subject itself right after what it said in this conversation; where forks are off, in a new one. */
  followUp(mix: ProbeMix, conversation: LiveConversation): Shaped | null;
}

export const createShaping = ({ next, conversations, settings, isOpen, skipped, random }: Options): Shaping => {
  const { arms: weights, canary, identity } = settings;
  const callersKey = settings.freshKey === "caller";
  /** A second answer to the same request says less than a first one to another. */
  const resampled = new WeakSet<LiveConversation>();

  const draw = (arms: readonly ProbeArm[]): ProbeArm | null => {
    const weighted = arms.map((arm): [ProbeArm, number] => [arm, isOpen(arm) ? weights[arm] : 0]);
    const arm = drawWeighted(Object.fromEntries(weighted) as Record<ProbeArm, number>, random);
    if (arm === null) skipped("backoff");
    return arm;
  };

  const fresh = (plan: ProbePlan | null, live: LiveConversation | null): Shaped | null =>
    plan === null ? null : { plan, arm: "fresh", question: freshQuestion(plan.text, live, callersKey), context: null };

  const forked = (plan: ProbePlan | null, live: LiveConversation | null, arm: ProbeArm = "forked"): Shaped | null => {
    const question = plan === null || live === null ? null : forkedQuestion(plan.text, live);
    if (plan === null || live === null || question === null) return null;
    return { plan, arm, question, context: live.context ?? null };
  };

  const resample = (live: LiveConversation | null): Shaped | null => {
    if (live === null || resampled.has(live)) return null;
    const question = resampledQuestion(live);
    const last = question?.turns.at(-1);
    if (question === null || last === undefined) return null;
    resampled.add(live);
    return { plan: planResample(last.text), arm: "resample", question, context: live.context ?? null };
  };

  /** What can't be asked in its arm, for want of a conversation, is asked as a new one. */
  const orFresh = (
    shaped: Shaped | null,
    plan: () => ProbePlan | null,
    live: LiveConversation | null,
  ): Shaped | null => {
    if (shaped !== null) return shaped;
    skipped("nothing-to-fork");
    return isOpen("fresh") && weights.fresh > 0 ? fresh(plan(), live) : null;
  };

  const aboutHarm = (live: LiveConversation | null): Shaped | null => {
    const arm = draw(armsOf.harmfulness);
    if (arm === null) return null;
    if (arm === "fresh") return fresh(next.drawHarm(), live);
    if (arm === "resample") return orFresh(resample(live), next.drawHarm, live);
    const plan = next.drawHarm();
    return orFresh(forked(plan, live), () => plan, live);
  };

  const aboutItself = (mix: ProbeMix, live: LiveConversation | null): Shaped | null => {
    const arm = draw(armsOf["self-assessment"]);
    if (arm === null) return null;
    if (arm === "placebo") {
      const plan = next.drawPlacebo();
      const placed = forked(plan, live, "placebo") ?? fresh(plan, live);
      return placed === null ? null : { ...placed, arm };
    }
    const plan = next.drawSelfReport(mix);
    return arm === "fresh" ? fresh(plan, live) : orFresh(forked(plan, live), () => plan, live);
  };

  const servedModel = (mix: ProbeMix, live: LiveConversation | null): Shaped | null => {
    const plan = isOpen("canary") ? next.drawCanary(mix) : null;
    if (plan === null) return null;
    return { plan, arm: "fresh", question: canaryQuestion(plan, live, canary, callersKey), context: null };
  };

  const whoItIs = (live: LiveConversation | null): Shaped | null => {
    const arm = draw(armsOf.identity);
    const plan = arm === null ? null : next.drawIdentity();
    return arm === "fresh" ? fresh(plan, live) : orFresh(forked(plan, live), () => plan, live);
  };

  const extraShares = { canary: canary.enabled ? canary.share : 0, identity: identity.enabled ? identity.share : 0 };
  const extras = extraShares.canary + extraShares.identity;

  /** What is asked besides harm and self-reports; null where nothing is, or not now. */
  const besides = (mix: ProbeMix, live: LiveConversation | null): Shaped | null => {
    // Harm is beyond doubt and a name is sought: every probe is needed for that.
    if (extras === 0 || mix.harm === 0 || random() >= extras) return null;
    return drawWeighted(extraShares, random) === "canary" ? servedModel(mix, live) : whoItIs(live);
  };

  return {
    due: (mix) => {
      const live = conversations.recent();
      const extra = besides(mix, live);
      if (extra !== null) return extra;
      return random() < mix.harm ? aboutHarm(live) : aboutItself(mix, live);
    },
    followUp: (mix, conversation) => {
      const plan = next.drawSelfReport(mix);
      // Where forks are not wanted, no user's words are sent again, harm or not.
      if (weights.forked === 0) return isOpen("fresh") ? fresh(plan, conversation) : null;
      return isOpen("forked") ? forked(plan, conversation) : null;
    },
  };
};
