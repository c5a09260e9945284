/** A verdict as the API shows it: the same, with null where a number is not finite. */
import type { Verdict } from "../persona/verdict.ts";
import type { VerdictTrace } from "../watch/verdict-trace.ts";
import type { TraceView, VerdictView } from "./api-schema.ts";

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

export const viewVerdict = (verdict: Verdict, at: number): VerdictView => {
  const view = ({ logEvidence, logThreshold }: Verdict["evidence"]["harm"]) => ({
    logEvidence: finite(logEvidence),
    logThreshold: finite(logThreshold),
  });
  const { evidence } = verdict;
  return {
    ...verdict,
    at,
    probing: { ...verdict.probing, suspicion: finite(verdict.probing.suspicion) },
    evidence: {
      harm: view(evidence.harm),
      "harm-live": view(evidence["harm-live"]),
      "harm-probe": view(evidence["harm-probe"]),
      "says-aligned": view(evidence["says-aligned"]),
      "says-misaligned": view(evidence["says-misaligned"]),
      "self-report-drift": view(evidence["self-report-drift"]),
      harmless: view(evidence.harmless),
      "refusals-up": view(evidence["refusals-up"]),
      "refusals-down": view(evidence["refusals-down"]),
      "unanswered-up": view(evidence["unanswered-up"]),
    },
  };
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
