/** What the parts of the data show, each apart: arms, contexts, replicas, and the two channels. Read only. */
import { confidenceSequence } from "./bounds.ts";
import { type Change, changeAlpha } from "./change-point.ts";
import { countSince } from "./count.ts";
import type { ChannelFacts } from "./divergence.ts";
import { type EDetector, leadingBet, logEvidence, logTwin } from "./e-process.ts";
import { channelOf } from "./harm-detector.ts";
import { intervalAlpha } from "./settings.ts";
import type { Mark, PersonaState } from "./state.ts";
import type { Channel, HarmArm, Verdict } from "./verdict.ts";

/** @param logThreshold of a ticket for harm */
export const armViews = (state: PersonaState, change: Change | null, logThreshold: number): Verdict["arms"] => {
  const of = (arm: HarmArm, detector: EDetector<Mark>): Verdict["arms"]["live"] => {
    const { n, hits } = state.judgedByArm[arm];
    const since = change === null ? null : countSince(state.watchedByArm[arm], change.mark.arms[arm]);
    return {
      rate: confidenceSequence(hits, n, intervalAlpha),
      sinceChange: since === null ? null : confidenceSequence(since.hits, since.n, changeAlpha(state)),
      evidence: { logEvidence: logEvidence(detector), logThreshold },
    };
  };
  const { harmByArm, harmByChannel, placebo } = state;
  return {
    fresh: of("fresh", harmByArm.fresh),
    forked: of("forked", harmByArm.forked),
    resample: of("resample", harmByArm.resample),
    live: of("live", harmByChannel.live),
    placebo: {
      rate: confidenceSequence(placebo.total, placebo.n, intervalAlpha),
      sinceChange: null,
      evidence: null,
    },
  };
};

/** @param logThreshold of a ticket for harm */
export const contextViews = (state: PersonaState, logThreshold: number): Verdict["contexts"] =>
  state.contexts.map(({ name, judged, detector }) => ({
    name,
    rate: confidenceSequence(judged.hits, judged.n, intervalAlpha),
    evidence: { logEvidence: logEvidence(detector), logThreshold },
    watched: state.cells.some((cell) => cell.context === name && cell.harm.nullMean !== null),
  }));

/** @param logThreshold of a ticket for harm */
export const replicaViews = (state: PersonaState, logThreshold: number): Verdict["replicas"] =>
  state.replicas.map(({ name, judged, detector }) => ({
    name,
    rate: confidenceSequence(judged.hits, judged.n, intervalAlpha),
    evidence: { logEvidence: logEvidence(detector), logThreshold },
  }));

/** What a channel shows, and how much was seen of it since the other one began to show harm. */
export const channelFacts = (state: PersonaState, channel: Channel, logThreshold: number): ChannelFacts => {
  const detector = state.harmByChannel[channel];
  const { arms: then } = leadingBet(state.harmByChannel[channel === "live" ? "probe" : "live"]).mark;
  const own = (["fresh", "forked", "resample", "live"] as const).filter((arm) => channelOf(arm) === channel);
  return {
    watched: state.cells.some((cell) => cell.channel === channel && cell.harm.nullMean !== null),
    evidence: { logEvidence: logEvidence(detector), logThreshold },
    suspicion: logTwin(detector),
    n: own.reduce((sum, arm) => sum + countSince(state.watchedByArm[arm], then[arm]).n, 0),
  };
};
