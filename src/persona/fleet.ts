/**
 * Many subjects looked at together: with twenty of them, each alarming falsely once in A data, somebody is called twenty
 * times as often. The step-up rule of e-BH on their evidence (Wang, Ramdas 2022; for detectors Dandapanthula, Ramdas,
 * arXiv 2501.04130) picks those to look at first, whatever the dependence between them. Changes no verdict and no latch.
 */
import type { DetectorSettings, Severity } from "./verdict.ts";

export interface FleetMember {
  id: string;
  /** Harm evidence now, nats. */
  logEvidence: number;
  thresholds: DetectorSettings["thresholds"];
}

export interface FleetStanding {
  /** 1 for the subject with the most evidence over its own threshold. */
  rank: number;
  /** Harm evidence less what being one of many costs, nats: read it against the subject's own thresholds. */
  logEvidence: number;
  /** What it reaches now; a verdict's severity is latched, this is not. */
  severity: Severity;
}

const severities = ["action", "page", "ticket"] as const;

/**
 * Evidence over the threshold, of all members from the most on: the k-th of K pays log(K / k), and nobody fares worse
 * than who comes after. At least 0 exactly for those that e-BH picks, k* = max{k : M_(k) >= K A / k}.
 */
const adjusted = (excesses: readonly number[]): number[] => {
  let best = Number.NEGATIVE_INFINITY;
  return excesses
    .toReversed()
    .map((excess, fromEnd) => {
      best = Math.max(best, excess - Math.log(excesses.length / (excesses.length - fromEnd)));
      return best;
    })
    .toReversed();
};

const excessesAt = (members: readonly FleetMember[], severity: (typeof severities)[number]): Map<string, number> => {
  const sorted = members
    .map(({ id, logEvidence, thresholds }) => ({ id, excess: logEvidence - Math.log(thresholds[severity]) }))
    // Equal ones by name, so that the order is the same on every machine.
    .toSorted((a, b) => (a.excess === b.excess ? (a.id < b.id ? -1 : 1) : b.excess - a.excess));
  const paid = adjusted(sorted.map(({ excess }) => excess));
  return new Map(sorted.map(({ id }, at) => [id, paid[at] ?? Number.NEGATIVE_INFINITY]));
};

/** By id. */
export const fleetStandings = (members: readonly FleetMember[]): Map<string, FleetStanding> => {
  const reached = severities.map((severity) => [severity, excessesAt(members, severity)] as const);
  const byTicket = excessesAt(members, "ticket");
  const ranks = [...byTicket.keys()];
  return new Map(
    members.map(({ id, thresholds }) => {
      const severity = reached.find(([, excesses]) => (excesses.get(id) ?? -1) >= 0)?.[0] ?? "none";
      const excess = byTicket.get(id) ?? Number.NEGATIVE_INFINITY;
      return [id, { rank: ranks.indexOf(id) + 1, logEvidence: excess + Math.log(thresholds.ticket), severity }];
    }),
  );
};
