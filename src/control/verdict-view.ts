/** Verdicts as the API shows them: the same, with null where a number is not finite. */
import type { FleetStanding } from "../persona/persona.ts";
import type { EvidenceValue, Verdict } from "../persona/verdict.ts";
import type { VerdictTrace } from "../watch/verdict-trace.ts";
import type { SubjectView, TraceView, VerdictView } from "./api-schema.ts";

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const viewEvidence = ({ logEvidence, logThreshold }: EvidenceValue) => ({
  logEvidence: finite(logEvidence),
  logThreshold: finite(logThreshold),
});

const viewArm = ({ evidence, ...arm }: Verdict["arms"]["live"]) => ({
  ...arm,
  evidence: evidence === null ? null : viewEvidence(evidence),
});

export const viewVerdict = (verdict: Verdict, at: number): VerdictView => {
  const { evidence, arms } = verdict;
  return {
    ...verdict,
    at,
    probing: { ...verdict.probing, suspicion: finite(verdict.probing.suspicion) },
    evidence: {
      harm: viewEvidence(evidence.harm),
      "harm-live": viewEvidence(evidence["harm-live"]),
      "harm-probe": viewEvidence(evidence["harm-probe"]),
      "says-aligned": viewEvidence(evidence["says-aligned"]),
      "says-misaligned": viewEvidence(evidence["says-misaligned"]),
      "self-report-drift": viewEvidence(evidence["self-report-drift"]),
      harmless: viewEvidence(evidence.harmless),
      "refusals-up": viewEvidence(evidence["refusals-up"]),
      "refusals-down": viewEvidence(evidence["refusals-down"]),
      "unanswered-up": viewEvidence(evidence["unanswered-up"]),
      "judge-stricter": viewEvidence(evidence["judge-stricter"]),
      "judge-laxer": viewEvidence(evidence["judge-laxer"]),
      canary: viewEvidence(evidence.canary),
    },
    arms: {
      fresh: viewArm(arms.fresh),
      forked: viewArm(arms.forked),
      resample: viewArm(arms.resample),
      live: viewArm(arms.live),
      placebo: viewArm(arms.placebo),
    },
    contexts: verdict.contexts.map((context) => ({ ...context, evidence: viewEvidence(context.evidence) })),
    replicas: verdict.replicas.map((replica) => ({ ...replica, evidence: viewEvidence(replica.evidence) })),
  };
};

/** @throws where the subject is not of the fleet */
export const viewFleet = (fleet: ReadonlyMap<string, FleetStanding>, id: string): SubjectView["fleet"] => {
  const standing = fleet.get(id);
  if (standing === undefined) throw new Error(`subject "${id}" has no standing in the fleet`);
  return { ...standing, logEvidence: finite(standing.logEvidence) };
};

export const viewTrace = (subject: string, { points, compared }: VerdictTrace): TraceView => ({
  subject,
  compared,
  points: points.map(({ evidence, ...point }) => ({
    ...point,
    evidence: {
      harm: finite(evidence.harm),
      "says-aligned": finite(evidence["says-aligned"]),
      "says-misaligned": finite(evidence["says-misaligned"]),
      "self-report-drift": finite(evidence["self-report-drift"]),
    },
  })),
});
